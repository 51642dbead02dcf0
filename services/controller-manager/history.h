/*
 * ControllerRevisions: the templates that a daemon set or stateful set has had.
 *
 * Source: kubernetes/pkg/controller/history.
 */
#pragma once

#include "controller-manager/objects.h"

struct history {
	struct pass *p;
	const void *owner;
	const struct pod_template_spec *template;
	const struct meta_selector *selector;
	const struct str_map *labels; /* of a new revision, besides the hash */
	int32_t *collisions;          /* of names, counted up */

	struct object_list revisions;             /* oldest first */
	const struct controller_revision *latest; /* the one of the present template */
	int64_t latest_number;
};

#define REVISION_LABEL STR("controller-revision-hash")

/* Finds all and makes the latest if it is missing; a template that is back gets a new number. */
NODISCARD int history_find(struct history *h, struct err *e);

/* The revision's template, decoded. */
NODISCARD int history_template(struct history *h, const struct controller_revision *r,
	const struct pod_template_spec **to, struct err *e);

/* What pods carry to show their revision. */
str revision_hash(const struct controller_revision *r);

/* Deletes the oldest that `is_live` does not name, down to `limit`. */
NODISCARD int history_truncate(struct history *h, int32_t limit,
	bool (*is_live)(const void *owner, str hash), const void *owner, struct err *e);
