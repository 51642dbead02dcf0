/*
 * One CustomResourceDefinition as it is served: its rows, types and cache.
 *
 * Ownership: counted; every row names it as its owner, and so do objects, requests and catalogs.
 */
#pragma once

#include "apiserver/storage/storage.h"
#include "lib/structural/structural.h"

struct definition {
	struct counted counted;
	struct arena arena;
	const struct crd_custom_resource_definition *crd; /* a copy */
	struct resource *rows; /* of all versions, in the definition's order */
	struct structural *versions;
	size_t count;
	const struct resource *stored; /* the row of the version that is stored */
	atomic_bool terminating;
};

/* Without a cache yet. ERR_INVALID, ERR_LIMIT: it cannot be served. */
NODISCARD int definition_new(
	const struct crd_custom_resource_definition *crd, struct definition **to, struct err *e);

/* Whether it would be another one now. */
bool definition_is_of(const struct definition *d, const struct crd_custom_resource_definition *crd);

/* v2 before v1, v1 before v1beta1 (apimachinery/pkg/version). */
int version_compare(str a, str b);
