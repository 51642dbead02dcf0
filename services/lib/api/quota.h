/*
 * What objects count for against a ResourceQuota: which names of its list an object of a resource
 * is counted under, and how much of each. Admission asks for one object, the controller adds up all
 * of a namespace.
 *
 * Every resource is counted as "count/PLURAL.GROUP"; pods, services and claims for more than that
 * (a table in quota.c). Devices of resource claims are counted by claim alone.
 *
 * Lifetimes: results live in the arena, texts in the objects. Threading: any.
 * Source: kubernetes/pkg/quota/v1/evaluator/core, apiserver/pkg/quota/v1/generic.
 */
#pragma once

#include "lib/api/resource.h"
#include "lib/api/resource_list.h"

/* What is counted: objects of one resource. */
struct quota_subject {
	str group, plural;
	int64_t now_s; /* pods past their grace count no more */
};

/* Whether objects of this resource are counted under a name. */
bool quota_counts(const struct quota_subject *s, str name);

/* The entries of `hard` that objects of this resource are counted under. */
struct quantity_map quota_names(
	struct arena *a, const struct quota_subject *s, const struct quantity_map *hard);

/* Whether an object is in the quota's scopes. */
bool quota_in_scope(
	const struct quota_subject *s, const struct resource_quota *q, const void *object);

/* What one object uses. */
struct quantity_map quota_usage(struct arena *a, const struct quota_subject *s, const void *object);

/* Whether every object counts alike, so that metadata of it is enough. */
bool quota_counts_only(const struct quota_subject *s) PURE;

struct quota_resource {
	str group, plural;
};

/* The resource that a name in a quota's list counts; false if it names none that is known. */
bool quota_resource_of(str name, struct quota_resource *to);
