#include "apiserver/authorization/node.h"

#include "lib/value/quote.h"

#include <stdarg.h>

#define NODE_LEASES "kube-node-lease"

/* One request of a node. */
struct request {
	struct node_graph *graph;
	str node;
	const struct attributes *t;
	struct buf *reason; /* may be NULL */
};

static enum decision node_own(const struct request *r);
static enum decision pod(const struct request *r);
static enum decision readable_ref(const struct request *r);
static enum decision claim(const struct request *r);
static enum decision volume(const struct request *r);
static enum decision resource_claim(const struct request *r);
static enum decision attachment(const struct request *r);
static enum decision service_account(const struct request *r);
static enum decision lease(const struct request *r);
static enum decision csi_node(const struct request *r);
static enum decision resource_slice(const struct request *r);
static enum decision pod_certificate(const struct request *r);

static const struct {
	const char *group, *resource;
	enum decision (*decide)(const struct request *r);
} subdivided[] = {
	{"", "secrets", readable_ref},
	{"", "configmaps", readable_ref},
	{"", "persistentvolumeclaims", claim},
	{"", "persistentvolumes", volume},
	{"resource.k8s.io", "resourceclaims", resource_claim},
	{"storage.k8s.io", "volumeattachments", attachment},
	{"", "serviceaccounts", service_account},
	{"coordination.k8s.io", "leases", lease},
	{"storage.k8s.io", "csinodes", csi_node},
	{"resource.k8s.io", "resourceslices", resource_slice},
	{"", "nodes", node_own},
	{"", "pods", pod},
	{"certificates.k8s.io", "podcertificaterequests", pod_certificate},
};

str node_of(const struct user *u)
{
	str prefix = STR(USER_NODE_PREFIX);

	if (!str_starts(u->name, prefix) || !user_in_group(u, STR(GROUP_NODES)))
		return (str){NULL, 0};
	return str_slice(u->name, prefix.len, u->name.len);
}

enum decision node_authorize(struct node_graph *g, struct rule_list node_rules,
	const struct attributes *t, struct buf *reason)
{
	struct request r = {g, node_of(t->user), t, reason};

	if (!r.node.at)
		return DECISION_NO_OPINION;
	if (r.node.len == 0) {
		if (reason) {
			buf_add_str(reason, STR("unknown node for user "));
			quote_put(reason, t->user->name);
		}
		return DECISION_NO_OPINION;
	}
	for (size_t i = 0; t->is_resource && i < COUNT_OF(subdivided); i++)
		if (str_eq(t->group, str_of(subdivided[i].group)) &&
			str_eq(t->resource, str_of(subdivided[i].resource)))
			return subdivided[i].decide(&r);
	for (size_t i = 0; i < node_rules.len; i++)
		if (rule_allows(&node_rules.at[i], t))
			return DECISION_ALLOW;
	return DECISION_NO_OPINION;
}

PRINTF_LIKE(2, 3)
static enum decision no(const struct request *r, const char *fmt, ...)
{
	va_list args;
	char text[512];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (r->reason)
		buf_add_str(r->reason, str_of(text));
	return DECISION_NO_OPINION;
}

/* Whether the verb is one of a list between blanks. */
static bool is_one_of(str verb, const char *verbs)
{
	for (str rest = str_of(verbs); rest.at;)
		if (str_eq(str_cut(&rest, ' '), verb))
			return true;
	return false;
}

static enum decision related(const struct request *r, bool found)
{
	if (r->t->name.len == 0)
		return no(r, "No Object name found");
	if (!found)
		return no(r, "no relationship found between node '%.*s' and this object",
			STR_ARG(r->node));
	return DECISION_ALLOW;
}

static bool has_ref(const struct request *r, enum ref_kind kind)
{
	return node_graph_has_ref(r->graph, r->node, kind, r->t->ns, r->t->name);
}

/* Get, of one object, no subresource. */
static enum decision gettable(const struct request *r, bool found)
{
	if (!str_eq(r->t->verb, STR("get")))
		return no(r, "can only get individual resources of this type");
	if (r->t->subresource.len > 0)
		return no(r, "cannot get subresource");
	return related(r, found);
}

static enum decision readable(const struct request *r, bool found)
{
	if (!is_one_of(r->t->verb, "get list watch"))
		return no(r, "can only read resources of this type");
	if (r->t->subresource.len > 0)
		return no(r, "cannot read subresource");
	if (r->t->ns.len == 0)
		return no(r, "can only read namespaced object of this type");
	return related(r, found);
}

/* The request is narrowed to what lies on this node. */
static bool selects_node(const struct request *r, const char *field)
{
	const struct selector *s = r->t->fields;

	for (size_t i = 0; s && i < s->len; i++)
		if (s->at[i].op == SELECTOR_EQUALS && str_eq(s->at[i].key, str_of(field)) &&
			str_eq(s->at[i].values.at[0], r->node))
			return true;
	return false;
}

static enum decision readable_ref(const struct request *r)
{
	bool secret = str_eq(r->t->resource, STR("secrets"));

	return readable(r, has_ref(r, secret ? REF_SECRET : REF_CONFIG_MAP));
}

static enum decision claim(const struct request *r)
{
	bool found = has_ref(r, REF_CLAIM);

	if (!str_eq(r->t->subresource, STR("status")))
		return gettable(r, found);
	if (!is_one_of(r->t->verb, "update patch"))
		return no(r, "can only get/update/patch this type");
	return related(r, found);
}

static enum decision volume(const struct request *r)
{
	return gettable(r, node_graph_has_volume(r->graph, r->node, r->t->name));
}

static enum decision resource_claim(const struct request *r)
{
	return gettable(r, has_ref(r, REF_RESOURCE_CLAIM));
}

static enum decision attachment(const struct request *r)
{
	return gettable(r, node_graph_has_attachment(r->graph, r->node, r->t->name));
}

static enum decision service_account(const struct request *r)
{
	bool found = has_ref(r, REF_SERVICE_ACCOUNT);

	if (str_eq(r->t->verb, STR("get")) && r->t->subresource.len == 0)
		return readable(r, found);
	if (!str_eq(r->t->verb, STR("create")) || r->t->name.len == 0)
		return no(r, "can only create tokens for individual service accounts");
	if (!str_eq(r->t->subresource, STR("token")))
		return no(r, "can only create token subresource of serviceaccount");
	return related(r, found);
}

/* Nobody knows the name on create: the plugin NodeRestriction checks it then. */
static enum decision lease(const struct request *r)
{
	if (!is_one_of(r->t->verb, "get create update patch delete"))
		return no(r, "can only get, create, update, patch, or delete a node lease");
	if (!str_eq(r->t->ns, STR(NODE_LEASES)))
		return no(r, "can only access leases in the \"" NODE_LEASES "\" system namespace");
	if (!str_eq(r->t->verb, STR("create")) && !str_eq(r->t->name, r->node))
		return no(
			r, "can only access node lease with the same name as the requesting node");
	return DECISION_ALLOW;
}

static enum decision csi_node(const struct request *r)
{
	if (!is_one_of(r->t->verb, "get create update patch delete"))
		return no(r, "can only get, create, update, patch, or delete a CSINode");
	if (r->t->subresource.len > 0)
		return no(r, "cannot authorize CSINode subresources");
	if (!str_eq(r->t->verb, STR("create")) && !str_eq(r->t->name, r->node))
		return no(r, "can only access CSINode with the same name as the requesting node");
	return DECISION_ALLOW;
}

/* Slices are not served yet, so that none belongs to a node. */
static enum decision resource_slice(const struct request *r)
{
	if (r->t->subresource.len > 0)
		return no(r, "cannot authorize ResourceSlice subresources");
	if (str_eq(r->t->verb, STR("create")))
		return DECISION_ALLOW;
	if (is_one_of(r->t->verb, "get update patch delete"))
		return related(r, false);
	if (!is_one_of(r->t->verb, "watch list deletecollection"))
		return no(r,
			"only the following verbs are allowed for a ResourceSlice: get, watch, "
			"list, "
			"create, update, patch, delete, deletecollection");
	if (selects_node(r, "spec.nodeName"))
		return DECISION_ALLOW;
	return no(r,
		"can only list/watch/deletecollection resourceslices with nodeName field selector");
}

static enum decision node_own(const struct request *r)
{
	const struct attributes *t = r->t;

	if (str_eq(t->subresource, STR("status")))
		return is_one_of(t->verb, "update patch") ? DECISION_ALLOW : DECISION_NO_OPINION;
	if (t->subresource.len > 0)
		return DECISION_NO_OPINION;
	if (is_one_of(t->verb, "create update patch"))
		return DECISION_ALLOW;
	if (!is_one_of(t->verb, "get list watch"))
		return DECISION_NO_OPINION;
	if (str_eq(t->name, r->node))
		return DECISION_ALLOW;
	if (t->name.len == 0)
		return no(r, "node '%.*s' cannot read all nodes, only its own Node object",
			STR_ARG(r->node));
	return no(r, "node '%.*s' cannot read '%.*s', only its own Node object", STR_ARG(r->node),
		STR_ARG(t->name));
}

/* What a node writes of pods is narrowed to its own by the plugin NodeRestriction. */
static enum decision pod(const struct request *r)
{
	const struct attributes *t = r->t;
	bool found = node_graph_has_pod(r->graph, r->node, t->ns, t->name);

	if (str_eq(t->subresource, STR("status")) && is_one_of(t->verb, "update patch"))
		return DECISION_ALLOW;
	if (str_eq(t->subresource, STR("eviction")) && str_eq(t->verb, STR("create")))
		return DECISION_ALLOW;
	if (t->subresource.len > 0)
		return DECISION_NO_OPINION;
	if (str_eq(t->verb, STR("get")))
		return gettable(r, found);
	if (is_one_of(t->verb, "create delete"))
		return DECISION_ALLOW;
	if (!is_one_of(t->verb, "list watch"))
		return DECISION_NO_OPINION;
	if (selects_node(r, "spec.nodeName"))
		return DECISION_ALLOW;
	if (t->name.len > 0)
		return related(r, found);
	return no(r, "can only list/watch pods with spec.nodeName field selector");
}

/* Its feature gate is off by default. */
static enum decision pod_certificate(UNUSED const struct request *r)
{
	return DECISION_NO_OPINION;
}
