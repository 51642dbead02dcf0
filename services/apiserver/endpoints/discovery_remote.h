/*
 * What aggregated API servers serve, in the form of aggregated discovery: made of the resource
 * lists that they told when they were checked.
 *
 * Ownership: made in the arena; texts lie in the aggregation.
 */
#pragma once

#include "apiserver/endpoints/request.h"

struct discovery_api_version_discovery discovery_of_remote(
	struct arena *a, const struct aggregated *s);
