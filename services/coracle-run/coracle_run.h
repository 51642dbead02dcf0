/*
 * coracle-run: becomes a service as its run file says (lib/supervise/run_file.h). s6-supervise
 * starts it as the interpreter of `run`, in the service's folder.
 */
#pragma once

int coracle_run_main(int argc, char **argv);
