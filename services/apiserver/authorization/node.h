/*
 * The node authorizer: what kubelets may do. Each has its own objects and those that its pods refer
 * to; all else goes by the rules of the cluster role system:node.
 *
 * Source: plugin/pkg/auth/authorizer/node/node_authorizer.go, with the feature gates of v1.36 as
 * they are by default.
 */
#pragma once

#include "apiserver/authorization/node_graph.h"
#include "apiserver/authorization/rules.h"

/* The node's name if the user is one: "" for a member of system:nodes of another name. Absent for
 * everybody else. */
str node_of(const struct user *u);

/* DECISION_ALLOW or DECISION_NO_OPINION. `reason` may be NULL. */
enum decision node_authorize(struct node_graph *g, struct rule_list node_rules,
	const struct attributes *t, struct buf *reason);
