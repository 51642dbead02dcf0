#include "apiserver/admission/plugins.h"
#include "apiserver/authorization/node.h"
#include "lib/crypto/cert.h"
#include "lib/value/quote.h"

/* NodeRestriction: what a kubelet writes is its own. What it reads, the node authorizer narrows. */

#define NODE_LEASES "kube-node-lease"

typedef int restriction(
	struct admission *n, const struct admission_attributes *t, str node, struct err *e);

static restriction pod, node_itself, claim, service_account, lease, csi_node, resource_slice, csr;

static const struct {
	const char *group, *resource;
	restriction *check;
} restrictions[] = {
	{"", "pods", pod},
	{"", "nodes", node_itself},
	{"", "persistentvolumeclaims", claim},
	{"", "serviceaccounts", service_account},
	{"coordination.k8s.io", "leases", lease},
	{"storage.k8s.io", "csinodes", csi_node},
	{"resource.k8s.io", "resourceslices", resource_slice},
	{"certificates.k8s.io", "certificatesigningrequests", csr},
};

int node_restriction(struct admission *n, struct admission_attributes *t, struct err *e)
{
	str node = node_of(t->user);
	char name[QUOTE_MAX];

	if (!node.at)
		return 0;
	if (node.len == 0)
		return admission_forbid(
			t, e, "could not determine node from user %s", quote(name, t->user->name));
	for (size_t i = 0; i < COUNT_OF(restrictions); i++)
		if (admission_is(t, restrictions[i].group, restrictions[i].resource))
			return restrictions[i].check(n, t, node, e);
	return 0;
}

static const char *operation_name(enum admission_operation o)
{
	return o == ADMIT_CREATE    ? "CREATE"
		: o == ADMIT_UPDATE ? "UPDATE"
		: o == ADMIT_DELETE ? "DELETE"
				    : "CONNECT";
}

static int unexpected(const struct admission_attributes *t, struct err *e)
{
	return admission_forbid(t, e, "unexpected operation \"%s\"", operation_name(t->operation));
}

static int check_owner(
	struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	const struct pod *p = t->object;
	const struct owner_reference *o = p->metadata.owner_references.at;
	struct node *self;

	if (p->metadata.owner_references.len > 1)
		return admission_forbid(t, e,
			"node \"%.*s\" can only create pods with a single owner reference set to "
			"itself",
			STR_ARG(node));
	if (!o || !str_eq(o->api_version, STR("v1")) || !str_eq(o->kind, STR("Node")) ||
		!str_eq(o->name, node))
		return admission_forbid(t, e,
			"node \"%.*s\" can only create pods with an owner reference set to itself",
			STR_ARG(node));
	if (!o->controller || !*o->controller)
		return admission_forbid(t, e,
			"node \"%.*s\" can only create pods with a controller owner reference set "
			"to itself",
			STR_ARG(node));
	if (o->block_owner_deletion && *o->block_owner_deletion)
		return admission_forbid(t, e,
			"node \"%.*s\" must not set blockOwnerDeletion on an owner reference",
			STR_ARG(node));
	TRY(admission_get(n, t, "", "nodes", (str){NULL, 0}, node, &self, e));
	if (!self)
		return status_not_found(
			t->arena, e, (struct status_subject){STR(""), STR("nodes"), node});
	if (!str_eq(o->uid, self->metadata.uid))
		return admission_forbid(t, e, "node %.*s UID mismatch: expected %.*s got %.*s",
			STR_ARG(node), STR_ARG(o->uid), STR_ARG(self->metadata.uid));
	return 0;
}

static const char *projected_reference(const struct projected_volume_source *s)
{
	for (size_t i = 0; i < s->sources.len; i++) {
		const struct volume_projection *v = &s->sources.at[i];

		if (v->config_map)
			return "configmaps (via projected volumes)";
		if (v->secret)
			return "secrets (via projected volumes)";
		if (v->service_account_token)
			return "serviceaccounts (via projected volumes)";
		if (v->cluster_trust_bundle)
			return "clustertrustbundles";
		if (v->pod_certificate)
			return "podcertificates";
	}
	return NULL;
}

static const char *volume_reference(const struct volume_source *s)
{
	return s->config_map                 ? "configmaps (via configmap volumes)"
		: s->secret                  ? "secrets (via secret volumes)"
		: s->csi                     ? "csidrivers (via CSI volumes)"
		: s->glusterfs               ? "endpoints (via glusterFS volumes)"
		: s->persistent_volume_claim ? "persistentvolumeclaims"
		: s->ephemeral               ? "persistentvolumeclaims (via ephemeral volumes)"
		: s->azure_file              ? "secrets (via azureFile volumes)"
		: s->projected               ? projected_reference(s->projected)
					     : NULL;
}

/* What a pod that stands for a file on its node must not have; NULL if it has none. */
const char *mirror_pod_reference(struct arena *a, const struct pod *p)
{
	static const struct {
		enum ref_kind kind;
		const char *name;
	} kinds[] = {{REF_SERVICE_ACCOUNT, "serviceaccounts"}, {REF_SECRET, "secrets"},
		{REF_CONFIG_MAP, "configmaps"}};
	struct object_refs refs = {.arena = a};

	pod_refs(p, &refs);
	for (size_t k = 0; k < COUNT_OF(kinds); k++)
		for (size_t i = 0; i < refs.len; i++)
			if (refs.at[i].kind == kinds[k].kind)
				return kinds[k].name;
	if (p->spec.resource_claims.len > 0)
		return "resourceclaims";
	for (size_t i = 0; i < p->spec.volumes.len; i++) {
		const char *found = volume_reference(&p->spec.volumes.at[i].volume_source);

		if (found)
			return found;
	}
	return NULL;
}

static int pod_create(
	struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	const struct pod *p = t->object;

	if (!meta_annotation(&p->metadata, STR(MIRROR_POD_ANNOTATION)).at)
		return admission_forbid(t, e,
			"pod does not have \"" MIRROR_POD_ANNOTATION
			"\" annotation, node \"%.*s\" can only create mirror pods",
			STR_ARG(node));
	if (!str_eq(p->spec.node_name, node))
		return admission_forbid(t, e,
			"node \"%.*s\" can only create pods with spec.nodeName set to itself",
			STR_ARG(node));
	TRY(check_owner(n, t, node, e));
	const char *reference = mirror_pod_reference(t->arena, p);

	if (reference)
		return admission_forbid(t, e, "node \"%.*s\" can not create pods that reference %s",
			STR_ARG(node), reference);
	return 0;
}

/* The pod as it is; 404 when there is none. */
static int existing_pod(struct admission *n, const struct admission_attributes *t, str name,
	struct pod **to, struct err *e)
{
	TRY(admission_get(n, t, "", "pods", t->ns, name, to, e));
	if (!*to)
		return status_not_found(
			t->arena, e, (struct status_subject){STR(""), STR("pods"), name});
	return 0;
}

static bool same_labels(const struct str_map *a, const struct str_map *b)
{
	bool same = a->len == b->len;

	for (size_t i = 0; same && i < a->len; i++)
		same = str_eq(a->at[i].key, b->at[i].key) && str_eq(a->at[i].value, b->at[i].value);
	return same;
}

static int pod_status(const struct admission_attributes *t, str node, struct err *e)
{
	const struct pod *old = t->old, *now = t->object;
	size_t claims = now->status.resource_claim_statuses.len;
	bool same = claims == old->status.resource_claim_statuses.len;

	if (t->operation != ADMIT_UPDATE)
		return unexpected(t, e);
	if (!str_eq(old->spec.node_name, node))
		return admission_forbid(t, e,
			"node \"%.*s\" can only update pod status for pods with spec.nodeName set "
			"to itself",
			STR_ARG(node));
	if (!same_labels(&old->metadata.labels, &now->metadata.labels))
		return admission_forbid(t, e,
			"node \"%.*s\" cannot update labels through pod status", STR_ARG(node));
	for (size_t i = 0; same && i < claims; i++)
		same = struct_equal(api_type(API_POD_RESOURCE_CLAIM_STATUS),
			&old->status.resource_claim_statuses.at[i],
			&now->status.resource_claim_statuses.at[i]);
	if (!same)
		return admission_forbid(
			t, e, "node \"%.*s\" cannot update resource claim statues", STR_ARG(node));
	const struct pod_extended_resource_claim_status *x =
		old->status.extended_resource_claim_status;
	const struct pod_extended_resource_claim_status *y =
		now->status.extended_resource_claim_status;

	if (!x != !y ||
		(x && !struct_equal(api_type(API_POD_EXTENDED_RESOURCE_CLAIM_STATUS), x, y)))
		return admission_forbid(t, e,
			"node \"%.*s\" cannot update extended resource claim status",
			STR_ARG(node));
	return 0;
}

static int pod_eviction(
	struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	const struct eviction *v = t->object;
	str name = t->name.len ? t->name : v->metadata.name;
	struct pod *p;

	if (t->operation != ADMIT_CREATE)
		return unexpected(t, e);
	if (name.len == 0)
		return admission_forbid(t, e, "could not determine pod from request data");
	TRY(existing_pod(n, t, name, &p, e));
	if (!str_eq(p->spec.node_name, node))
		return admission_forbid(t, e,
			"node %.*s can only evict pods with spec.nodeName set to itself",
			STR_ARG(node));
	return 0;
}

static int pod(struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	struct pod *p;

	if (str_eq(t->subresource, STR("status")))
		return pod_status(t, node, e);
	if (str_eq(t->subresource, STR("eviction")))
		return pod_eviction(n, t, node, e);
	if (t->subresource.len > 0)
		return admission_forbid(t, e,
			"unexpected pod subresource \"%.*s\", only 'status' and 'eviction' are "
			"allowed",
			STR_ARG(t->subresource));
	if (t->operation == ADMIT_CREATE)
		return pod_create(n, t, node, e);
	if (t->operation != ADMIT_DELETE)
		return admission_forbid(t, e,
			"unexpected operation \"%s\", node \"%.*s\" can only create and delete "
			"mirror pods",
			operation_name(t->operation), STR_ARG(node));
	TRY(existing_pod(n, t, t->name, &p, e));
	if (!str_eq(p->spec.node_name, node))
		return admission_forbid(t, e,
			"node \"%.*s\" can only delete pods with spec.nodeName set to itself",
			STR_ARG(node));
	return 0;
}

static bool in_domain(str domain, const char *suffix)
{
	str s = str_of(suffix);

	return str_eq(domain, s) ||
		(str_ends(domain, s) && domain.at[domain.len - s.len - 1] == '.');
}

bool node_label_is_forbidden(str key)
{
	static const char *const own[] = {"kubernetes.io/hostname", "topology.kubernetes.io/zone",
		"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
		"failure-domain.beta.kubernetes.io/region", "beta.kubernetes.io/instance-type",
		"node.kubernetes.io/instance-type", "kubernetes.io/os", "kubernetes.io/arch",
		"beta.kubernetes.io/os", "beta.kubernetes.io/arch"};
	str name = key, domain = str_cut(&name, '/');

	if (!name.at)
		return false;
	if (in_domain(domain, "node-restriction.kubernetes.io"))
		return true;
	if (!in_domain(domain, "kubernetes.io") && !in_domain(domain, "k8s.io"))
		return false;
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (str_eq(key, str_of(own[i])))
			return false;
	return !in_domain(domain, "kubelet.kubernetes.io") &&
		!in_domain(domain, "node.kubernetes.io");
}

/* Labels that differ and that a kubelet has no say in, between commas; "" if there are none. */
static str forbidden_labels(struct arena *a, const struct str_map *now, const struct str_map *old)
{
	const struct str_map *maps[] = {now, old};
	struct str_list found = {arena_get(a, (now->len + old->len) * sizeof(str) + 1), 0};
	struct buf b;

	for (size_t m = 0; m < COUNT_OF(maps); m++)
		for (size_t i = 0; i < maps[m]->len; i++) {
			str key = maps[m]->at[i].key, other = str_map_get(maps[1 - m], key);

			if ((!other.at || !str_eq(other, maps[m]->at[i].value)) &&
				node_label_is_forbidden(key))
				found.at[found.len++] = key;
		}
	selector_sort(&found);
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < found.len; i++)
		buf_add_fmt(&b, "%s%.*s", i > 0 ? ", " : "", STR_ARG(found.at[i]));
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

static int node_create(const struct admission_attributes *t, str node, struct err *e)
{
	const struct node *o = t->object;
	const struct str_map none = {0};
	str labels = forbidden_labels(t->arena, &o->metadata.labels, &none);

	if (o->spec.config_source)
		return admission_forbid(t, e,
			"node \"%.*s\" is not allowed to create pods with a non-nil configSource",
			STR_ARG(node));
	if (labels.len > 0)
		return admission_forbid(t, e,
			"node \"%.*s\" is not allowed to set the following labels: %.*s",
			STR_ARG(node), STR_ARG(labels));
	return 0;
}

static int node_update(const struct admission_attributes *t, str node, struct err *e)
{
	const struct node *now = t->object, *old = t->old;
	str labels = forbidden_labels(t->arena, &now->metadata.labels, &old->metadata.labels);
	bool taints = now->spec.taints.len == old->spec.taints.len;
	bool owners = now->metadata.owner_references.len == old->metadata.owner_references.len;

	for (size_t i = 0; taints && i < now->spec.taints.len; i++)
		taints = struct_equal(
			api_type(API_TAINT), &now->spec.taints.at[i], &old->spec.taints.at[i]);
	for (size_t i = 0; owners && i < now->metadata.owner_references.len; i++)
		owners = struct_equal(api_type(API_OWNER_REFERENCE),
			&now->metadata.owner_references.at[i],
			&old->metadata.owner_references.at[i]);
	if (now->spec.config_source &&
		(!old->spec.config_source ||
			!struct_equal(api_type(API_NODE_CONFIG_SOURCE), now->spec.config_source,
				old->spec.config_source)))
		return admission_forbid(t, e,
			"node \"%.*s\" is not allowed to update configSource to a new non-nil "
			"configSource",
			STR_ARG(node));
	if (!taints)
		return admission_forbid(
			t, e, "node \"%.*s\" is not allowed to modify taints", STR_ARG(node));
	if (!owners)
		return admission_forbid(t, e,
			"node \"%.*s\" is not allowed to modify ownerReferences", STR_ARG(node));
	if (labels.len > 0)
		return admission_forbid(
			t, e, "is not allowed to modify labels: %.*s", STR_ARG(labels));
	return 0;
}

/* On create the name may stand in the object alone. */
static str name_of(const struct admission_attributes *t)
{
	return t->operation == ADMIT_CREATE && t->object ? meta_of(t->object)->name : t->name;
}

static int node_itself(
	UNUSED struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	str name = name_of(t);

	if (!str_eq(name, node))
		return admission_forbid(t, e,
			"node \"%.*s\" is not allowed to modify node \"%.*s\"", STR_ARG(node),
			STR_ARG(name));
	if (t->operation == ADMIT_CREATE)
		return node_create(t, node, e);
	return t->operation == ADMIT_UPDATE ? node_update(t, node, e) : 0;
}

/* A copy without what a kubelet reports of a claim. */
static void *claim_without_report(struct arena *a, const void *from)
{
	struct persistent_volume_claim *c = object_copy(a, from, false);

	c->metadata.resource_version = (str){NULL, 0};
	c->metadata.managed_fields.len = 0;
	c->status.capacity = (struct quantity_map){0};
	c->status.conditions.len = 0;
	c->status.allocated_resources = (struct quantity_map){0};
	c->status.allocated_resource_statuses = (struct str_map){0};
	return c;
}

static int claim(
	UNUSED struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	if (!str_eq(t->subresource, STR("status")))
		return admission_forbid(t, e, "may only update PVC status");
	if (t->operation != ADMIT_UPDATE)
		return unexpected(t, e);
	if (!object_equal(claim_without_report(t->arena, t->old),
		    claim_without_report(t->arena, t->object)))
		return admission_forbid(t, e,
			"node \"%.*s\" is not allowed to update fields other than status.quantity "
			"and status.conditions",
			STR_ARG(node));
	return 0;
}

static bool mounts_audience(const struct pod *p, str audience)
{
	for (size_t i = 0; i < p->spec.volumes.len; i++) {
		const struct projected_volume_source *s =
			p->spec.volumes.at[i].volume_source.projected;

		for (size_t j = 0; s && j < s->sources.len; j++)
			if (s->sources.at[j].service_account_token &&
				str_eq(s->sources.at[j].service_account_token->audience, audience))
				return true;
	}
	return false;
}

/* Audiences that the pod's volumes ask for, or that a rule allows the node. */
static int check_audience(struct admission *n, const struct admission_attributes *t,
	const struct authentication_token_request *r, const struct pod *p, struct err *e)
{
	str audience = r->spec.audiences.len ? r->spec.audiences.at[0] : STR("");
	struct attributes a = {
		.user = t->user,
		.verb = STR("request-serviceaccounts-token-audience"),
		.is_resource = true,
		.group = STR(""),
		.version = STR("v1"),
		.resource = audience,
		.ns = t->ns,
		.name = t->name,
	};

	if (r->spec.audiences.len > 1)
		return admission_forbid(t, e, "node may only request 0 or 1 audiences");
	if (mounts_audience(p, audience) ||
		authorize(n->options.authorizer, &a, NULL) == DECISION_ALLOW)
		return 0;
	return admission_forbid(t, e,
		"audience \"%.*s\" not found in pod spec volume, %.*s is not authorized to request "
		"tokens for this audience",
		STR_ARG(audience), STR_ARG(t->user->name));
}

static int service_account(
	struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	const struct authentication_token_request *r = t->object;
	const struct authentication_bound_object_reference *ref;
	struct pod *p;

	if (t->operation != ADMIT_CREATE || !str_eq(t->subresource, STR("token")))
		return 0;
	ref = r->spec.bound_object_ref;
	if (!ref || !str_eq(ref->api_version, STR("v1")) || !str_eq(ref->kind, STR("Pod")) ||
		ref->name.len == 0)
		return admission_forbid(t, e, "node requested token not bound to a pod");
	if (ref->uid.len == 0)
		return admission_forbid(
			t, e, "node requested token with a pod binding without a uid");
	TRY(existing_pod(n, t, ref->name, &p, e));
	if (!str_eq(ref->uid, p->metadata.uid))
		return admission_forbid(t, e,
			"the UID in the bound object reference (%.*s) does not match the UID in "
			"record. The object might have been deleted and then recreated",
			STR_ARG(ref->uid));
	if (!str_eq(p->spec.node_name, node))
		return admission_forbid(
			t, e, "node requested token bound to a pod scheduled on a different node");
	return check_audience(n, t, r, p, e);
}

static int lease(
	UNUSED struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	if (!str_eq(t->ns, STR(NODE_LEASES)))
		return admission_forbid(
			t, e, "can only access leases in the \"" NODE_LEASES "\" system namespace");
	if (!str_eq(name_of(t), node))
		return admission_forbid(t, e,
			"can only access node lease with the same name as the requesting node");
	return 0;
}

static int csi_node(
	UNUSED struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	if (!str_eq(name_of(t), node))
		return admission_forbid(
			t, e, "can only access CSINode with the same name as the requesting node");
	return 0;
}

static int resource_slice(
	UNUSED struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	const struct resource_resource_slice *s = t->operation == ADMIT_DELETE ? t->old : t->object;

	if (t->operation != ADMIT_CREATE && t->operation != ADMIT_DELETE)
		return 0;
	if (!s->spec.node_name || !str_eq(*s->spec.node_name, node))
		return admission_forbid(t, e,
			"can only %s ResourceSlice with the same NodeName as the requesting node",
			t->operation == ADMIT_CREATE ? "create" : "delete");
	return 0;
}

/* A certificate that makes somebody a node makes the node itself. */
static int csr(
	UNUSED struct admission *n, const struct admission_attributes *t, str node, struct err *e)
{
	const struct certificates_certificate_signing_request *c = t->object;
	struct cert_request r;
	struct err why;

	if (t->operation != ADMIT_CREATE || t->subresource.len > 0 ||
		(!str_eq(c->spec.signer_name, STR("kubernetes.io/kubelet-serving")) &&
			!str_eq(c->spec.signer_name,
				STR("kubernetes.io/kube-apiserver-client-kubelet"))))
		return 0;
	if (cert_request_read(t->arena, c->spec.request, &r, &why) < 0)
		return admission_forbid(t, e, "unable to parse csr: %s", why.text);
	key_drop(r.key);
	str wanted = arena_fmt(t->arena, USER_NODE_PREFIX "%.*s", STR_ARG(node));

	if (!str_eq(r.subject.common_name, wanted))
		return admission_forbid(
			t, e, "can only create a node CSR with CN=%.*s", STR_ARG(wanted));
	return 0;
}
