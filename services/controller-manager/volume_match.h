/*
 * Which persistent volume fits a claim.
 *
 * Threading: any. Source: component-helpers/storage/volume/{helpers,pv_helpers}.go,
 * pkg/controller/volume/persistentvolume/index.go.
 */
#pragma once

#include "lib/api/meta.h"

#define BIND_COMPLETED      STR("pv.kubernetes.io/bind-completed")
#define BOUND_BY_CONTROLLER STR("pv.kubernetes.io/bound-by-controller")

/* The names of storage classes; claims without any have an absent one. */
str claim_class(const struct persistent_volume_claim *c);
str volume_class(const struct persistent_volume *v);

/* Bound to the claim, or kept for it. */
bool volume_is_for(const struct persistent_volume *v, const struct persistent_volume_claim *c);
bool volume_mode_differs(
	const struct persistent_volume *v, const struct persistent_volume_claim *c);

/* ERR_INVALID with the reason why a volume that was asked for does not do. */
NODISCARD int volume_check(
	const struct persistent_volume *v, const struct persistent_volume_claim *c, struct err *e);

/* NULL without one. */
const struct quantity *volume_storage(const struct quantity_map *m);

struct volume_wish {
	const struct persistent_volume_claim *claim;
	const struct meta_selector *selector; /* NULL: any labels */
	bool kept_only; /* nothing but what is kept for the claim: others wait for a pod */
};

/* The better of a volume that fits, or NULL, and one more. */
const struct persistent_volume *volume_better(const struct volume_wish *w,
	const struct persistent_volume *best, const struct persistent_volume *v);
