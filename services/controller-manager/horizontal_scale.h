/*
 * What is scaled: any resource that has a scale subresource, by its kind.
 *
 * Lifetimes: the pass's. Source: client-go/scale, apimachinery/pkg/api/meta/restmapper.go.
 */
#pragma once

#include "lib/client/pass.h"

struct hpa_scale {
	str path;
	struct autoscaling_v1_scale *object; /* as the server has it */
};

/* The resource of a kind, of those that are built in or of what the server serves now;
 * ERR_NOT_FOUND in upstream's words. */
NODISCARD int hpa_find_resource(
	struct pass *p, str api_version, str kind, const struct resource **to, struct err *e);

NODISCARD int hpa_scale_get(struct pass *p, const struct cross_version_object_reference *of,
	struct hpa_scale *to, struct err *e);

/* Whoever changed the target in between is overruled, as upstream does. */
NODISCARD int hpa_scale_put(struct pass *p, struct hpa_scale *s, int32_t replicas, struct err *e);
