/*
 * ttl-controller: nodes are told how long they may keep ConfigMaps and Secrets of their pods
 * before they look anew, the longer the more nodes there are.
 * Source: pkg/controller/ttl/ttl_controller.go.
 */
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"

#include <stdlib.h>

#define TTL_ANNOTATION STR("node.alpha.kubernetes.io/ttl")

/* They overlap, so that a cluster on a boundary does not swing. */
struct size_step {
	size_t nodes_min, nodes_max;
	const char *ttl_s;
};

static const struct size_step steps[] = {
	{0, 100, "0"},
	{90, 500, "15"},
	{450, 1000, "30"},
	{900, 2000, "60"},
	{1800, SIZE_MAX, "300"},
};

struct cluster_size {
	_Atomic size_t step;
	size_t nodes; /* the I/O thread's */
};

static int open_ttl(struct controller_run *r, struct err *e)
{
	r->state = calloc(1, sizeof(struct cluster_size));
	return r->state ? 0 : err_set(e, ERR_SYSTEM, "no memory for ttl-controller");
}

static void node_changed(struct controller_run *r, const void *before, const void *now)
{
	struct cluster_size *c = r->state;
	size_t step = c->step;

	c->nodes += (now != NULL);
	c->nodes -= (before != NULL);
	if (c->nodes > steps[step].nodes_max)
		c->step = step + 1;
	else if (c->nodes < steps[step].nodes_min)
		c->step = step - 1;
	if (now)
		run_enqueue(r, now);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct cluster_size *c = pass_state(p);
	const struct node *n = pass_get(p, API_NODE, STR(""), p->name);
	const char *ttl_s = steps[c->step].ttl_s;

	if (!n || str_eq(meta_annotation(&n->metadata, TTL_ANNOTATION), str_of(ttl_s)))
		return 0;
	str patch = arena_fmt(p->arena, "{\"metadata\":{\"annotations\":{\"%s\":\"%s\"}}}",
		TTL_ANNOTATION.at, ttl_s);

	return pass_ignore_missing(pass_patch(p, n, STR(""), PATCH_STRATEGIC, patch, NULL, e), e);
}

const struct controller ttl_controller = {
	.name = "ttl-controller",
	.account = "ttl-controller",
	.watches = {{API_NODE, node_changed}},
	.works = {{"ttlcontroller", 5, reconcile}},
	.open = open_ttl,
};
