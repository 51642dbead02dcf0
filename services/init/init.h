/*
 * The first process and the last one.
 *
 * init: what stage 1 executes as /sbin/init. Mounts what a running system has, sets the kernel's
 * settings, makes the services' folders below /run/service, becomes s6-svscan.
 *
 * shutdown: what s6-svscan runs on a signal (reboot, poweroff, halt: services end in reverse order
 * of their needs, within a time, then s6-svscan is told to end), and what it becomes when it has
 * ended (end) or cannot go on (crash).
 */
#pragma once

int init_main(int argc, char **argv);
int shutdown_main(int argc, char **argv);

/* What shutdown was asked for: "reboot", "poweroff" or "halt". */
#define SHUTDOWN_FILE "/run/coracle/shutdown"
