/*
 * Counted immutable objects: the third lifetime, for what caches share between threads. Embed
 * `struct counted` first; make the object, then never change it.
 *
 * Threading: take and drop from any thread that holds a reference.
 */
#pragma once

#include "lib/base/compiler.h"

#include <stdatomic.h>
#include <stdint.h>

struct counted {
	_Atomic uint32_t references;
	void (*destroy)(struct counted *c); /* frees the whole object */
};

/* The maker holds the first reference. */
static inline void counted_init(struct counted *c, void (*destroy)(struct counted *c))
{
	atomic_init(&c->references, 1);
	c->destroy = destroy;
}

static inline void counted_take(struct counted *c)
{
	atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
}

static inline void counted_drop(struct counted *c)
{
	if (atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) == 1)
		c->destroy(c);
}
