/*
 * What controllers ask of any object: its metadata, its owners, whether a selector takes it.
 *
 * Lifetimes: results point into the object or live in the arena. Threading: any.
 * Source: apimachinery/pkg/apis/meta/v1/{controller_ref,helpers}.go.
 */
#pragma once

#include "lib/api/resource.h"
#include "lib/base/clock.h"
#include "lib/value/selector.h"

/* Every kind that is served as a resource has it. */
struct object_meta *meta_of(const void *object);

/* The row of the resource whose objects are of this type; there is one. */
const struct resource *meta_resource(enum api_type type);

/* The owner that is its controller; NULL if there is none. */
const struct owner_reference *meta_controller(const struct object_meta *m);
bool meta_controlled_by(const struct object_meta *m, const struct object_meta *owner);

/* A reference that makes `owner` the controller, as NewControllerRef does. */
struct owner_reference meta_controller_ref(struct arena *a, const void *owner);

/* Adds at the end; the list is the object's own afterwards. */
void meta_add_owner(struct arena *a, struct object_meta *m, struct owner_reference r);

bool meta_has_finalizer(const struct object_meta *m, str name);
void meta_add_finalizer(struct arena *a, struct object_meta *m, str name);
bool meta_remove_finalizer(struct arena *a, struct object_meta *m, str name);

/* Absent when there is no such annotation. */
static inline str meta_annotation(const struct object_meta *m, str key)
{
	return str_map_get(&m->annotations, key);
}

/* A selector of NULL matches nothing, an empty one everything, as upstream's
 * LabelSelectorAsSelector; ERR_INVALID in its words. */
struct meta_selector {
	struct selector selector;
	bool nothing;
};

NODISCARD int meta_selector(struct arena *a, const struct label_selector *from,
	struct meta_selector *to, struct err *e);

/* Of a map: the labels are equal; an empty or absent map matches everything. */
struct meta_selector meta_selector_of_map(struct arena *a, const struct str_map *m);

static inline bool meta_matches(const struct meta_selector *s, const struct str_map *labels)
{
	return !s->nothing && selector_matches(&s->selector, labels);
}

static inline bool meta_selects_everything(const struct meta_selector *s)
{
	return !s->nothing && s->selector.len == 0;
}

/* "ns/name", or "name" if ns is empty. */
str meta_key(struct arena *a, str ns, str name);
void meta_split_key(str key, str *ns, str *name);

/* A name for a generated child: upstream's alphabet without vowels and look-alikes. */
str meta_random_suffix(struct arena *a, struct random *r, size_t len);

/* The wall clock as metav1.Now gives it: seconds, or microseconds. */
struct time_value meta_now(const struct clock *c);
struct time_value meta_now_micro(const struct clock *c);
