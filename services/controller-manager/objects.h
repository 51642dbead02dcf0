/*
 * Lists of objects of a pass, and claiming: which objects of a namespace belong to a controller.
 * One that matches its selector and has no controller is adopted, one of its own that no longer
 * matches is released.
 *
 * Source: kubernetes/pkg/controller/controller_ref_manager.go.
 */
#pragma once

#include "lib/client/pass.h"

struct object_list {
	const void **at;
	size_t len, cap;
};

void object_list_add(struct arena *a, struct object_list *l, const void *object);

/* By a function that says which comes first. */
typedef int object_order(const void *a, const void *b);
void object_list_sort(struct object_list *l, object_order *order);

struct claim {
	struct pass *p;
	const void *owner; /* as the cache has it */
	const struct meta_selector *selector;
	bool (*wanted)(const void *object); /* NULL: all are looked at */
	const char *finalizer; /* adopted objects get it, released ones lose it; may be NULL */

	bool asked,
		may_adopt; /* its own: whether the owner still lives, asked of the server once */
	struct err refused;
};

/* Those of `type` in the owner's namespace that belong to it; `to` is added to. */
NODISCARD int claim_objects(
	struct claim *c, enum api_type type, struct object_list *to, struct err *e);

/* Without adopting: those of `type` that the owner controls. */
void owned_objects(struct pass *p, const void *owner, enum api_type type, struct object_list *to);
