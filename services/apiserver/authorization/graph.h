/*
 * What hangs from each node: its pods, what they refer to, volumes bound to their claims. The node
 * authorizer asks it whether an object concerns a node. Upstream keeps a graph with edges towards
 * the nodes; here each node has a list of its pods (some hundred at most), which is walked.
 *
 * Threading: changes from one thread, questions from any. Source: plugin/pkg/auth/authorizer/node.
 */
#pragma once

#include "api/storage_v1.h"
#include "apiserver/authorization/pod_refs.h"

struct graph;

struct graph *graph_new(void);
void graph_free(struct graph *g);

/* Puts the pod, as it is now, in the place of the one with its name. */
void graph_put_pod(struct graph *g, const struct pod *p);
void graph_remove_pod(struct graph *g, str ns, str name);

void graph_put_volume(struct graph *g, const struct persistent_volume *v);
void graph_remove_volume(struct graph *g, str name);

void graph_put_attachment(struct graph *g, const struct storage_volume_attachment *v);
void graph_remove_attachment(struct graph *g, str name);

/* Before all of a kind is told anew. */
void graph_clear_pods(struct graph *g);
void graph_clear_volumes(struct graph *g);
void graph_clear_attachments(struct graph *g);

bool graph_has_pod(struct graph *g, str node, str ns, str name);

/* One of the node's pods refers to it; secrets also through a volume of a claim. */
bool graph_has_ref(struct graph *g, str node, enum ref_kind kind, str ns, str name);
bool graph_has_volume(struct graph *g, str node, str name);
bool graph_has_attachment(struct graph *g, str node, str name);
