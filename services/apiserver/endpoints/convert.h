/*
 * Conversions at the border: kinds that are served in a version other than the stored one
 * (design: there is no internal version, the hub is the storage version). autoscaling/v1 keeps what
 * v2 has more in annotations, as upstream's conversion does; events.k8s.io/v1 renames fields.
 */
#pragma once

#include "lib/api/resource.h"

struct selector;

/* Replaces `*object`, of the stored version, by what `r` is served as; leaves other kinds alone. */
NODISCARD int convert_to_request(
	struct arena *a, const struct resource *r, void **object, struct err *e);

/* The other way. */
NODISCARD int convert_from_request(
	struct arena *a, const struct resource *r, void **object, struct err *e);

/* Whether one of the two does anything. */
bool converts(const struct resource *r);

/* The type of stored objects. */
const struct type *stored_type(const struct resource *r);

/* Which stored field a field label of the request's version means. */
str convert_field_label(const struct resource *r, str path);
