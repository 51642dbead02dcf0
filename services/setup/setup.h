/*
 * setup: makes what a machine's role needs before its services start. So far `setup pki`.
 */
#pragma once

int setup_main(int argc, char **argv);
