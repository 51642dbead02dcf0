/*
 * kube-apiserver: the program.
 */
#pragma once

int apiserver_main(int argc, char **argv);
