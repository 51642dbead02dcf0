/*
 * Resource lists: maps from names of resources to quantities (v1.ResourceList), and how quotas,
 * limits and defaults reckon with them. A list is sorted by name; results are new lists in the
 * arena. A sum past 38 digits stays what it was: validation refuses such quantities.
 *
 * Source: apiserver/pkg/quota/v1/resources.go.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/schema/type.h"

/* NULL if the list lacks the name. */
const struct quantity *resource_list_get(const struct quantity_map *m, str name) PURE;

struct quantity_map resource_list_add(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y);
struct quantity_map resource_list_max(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y);

/* What x has more than y; nothing of which it has as much or less. */
struct quantity_map resource_list_excess(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y);

/* The entries of x whose names y has too. */
struct quantity_map resource_list_mask(
	struct arena *a, const struct quantity_map *x, const struct quantity_map *y);

/* The same names with the same values. */
bool resource_list_equal(const struct quantity_map *x, const struct quantity_map *y) PURE;

/* Sets one entry. */
void resource_list_set(struct arena *a, struct quantity_map *to, str name, struct quantity q);

/* Entries of `from` whose names `to` lacks are added to it. */
void resource_list_default(
	struct arena *a, struct quantity_map *to, const struct quantity_map *from);
