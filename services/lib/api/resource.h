/*
 * Resources: what is served under which path, with which verbs, and where it lies in etcd. The
 * table is generated from lib/api/schema/resources, group-version by group-version.
 *
 * Lifetimes: the process, but for rows that came at run time: those live as long as their `owner`,
 * which whoever keeps the row holds (resource_take). Threading: immutable.
 */
#pragma once

#include "api/kinds.h"
#include "lib/base/counted.h"

enum verb {
	VERB_CREATE = 1 << 0,
	VERB_DELETE = 1 << 1,
	VERB_DELETECOLLECTION = 1 << 2,
	VERB_GET = 1 << 3,
	VERB_LIST = 1 << 4,
	VERB_PATCH = 1 << 5,
	VERB_UPDATE = 1 << 6,
	VERB_WATCH = 1 << 7,
	VERB_CONNECT_DELETE = 1 << 8, /* the HTTP methods of a subresource that is a connection */
	VERB_CONNECT_GET = 1 << 9,
	VERB_CONNECT_HEAD = 1 << 10,
	VERB_CONNECT_OPTIONS = 1 << 11,
	VERB_CONNECT_PATCH = 1 << 12,
	VERB_CONNECT_POST = 1 << 13,
	VERB_CONNECT_PUT = 1 << 14,
	VERB_STD = (1 << 8) - 1,
};

struct subresource {
	str name;
	enum api_type type;
	unsigned verbs; /* enum verb */
};

/* What field selectors may name; path is dotted JSON names, a|b the first that has a value. */
struct field_label {
	str name, path;
};

enum stored_as { STORED_NOT, STORED_PROTOBUF, STORED_JSON };

struct resource {
	str group; /* "" is core */
	str version, plural, singular, kind;
	enum api_type type;
	unsigned verbs; /* enum verb */
	bool namespaced;
	enum stored_as stored_as;
	str etcd_prefix;    /* "/registry/pods", without namespace and name; absent: not stored */
	str stored_version; /* "apps/v1" */

	/* Each list ends with an entry whose (first) text is absent. */
	const str *short_names, *categories;
	const struct field_label *labels; /* beside metadata.name and metadata.namespace */
	const struct subresource *subresources;

	/* Of a resource that came at run time, whose type is API_PARTIAL_OBJECT_METADATA. */
	struct counted *owner;
	const struct type *custom_type;
	const struct structural *custom; /* lib/structural: its schema */
	str list_kind;
	struct cache *cache; /* the storage's own */
};

extern const struct resource api_resources[];
extern const size_t api_resource_count;

/* NULL if there is none. */
const struct resource *resource_find(str group, str version, str plural);
const struct subresource *resource_sub(const struct resource *r, str name);

/* The type of its objects, and of what a subresource takes. */
const struct type *resource_type(const struct resource *r) PURE;
const struct type *resource_sub_type(const struct resource *r, const struct subresource *s) PURE;

static inline void resource_take(const struct resource *r)
{
	if (r->owner)
		counted_take(r->owner);
}

static inline void resource_drop(const struct resource *r)
{
	if (r->owner)
		counted_drop(r->owner);
}
