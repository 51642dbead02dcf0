/*
 * Nodes and the pods that may go there: taints and tolerations, node selectors and node affinity
 * (component-helpers/scheduling/corev1). Threading: any.
 */
#pragma once

#include "api/core_v1.h"

bool taint_tolerated_by(const struct taint *t, const struct toleration *by);

/* By any of the pod's. */
bool taint_tolerated(const struct taint *t, const struct pod_spec *by);

/* The pod's node selector and its required node affinity. */
bool node_suits(const struct node *n, const struct pod_spec *s);

/* An empty term takes no node. */
bool node_meets(const struct node *n, const struct node_selector_term *t);

/* NULL if the pod requires none. */
const struct node_selector *node_affinity_required(const struct pod_spec *s);
