/*
 * One pass of a stateful set: statefulset.c decides, statefulset_pods.c makes pods and their
 * claims.
 *
 * Source: kubernetes/pkg/controller/statefulset.
 */
#pragma once

#include "controller-manager/history.h"
#include "controller-manager/pods.h"

struct stateful {
	struct pass *p;
	const struct stateful_set *seen;
	struct stateful_set_status status;
	struct history history;
	str current, update; /* names of revisions */
	const struct pod_template_spec *current_template, *update_template;
	int32_t start, replicas;
	const struct pod **slots;     /* by ordinal from `start` on; NULL: there is none */
	struct object_list condemned; /* of other ordinals, the largest first */
	bool monotonic, rolling;
};

/* -1: none of a stateful set's names. */
int64_t stateful_ordinal(const struct stateful_set *s, const struct pod *p);

/* With its claims and upstream's events. */
NODISCARD int stateful_create(struct stateful *s, int32_t ordinal, struct err *e);
NODISCARD int stateful_delete(struct stateful *s, const struct pod *pod, struct err *e);

/* Name, labels and volumes are those of its ordinal. */
bool stateful_is_itself(struct stateful *s, const struct pod *pod, int32_t ordinal);
NODISCARD int stateful_mend(
	struct stateful *s, const struct pod *pod, int32_t ordinal, struct err *e);
