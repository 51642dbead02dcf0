/*
 * LimitRanges over decoded objects: plugin/pkg/admission/limitranger.
 */
#pragma once

#include "apiserver/admission/plugin.h"

/* Fills what containers do not say, and notes it in an annotation. */
void limits_apply(struct arena *a, const struct limit_range *l, struct pod *p);

void limits_check_pod(const struct limit_range *l, const struct pod *p, struct admission_faults *f);
void limits_check_claim(const struct limit_range *l, const struct persistent_volume_claim *c,
	struct admission_faults *f);
