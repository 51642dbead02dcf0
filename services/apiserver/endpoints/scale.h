/*
 * The scale subresource: autoscaling/v1 Scale made from, and written to, workloads. Which field is
 * what is a table. Source: pkg/registry/{apps,core}/.../storage/storage.go.
 */
#pragma once

#include "apiserver/registry/registry.h"
#include "lib/api/managed.h"

/* `object` is of the stored version; the result a Scale. */
void *scale_of(struct arena *a, const struct resource *r, const void *object);

/* The same with the managedFields of `object`, as far as they are a Scale's. */
void *scale_managed(struct arena *a, const struct resource *r, const void *object);

/* `now`, with the replicas and managedFields of `scale`, is `*to`. Invalid: negative replicas. */
NODISCARD int scale_apply(struct arena *a, const struct resource *r, void *now, const void *scale,
	void **to, struct err *e);

/* PUT of a Scale; `*to` is the Scale afterwards. */
NODISCARD int scale_update(struct operation *op, const struct managed_write *w, const void *scale,
	const void *options, void **to, struct err *e);
