/*
 * Strategies: what is particular to a kind when it is written
 * (pkg/registry/GROUP/KIND/strategy.go), one row each. Most are NULL: the common rule holds.
 */
#pragma once

#include "lib/api/causes.h"
#include "lib/api/resource.h"

struct operation;

enum strategy_flags {
	STRATEGY_CREATE_ON_UPDATE = 1 << 0, /* PUT of what is not there creates it */
	STRATEGY_UNCONDITIONAL = 1 << 1,    /* PUT without resourceVersion is taken */
	STRATEGY_GENERATION = 1 << 2,   /* metadata.generation: 1, +1 when what prepare left of the
	                               * object differs outside metadata and status */
	STRATEGY_STATUS_RESET = 1 << 3, /* create clears status, update keeps the old one */
	STRATEGY_ORPHAN = 1 << 4,       /* the default propagation of a delete is to orphan */
};

struct strategy {
	str group, resource; /* plural */
	unsigned flags;      /* enum strategy_flags */

	/* Before validation. `before` is the stored object. */
	void (*prepare_create)(struct operation *op, void *now);
	void (*prepare_update)(struct operation *op, void *now, const void *before);
	void (*prepare_status)(struct operation *op, void *now, const void *before);

	/* Beyond what lib validation says of the object alone. */
	void (*warn)(struct operation *op, const void *now, const void *before);

	/* What is taken from the cluster for it and given back when the write fails or the object
	 * goes: service IPs, node ports. `before` NULL: create; `now` NULL: deletion. */
	int (*allocate)(struct operation *op, void *now, const void *before, struct err *e);
	void (*release)(struct operation *op, const void *now, const void *before);

	/* Seconds of grace of a delete; <0: the kind knows none and goes at once. */
	int64_t (*grace)(struct operation *op, const void *now, const struct delete_options *o);
};

const struct strategy *strategy_find(const struct resource *r);

/*
 * Fields that a write to the object or a subresource cannot change, and so nobody owns by it: what
 * `reset` names, or with `only` whatever that does not name. Either may be empty.
 * Source: GetResetFields and GetResetFieldsFilter of the strategies.
 */
struct reset_fields {
	const str *reset, *only;
	size_t reset_count, only_count;
};

struct reset_fields strategy_reset_fields(const struct resource *r, str subresource);
