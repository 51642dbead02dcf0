/*
 * kube-controller-manager: brings the cluster in line with what its objects say.
 */
#pragma once

int controller_manager_main(int argc, char **argv);
