/*
 * One pass of a horizontal pod autoscaler: horizontal.c decides, horizontal_replicas.c asks its
 * metrics, horizontal_records.c keeps what passes remember.
 *
 * Source: pkg/controller/podautoscaler.
 */
#pragma once

#include "controller-manager/controllers.h"
#include "controller-manager/horizontal_math.h"
#include "controller-manager/horizontal_scale.h"
#include "controller-manager/objects.h"

/* What outlives a pass, by autoscaler. */
struct hpa_record {
	struct hpa_record *next;
	struct arena arena; /* of the selector */
	struct hpa_history history;
	str selector_text; /* of the target when last seen; absent: not seen yet */
	struct selector selector;
	str ns, name;
};

struct hpa_pass {
	struct pass *p;
	const struct horizontal_pod_autoscaler *seen;
	struct horizontal_pod_autoscaler *next;
	struct hpa_record *record;
	struct hpa_scale scale;
	int32_t current, min;

	str selector_text; /* as upstream prints it */
	struct selector selector;
	struct object_list pods; /* that it takes */
};

/* --- horizontal.c */

void hpa_condition(struct hpa_pass *h, const char *type, bool truth, const char *reason,
	const char *fmt, ...) PRINTF_LIKE(5, 6);

/* --- horizontal_replicas.c */

/* What the metrics ask for: the most that one of them does. A name of that metric for people; fails
 * if none says anything, or if some do not and there would be fewer replicas. Sets ScalingActive
 * and the status of each metric. */
NODISCARD int hpa_wanted(struct hpa_pass *h, int32_t *replicas, str *metric, struct err *e);

/* --- horizontal_records.c; the run's state */

NODISCARD int hpa_records_open(struct controller_run *r, struct err *e);

/* Made when first asked for; its history is the pass's alone, since a key is worked on once at a
 * time. */
struct hpa_record *hpa_record(struct pass *p);
void hpa_record_drop(struct pass *p);

/* Remembers the target's selector; `*others` are the autoscalers, this one too, that take any of
 * the pods: "[ns/a ns/b]", how many of them is returned. */
size_t hpa_record_selects(struct hpa_pass *h, str *others);
