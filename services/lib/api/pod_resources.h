/*
 * What a pod asks for and is allowed as a whole: component-helpers/resource. Its containers run
 * together; those that begin run one after another before, beside sidecars, which stay.
 *
 * Lifetimes: results live in the arena, their texts in the pod. Threading: any.
 */
#pragma once

#include "api/core_v1.h"
#include "lib/api/resource_list.h"

enum pod_resource_kind { POD_REQUESTS, POD_LIMITS };

/* What the specs of the containers add up to: their sum, or what the start takes at most. */
struct quantity_map pod_resources_of_containers(
	struct arena *a, const struct pod_spec *s, enum pod_resource_kind kind);

/*
 * The pod's requests or limits: of its containers, of which a resize under way counts as the larger
 * of what was and what will be; in the place of their sum what the pod itself says; with overhead.
 */
struct quantity_map pod_resources(
	struct arena *a, const struct pod *p, enum pod_resource_kind kind);

/* The resources that a pod itself may speak of: cpu, memory, huge pages. */
bool pod_resource_is_pod_level(str name) PURE;

/* Whether the pod itself says something. */
bool pod_resources_at_pod_level(const struct pod *p) PURE;
