/*
 * One pass of a daemon set: daemonset.c decides, daemonset_nodes.c tells on which nodes its pods
 * belong.
 *
 * Source: kubernetes/pkg/controller/daemon.
 */
#pragma once

#include "controller-manager/history.h"
#include "controller-manager/pods.h"
#include "lib/client/expectations.h"

struct daemon_pass {
	struct pass *p;
	struct expectations *expectations;
	const struct daemon_set *seen;
	struct history history;
	str hash; /* of the present template */
	struct object_list pods;
};

/* Whether a pod of the set should be made for the node, and whether one there may stay. */
void daemon_wanted_on(const struct daemon_set *s, const struct node *n, bool *make, bool *keep);

/* The node that a pod is on or made for; absent if it cannot be told. */
str daemon_node_of(const struct pod *p);

/* A pod for this node: bound to it by affinity, tolerating what a daemon must. */
struct pod *daemon_pod_for(struct daemon_pass *d, const struct node *n);
