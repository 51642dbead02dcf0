/*
 * What changes of dependents mean for their controllers: a pod that comes or goes is what a replica
 * set waits for; one without a controller may be adopted by any that selects it.
 *
 * Source: addPod, updatePod, deletePod of kubernetes/pkg/controller.
 */
#pragma once

#include "lib/client/controller.h"
#include "lib/client/expectations.h"

struct dependents {
	enum api_type owner;
	const char *kind; /* of the owner, as references name it */

	/* Whether the owner's selector takes an object with these labels. */
	bool (*selects)(struct arena *a, const void *owner, const struct str_map *labels);

	struct expectations *expectations; /* NULL: none */

	/* An owner whose dependent changed, with the dependent before and now; NULL: its key goes
	 * to the first queue. */
	void (*changed)(
		struct controller_run *r, const void *owner, const void *before, const void *now);
};

/* On the I/O thread, as a watch's `changed`. */
void dependents_changed(
	struct controller_run *r, const struct dependents *d, const void *before, const void *now);

/* The owner by an object's controller reference; NULL if it is of another kind or gone. `v` is a
 * view of the owner's kind. */
const void *dependents_owner(
	const struct dependents *d, const struct view *v, const struct object_meta *m);

/* For owners whose selector is a LabelSelector; what cannot be read selects nothing. */
bool dependents_match(
	struct arena *a, const struct label_selector *s, const struct str_map *labels);
