/*
 * node-ipam-controller: every node is given a range of pod addresses of each family, cut from
 * --cluster-cidr.
 * Source: pkg/controller/nodeipam, its RangeAllocator.
 */
#include "controller-manager/cidr_set.h"
#include "controller-manager/controllers.h"
#include "lib/base/log.h"
#include "lib/client/pass.h"
#include "lib/codec/json.h"

#include <stdlib.h>

enum { FAMILIES_MAX = 2, NODE_BITS_IPV4 = 24, NODE_BITS_IPV6 = 64 };

struct allocator {
	struct cidr_set sets[FAMILIES_MAX];
	size_t count;
};

/* The ranges of a comma-separated list. */
static int read_ranges(str list, struct cidr to[FAMILIES_MAX], size_t *count, struct err *e)
{
	*count = 0;
	while (list.len > 0) {
		str one = str_cut(&list, ',');

		if (*count == FAMILIES_MAX)
			return err_set(e, ERR_INVALID,
				"length of clusterCIDRs is more than max allowed of %d",
				FAMILIES_MAX);
		TRY(cidr_parse(one, &to[(*count)++], e));
	}
	return 0;
}

/* What one family's flag says where several families have one each. */
static int node_bits(const struct settings *s, const struct cidr *cluster, bool dual, unsigned *to,
	struct err *e)
{
	int64_t own = cluster->ipv6 ? s->node_cidr_mask_size_ipv6 : s->node_cidr_mask_size_ipv4;
	int64_t other = cluster->ipv6 ? s->node_cidr_mask_size_ipv4 : s->node_cidr_mask_size_ipv6;

	if (s->node_cidr_mask_size != 0 && dual)
		return err_set(e, ERR_INVALID,
			"usage of --node-cidr-mask-size is not allowed with dual-stack clusters");
	if (s->node_cidr_mask_size != 0 && (own != 0 || other != 0))
		return err_set(e, ERR_INVALID,
			"usage of --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 is not "
			"allowed if --node-cidr-mask-size is set. For dual-stack clusters please "
			"unset it and use IPFamily specific flags");
	if (other != 0 && !dual)
		return err_set(e, ERR_INVALID,
			"usage of --node-cidr-mask-size-ipv%d is not allowed for a single-stack "
			"IPv%d cluster",
			cluster->ipv6 ? 4 : 6, cluster->ipv6 ? 6 : 4);
	if (own == 0)
		own = s->node_cidr_mask_size;
	if (own == 0)
		own = cluster->ipv6 ? NODE_BITS_IPV6 : NODE_BITS_IPV4;
	*to = own < 0 || own > INT32_MAX ? INT32_MAX : (unsigned)own;
	return 0;
}

/* Addresses of services are nobody's of pods. */
static int leave_out_services(struct allocator *l, const struct settings *s, struct err *e)
{
	struct cidr services[FAMILIES_MAX];
	size_t count;

	TRY(read_ranges(s->service_cluster_ip_range, services, &count, e));
	for (size_t i = 0; i < count; i++) {
		for (size_t n = 0; n < l->count; n++) {
			if (cidr_overlap(&l->sets[n].cluster, &services[i]))
				TRY(cidr_set_occupy(&l->sets[n], &services[i], e));
		}
	}
	return 0;
}

static int open_sets(struct allocator *l, const struct settings *s, struct err *e)
{
	struct cidr clusters[FAMILIES_MAX];
	size_t count;

	TRY(read_ranges(s->cluster_cidr, clusters, &count, e));
	if (count == 0)
		return err_set(e, ERR_INVALID,
			"Controller: Must specify --cluster-cidr if --allocate-node-cidrs is set");
	if (count == FAMILIES_MAX && clusters[0].ipv6 == clusters[1].ipv6)
		return err_set(e, ERR_INVALID,
			"len of ClusterCIDRs==2 and they are not configured as dual stack (at "
			"least one from each IPFamily");
	for (size_t i = 0; i < count; i++) {
		unsigned bits;

		TRY(node_bits(s, &clusters[i], count > 1, &bits, e));
		TRY(cidr_set_init(&l->sets[i], &clusters[i], bits, e));
		l->count++;
	}
	return leave_out_services(l, s, e);
}

static int open_allocator(struct controller_run *r, struct err *e)
{
	struct allocator *l = calloc(1, sizeof(*l));

	if (!l)
		return err_set(e, ERR_SYSTEM, "no memory for node-ipam-controller");
	r->state = l;
	return open_sets(l, r->env.settings, e);
}

static int each_range(struct allocator *l, const struct node *n,
	int (*put)(struct cidr_set *s, const struct cidr *c, struct err *e), struct err *e)
{
	for (size_t i = 0; i < n->spec.pod_cidrs.len; i++) {
		struct cidr c;

		TRY(cidr_parse(n->spec.pod_cidrs.at[i], &c, e));
		if (i >= l->count)
			return err_set(e, ERR_INVALID,
				"node:%.*s has an allocated cidr: %.*s at index:%zu that does not "
				"exist in cluster cidrs configuration",
				STR_ARG(n->metadata.name), STR_ARG(n->spec.pod_cidrs.at[i]), i);
		if (put(&l->sets[i], &c, e) < 0)
			return err_context(e, "range of a node");
	}
	return 0;
}

/* What nodes have is taken before the first node is given anything. */
static int occupy_all(struct controller_run *r, struct err *e)
{
	struct view *nodes = informer_view(informers_of(r->env.informers, API_NODE));
	struct view_walk all = view_all(nodes, (str){NULL, 0});
	int done = 0;

	for (const struct node *n; done == 0 && (n = view_next(&all));)
		done = each_range(r->state, n, cidr_set_occupy, e);
	view_drop(nodes);
	return done;
}

static void node_changed(struct controller_run *r, const void *before, const void *now)
{
	struct err e;

	if (now)
		run_enqueue(r, now);
	else if (each_range(r->state, before, cidr_set_release, &e) < 0)
		log_warning("a node's range could not be given back: %s", e.text);
}

static void give_back(struct allocator *l, const struct cidr *taken, size_t count)
{
	struct err e;

	for (size_t i = 0; i < count; i++) {
		if (cidr_set_release(&l->sets[i], &taken[i], &e) < 0)
			log_warning("a range could not be given back: %s", e.text);
	}
}

/* Only as it was read: what has a range already keeps it. */
static str range_patch(
	struct pass *p, const struct node *n, const struct cidr *ranges, size_t count)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\"metadata\":{\"resourceVersion\":"));
	json_put_str(&b, n->metadata.resource_version);
	buf_add_fmt(&b, "},\"spec\":{\"podCIDR\":\"%.*s\",\"podCIDRs\":[",
		STR_ARG(cidr_text(p->arena, &ranges[0])));
	for (size_t i = 0; i < count; i++)
		buf_add_fmt(
			&b, "%s\"%.*s\"", i ? "," : "", STR_ARG(cidr_text(p->arena, &ranges[i])));
	buf_add_str(&b, STR("]}}"));
	str patch = arena_str(p->arena, buf_str(&b));

	buf_free(&b);
	return patch;
}

static void tell(struct pass *p, const struct node *n, const char *reason)
{
	pass_event(p, n, reason, "Node %.*s status is now: %s", STR_ARG(n->metadata.name), reason);
}

/* A range may be lost for this process when nobody knows whether the node was given it. */
static int assign(struct pass *p, const struct node *n, const struct cidr *ranges, struct err *e)
{
	struct allocator *l = pass_state(p);
	str patch = range_patch(p, n, ranges, l->count);

	if (pass_patch(p, n, STR(""), PATCH_STRATEGIC, patch, NULL, e) == 0)
		return 0;
	switch (e->kind) {
	case ERR_CONFLICT:
	case ERR_NOT_FOUND: give_back(l, ranges, l->count); return pass_ignore_missing(-1, e);
	case ERR_INVALID:
	case ERR_FORBIDDEN: give_back(l, ranges, l->count); break;
	default: break;
	}
	tell(p, n, "CIDRAssignmentFailed");
	return -1;
}

static int reconcile(struct pass *p, struct err *e)
{
	struct allocator *l = pass_state(p);
	const struct node *n = pass_get(p, API_NODE, STR(""), p->name);
	struct cidr ranges[FAMILIES_MAX];

	if (!n || n->metadata.deletion_timestamp)
		return 0;
	if (n->spec.pod_cidrs.len > 0)
		return each_range(l, n, cidr_set_occupy, e);
	for (size_t i = 0; i < l->count; i++) {
		if (cidr_set_take(&l->sets[i], &ranges[i], e) < 0) {
			give_back(l, ranges, i);
			tell(p, n, "CIDRNotAvailable");
			return err_context(e, "failed to allocate cidr from cluster cidr");
		}
	}
	return assign(p, n, ranges, e);
}

const struct controller node_ipam_controller = {
	.name = "node-ipam-controller",
	.account = "node-controller",
	.component = "cidrAllocator",
	.watches = {{API_NODE, node_changed}},
	.works = {{"cidrallocator_node", 5, reconcile}},
	.open = open_allocator,
	.start = occupy_all,
};
