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

struct node_graph;

struct node_graph *node_graph_new(void);
void node_graph_free(struct node_graph *g);

/* Puts the pod, as it is now, in the place of the one with its name. */
void node_graph_put_pod(struct node_graph *g, const struct pod *p);
void node_graph_remove_pod(struct node_graph *g, str ns, str name);

void node_graph_put_volume(struct node_graph *g, const struct persistent_volume *v);
void node_graph_remove_volume(struct node_graph *g, str name);

void node_graph_put_attachment(struct node_graph *g, const struct storage_volume_attachment *v);
void node_graph_remove_attachment(struct node_graph *g, str name);

/* Before all of a kind is told anew. */
void node_graph_clear_pods(struct node_graph *g);
void node_graph_clear_volumes(struct node_graph *g);
void node_graph_clear_attachments(struct node_graph *g);

bool node_graph_has_pod(struct node_graph *g, str node, str ns, str name);

/* One of the node's pods refers to it; secrets also through a volume of a claim. */
bool node_graph_has_ref(struct node_graph *g, str node, enum ref_kind kind, str ns, str name);
bool node_graph_has_volume(struct node_graph *g, str node, str name);
bool node_graph_has_attachment(struct node_graph *g, str node, str name);
