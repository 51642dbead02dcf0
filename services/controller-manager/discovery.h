/*
 * What the API server serves now, custom resources included: the rows that a client needs to reach
 * every object. Each resource once, in its group's preferred version that has it.
 *
 * Source: client-go/discovery: ServerPreferredResources over aggregated discovery.
 */
#pragma once

#include "lib/client/client.h"

struct discovered {
	struct resource *at;
	size_t len;
	str failing; /* group-versions that could not be asked, comma-separated */
	size_t failing_count;
};

NODISCARD int discover(struct client *c, struct arena *a, struct discovered *to, struct err *e);

/* The list of all objects of a resource in a namespace (absent: all), as metadata. */
NODISCARD int list_metadata(struct client *c, struct arena *a, const struct resource *r, str ns,
	struct partial_object_metadata_list **to, struct err *e);

/* One object's metadata. */
NODISCARD int get_metadata(struct client *c, struct arena *a, struct target t,
	struct partial_object_metadata **to, struct err *e);
