/*
 * LabelSelector of the API (matchLabels, matchExpressions) as a selector that can be matched:
 * LabelSelectorAsSelector and FormatLabelSelector of apimachinery/pkg/apis/meta/v1.
 */
#pragma once

#include "api/meta_v1.h"
#include "lib/value/selector.h"

/* NULL selects nothing: `*nothing`. An empty one selects everything. ERR_INVALID in upstream's
 * words for an operator that is none. */
NODISCARD int label_selector_read(struct arena *a, const struct label_selector *s,
	struct selector *to, bool *nothing, struct err *e);
