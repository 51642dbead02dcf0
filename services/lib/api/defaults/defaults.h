/*
 * Defaults that depend on more than one field, each run on its struct before the defaults of its
 * fields (lib/schema/default.c). The list of what is called for which type is upstream.defaults;
 * prototypes are generated into api/kinds.h. What is here serves these functions alone.
 */
#pragma once

#include "api/kinds.h"

/* Values in the arena, for fields that are pointers; arena_bool and arena_i32 make others. */
str *default_str(struct arena *a, str value);
struct int_or_string *default_percent(struct arena *a, str text);
struct int_or_string *default_number(struct arena *a, int32_t number);

/* Sets a value where it is not set. */
void default_text(str *to, str value);

/* Entries of `from` whose key `to` lacks are added to it. */
void default_quantities(struct arena *a, struct quantity_map *to, const struct quantity_map *from);

/* NULL if the map lacks the key. */
const struct quantity *quantity_map_get(const struct quantity_map *m, str key);

/* The pull policy that an image's tag asks for: "Always" for latest, else "IfNotPresent". */
str default_pull_policy(str image);

/* What pods as a whole get from their containers; pod_resources.c. */
void default_pod_resources(struct arena *a, struct pod *pod);
