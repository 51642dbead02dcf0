/*
 * Media types and the Accept header (RFC 9110, 8.3.1 and 12.5.1), as Kubernetes uses them:
 * "application/json;as=Table;g=meta.k8s.io;v=v1". Threading: any.
 *
 * Ownership: type, subtype and parameters lie in the input or, where a quoted value held escapes,
 * in the caller's arena.
 */
#pragma once

#include "lib/base/arena.h"

enum { MEDIA_PARAMS_MAX = 16, MEDIA_ACCEPT_MAX = 64 };

struct media_param {
	str name, value; /* names compare without case */
};

struct media_type {
	str type, subtype; /* "*" in a range */
	struct media_param *params;
	size_t param_count;
	unsigned q_milli; /* 0..1000; 1000 when there is none */
};

NODISCARD int media_parse(struct arena *a, str text, struct media_type *to, struct err *e);

/*
 * The ranges of an Accept header, best first: by q, then a named type before "*", then a
 * named subtype before "*", else in the order given. A range that is malformed is left
 * out, as upstream's parser does.
 */
NODISCARD int media_accept(
	struct arena *a, str header, struct media_type **to, size_t *len, struct err *e);

/* Absent when there is none. */
str media_param(const struct media_type *m, str name);

/* Whether the range covers type/subtype. Parameters are the caller's matter. */
bool media_covers(const struct media_type *range, str type, str subtype);
