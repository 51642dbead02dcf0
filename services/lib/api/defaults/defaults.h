/*
 * Defaults that depend on more than one field, each run on its struct before the defaults of its
 * fields (lib/schema/default.c). The list of what is called for which type is upstream.defaults;
 * prototypes are generated into api/kinds.h. What is here serves these functions alone.
 */
#pragma once

#include "api/kinds.h"
#include "lib/api/resource_list.h"

/* Values in the arena, for fields that are pointers; arena_bool and arena_i32 make others. */
str *default_str(struct arena *a, str value);
struct int_or_string *default_percent(struct arena *a, str text);
struct int_or_string *default_number(struct arena *a, int32_t number);

/* Sets a value where it is not set. */
void default_text(str *to, str value);

/* The pull policy that an image's tag asks for: "Always" for latest, else "IfNotPresent". */
str default_pull_policy(str image);

/* What pods as a whole get from their containers. */
void default_pod_resources(struct arena *a, struct pod *pod);
