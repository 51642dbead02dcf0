/*
 * Taints and conditions of nodes.
 *
 * Source: kubernetes/staging/src/k8s.io/component-helpers/scheduling/corev1,
 * pkg/controller/util/node.
 */
#pragma once

#include "lib/api/node.h"
#include "lib/client/pass.h"

/* Replaces the taints of a node, unless it has changed since `node`. */
NODISCARD int node_set_taints(struct pass *p, const struct node *node, const struct taint *taints,
	size_t count, struct err *e);

const struct taint *node_taint(const struct node *n, str key, str effect);

/* NULL if there is none. */
const struct node_condition *node_condition(const struct node *n, str type);
