/*
 * setup: makes what a machine's role needs before its services start, and keeps it so.
 *
 * `setup run` is a service: settings, network, clock, state, identity, certificates; then it starts
 * the services of the machine's roles and stays, for addresses that change, certificates that end,
 * the power button. `setup pki` makes certificates and kubeconfigs in a folder. `setup bootstrap`
 * makes the objects that nodes join with.
 */
#pragma once

#include "lib/base/arena.h"

int setup_main(int argc, char **argv);

/* udhcpc's script. */
int dhcp_hook_main(int argc, char **argv);

/* The service; returns when it is told to end. */
NODISCARD int setup_run(struct arena *a, int argc, char **argv, struct err *e);
