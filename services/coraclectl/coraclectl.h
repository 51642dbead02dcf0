/*
 * coraclectl: the operator's tool, on any machine that reaches the appliance.
 */
#pragma once

int coraclectl_main(int argc, char **argv);
