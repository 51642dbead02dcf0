/*
 * What both halves of persistentvolume-binder-controller do: claims look for volumes, volumes
 * follow their claims.
 *
 * Objects returned are as the server has them now, in the pass's arena.
 */
#pragma once

#include "controller-manager/volume_match.h"
#include "lib/client/pass.h"

/* Queues of the controller. */
enum { BINDER_CLAIMS, BINDER_VOLUMES };

void binder_wake_claim(struct controller_run *r, str ns, str name);

/* Does nothing in that phase already. `*v` becomes what the server answers. */
NODISCARD int volume_set_phase(struct pass *p, const struct persistent_volume **v,
	const char *phase, const char *message, struct err *e);

/* The queue of volumes. */
int volume_reconcile(struct pass *p, struct err *e);
