/*
 * Conditions of CustomResourceDefinitions (apiextensions-apiserver/pkg/apihelpers).
 *
 * Ownership: what is added lives in the arena. Threading: the object's.
 */
#pragma once

#include "api/kinds.h"
#include "lib/base/clock.h"

struct crd_custom_resource_definition_condition *crd_condition(
	const struct crd_custom_resource_definition *crd, str type);
bool crd_condition_true(const struct crd_custom_resource_definition *crd, str type);

/* Adds or replaces; the time is that of the last change of status. True if anything changed. */
bool crd_set_condition(struct arena *a, struct crd_custom_resource_definition *crd,
	const struct clock *clock, const struct crd_custom_resource_definition_condition *c);
bool crd_remove_condition(struct crd_custom_resource_definition *crd, str type);
