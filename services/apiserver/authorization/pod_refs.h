/*
 * Objects that a pod refers to by name, in its namespace: what its node may read, and what a mirror
 * pod must not have. References through others (a claim's volume, its secrets) are not followed.
 *
 * Source: pkg/api/v1/pod VisitPodSecretNames, VisitPodConfigmapNames;
 * pkg/api/v1/persistentvolume VisitPVSecretNames.
 */
#pragma once

#include "api/core_v1.h"
#include "lib/base/arena.h"

enum ref_kind {
	REF_SECRET,
	REF_CONFIG_MAP,
	REF_CLAIM,
	REF_RESOURCE_CLAIM,
	REF_SERVICE_ACCOUNT,
};

/* `ns` is absent for the pod's own. */
struct object_ref {
	enum ref_kind kind;
	str ns, name;
};

struct object_refs {
	struct arena *arena;
	struct object_ref *at;
	size_t len, cap;
};

/* Adds them; texts borrow from the object or lie in the arena. */
void pod_refs(const struct pod *p, struct object_refs *to);

/* Secrets that a kubelet needs to mount the volume. */
void volume_refs(const struct persistent_volume *v, struct object_refs *to);
