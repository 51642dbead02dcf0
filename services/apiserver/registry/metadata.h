/*
 * Metadata of any kind, and what upstream's rest package fills in and checks of it
 * (apiserver/pkg/registry/rest/meta.go).
 */
#pragma once

#include "api/kinds.h"
#include "lib/api/meta.h"

/* NULL for kinds without. */
struct object_meta *object_metadata(void *object);
const struct object_meta *object_metadata_of(const void *object);

/* A new object's uid and time of birth. */
void metadata_fill(
	struct arena *a, struct object_meta *m, struct random *random, const struct clock *clock);

/* Owner references that are there twice go. The uids of those that went, "a, b"; absent: none. */
str metadata_dedup_owners(struct arena *a, struct object_meta *m);

/* The prefix, cut so that five letters fit behind it (apiserver/pkg/storage/names). */
str metadata_generate_name(struct arena *a, struct random *random, str prefix);

void metadata_set_revision(struct arena *a, struct object_meta *m, int64_t revision);
