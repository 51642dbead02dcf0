/*
 * The documents of OpenAPI v3 for custom resources, one a group-version, made when the catalog has
 * changed; those whose rows have not are taken over. Their schemas are those of the definitions,
 * with what every object has beside them (apiextensions-apiserver/pkg/controller/openapi/builder).
 *
 * Ownership: counted, immutable.
 */
#pragma once

#include "apiserver/apiextensions/apiextensions.h"

struct custom_document {
	struct counted counted;
	const struct resource **rows; /* of the group-version; references */
	size_t row_count;
	str path; /* "apis/example.io/v1" */
	str json, hash;
};

struct custom_documents {
	struct counted counted;
	struct catalog *catalog; /* a reference */
	struct custom_document **at;
	size_t count;
};

/* Takes the catalog over; `before` may be NULL. */
struct custom_documents *custom_documents_new(
	struct catalog *c, const struct custom_documents *before);
