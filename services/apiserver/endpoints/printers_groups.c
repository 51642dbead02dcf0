/*
 * Rows of the small groups: networking, discovery, RBAC, certificates, storage and the like.
 */
#include "apiserver/endpoints/printers.h"

#include "api/kinds.h"
#include "lib/value/selector.h"

enum { SHOWN_MAX = 3 };

static const struct column ingress_columns[] = {COLUMN_NAME, {"Class", "string", NULL, 0},
	{"Hosts", "string", NULL, 0}, {"Address", "string", NULL, 0}, {"Ports", "string", NULL, 0},
	COLUMN_AGE, COLUMNS_END};
static const struct column ingress_class_columns[] = {COLUMN_NAME,
	{"Controller", "string", NULL, 0}, {"Parameters", "string", NULL, 0}, COLUMN_AGE,
	COLUMNS_END};
static const struct column slice_columns[] = {COLUMN_NAME, {"AddressType", "string", NULL, 0},
	{"Ports", "string", NULL, 0}, {"Endpoints", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column network_policy_columns[] = {
	COLUMN_NAME, {"Pod-Selector", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column webhook_columns[] = {
	COLUMN_NAME, {"Webhooks", "integer", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column binding_columns[] = {COLUMN_NAME, {"Role", "string", NULL, 0},
	COLUMN_AGE, {"Users", "string", NULL, 1}, {"Groups", "string", NULL, 1},
	{"ServiceAccounts", "string", NULL, 1}, COLUMNS_END};
static const struct column csr_columns[] = {COLUMN_NAME, COLUMN_AGE,
	{"SignerName", "string", NULL, 0}, {"Requestor", "string", NULL, 0},
	{"RequestedDuration", "string", NULL, 0}, {"Condition", "string", NULL, 0}, COLUMNS_END};
static const struct column lease_columns[] = {
	COLUMN_NAME, {"Holder", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column storage_class_columns[] = {COLUMN_NAME,
	{"Provisioner", "string", NULL, 0}, {"ReclaimPolicy", "string", NULL, 0},
	{"VolumeBindingMode", "string", NULL, 0}, {"AllowVolumeExpansion", "string", NULL, 0},
	COLUMN_AGE, COLUMNS_END};
static const struct column priority_columns[] = {COLUMN_NAME, {"Value", "integer", NULL, 0},
	{"Global-Default", "boolean", NULL, 0}, COLUMN_AGE, {"PreemptionPolicy", "string", NULL, 0},
	COLUMNS_END};
static const struct column runtime_class_columns[] = {
	COLUMN_NAME, {"Handler", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column cidr_columns[] = {
	COLUMN_NAME, {"CIDRs", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column address_columns[] = {
	COLUMN_NAME, {"ParentRef", "string", NULL, 0}, COLUMNS_END};

static const struct column api_service_columns[] = {COLUMN_NAME, {"Service", "string", NULL, 0},
	{"Available", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};

static void print_ingress(struct cells *c, const void *object);
static void print_ingress_class(struct cells *c, const void *object);
static void print_slice(struct cells *c, const void *object);
static void print_network_policy(struct cells *c, const void *object);
static void print_role_binding(struct cells *c, const void *object);
static void print_cluster_role_binding(struct cells *c, const void *object);
static void print_validating_webhooks(struct cells *c, const void *object);
static void print_mutating_webhooks(struct cells *c, const void *object);
static void print_csr(struct cells *c, const void *object);
static void print_lease(struct cells *c, const void *object);
static void print_storage_class(struct cells *c, const void *object);
static void print_priority_class(struct cells *c, const void *object);
static void print_runtime_class(struct cells *c, const void *object);
static void print_cidr(struct cells *c, const void *object);
static void print_address(struct cells *c, const void *object);
static void print_api_service(struct cells *c, const void *object);

const struct printer printers_groups[] = {
	{API_ADMISSION_VALIDATING_WEBHOOK_CONFIGURATION, webhook_columns,
		print_validating_webhooks},
	{API_ADMISSION_MUTATING_WEBHOOK_CONFIGURATION, webhook_columns, print_mutating_webhooks},
	{API_INGRESS, ingress_columns, print_ingress},
	{API_INGRESS_CLASS, ingress_class_columns, print_ingress_class},
	{API_SLICE_ENDPOINT_SLICE, slice_columns, print_slice},
	{API_NETWORK_POLICY, network_policy_columns, print_network_policy},
	{API_RBAC_ROLE_BINDING, binding_columns, print_role_binding},
	{API_RBAC_CLUSTER_ROLE_BINDING, binding_columns, print_cluster_role_binding},
	{API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, csr_columns, print_csr},
	{API_LEASE, lease_columns, print_lease},
	{API_STORAGE_STORAGE_CLASS, storage_class_columns, print_storage_class},
	{API_PRIORITY_CLASS, priority_columns, print_priority_class},
	{API_NODE_RUNTIME_CLASS, runtime_class_columns, print_runtime_class},
	{API_SERVICE_CIDR, cidr_columns, print_cidr},
	{API_IP_ADDRESS, address_columns, print_address},
	{API_APIREGISTRATION_API_SERVICE, api_service_columns, print_api_service},
	{.print = NULL},
};

/* The first few of many. */
struct few {
	struct buf text;
	size_t count;
};

static void few_add(struct few *f, str text)
{
	if (f->count++ < SHOWN_MAX)
		buf_add_fmt(&f->text, "%s%.*s", f->count > 1 ? "," : "", STR_ARG(text));
}

static void cell_few(struct cells *c, struct few *f, const char *otherwise)
{
	if (f->count > SHOWN_MAX)
		buf_add_fmt(&f->text, " + %zu more...", f->count - SHOWN_MAX);
	cell_text(c, f->count ? buf_str(&f->text) : str_of(otherwise));
	buf_free(&f->text);
}

static void few_init(struct few *f)
{
	f->count = 0;
	buf_init(&f->text, BUF_NO_LIMIT);
}

static void cell_default_name(struct cells *c, const struct object_meta *m, const char *annotation)
{
	bool is_default = str_eq(str_map_get(&m->annotations, str_of(annotation)), STR("true"));

	cell_fmt(c, "%.*s%s", STR_ARG(m->name), is_default ? " (default)" : "");
}

static void print_validating_webhooks(struct cells *c, const void *object)
{
	const struct admission_validating_webhook_configuration *w = object;

	cell_text(c, w->metadata.name);
	cell_number(c, (int64_t)w->webhooks.len);
	cell_age(c, &w->metadata.creation_timestamp);
}

static void print_mutating_webhooks(struct cells *c, const void *object)
{
	const struct admission_mutating_webhook_configuration *w = object;

	cell_text(c, w->metadata.name);
	cell_number(c, (int64_t)w->webhooks.len);
	cell_age(c, &w->metadata.creation_timestamp);
}

/* --- networking */

static void print_ingress(struct cells *c, const void *object)
{
	const struct ingress *in = object;
	str old = str_map_get(&in->metadata.annotations, STR("kubernetes.io/ingress.class"));
	struct few hosts;
	struct str_list addresses = {
		.at = arena_get(
			c->arena, (in->status.load_balancer.ingress.len + 1) * sizeof(str))};
	struct buf b;

	cell_text(c, in->metadata.name);
	if (in->spec.ingress_class_name)
		cell_text(c, *in->spec.ingress_class_name);
	else
		cell_text_or_none(c, old);
	few_init(&hosts);
	for (size_t i = 0; i < in->spec.rules.len; i++)
		if (in->spec.rules.at[i].host.len)
			few_add(&hosts, in->spec.rules.at[i].host);
	cell_few(c, &hosts, "*");
	for (size_t i = 0; i < in->status.load_balancer.ingress.len; i++) {
		const struct ingress_load_balancer_ingress *a =
			&in->status.load_balancer.ingress.at[i];

		addresses.at[addresses.len++] = a->ip.len ? a->ip : a->hostname;
	}
	selector_sort(&addresses);
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < addresses.len; i++)
		buf_add_fmt(&b, "%s%.*s", i ? "," : "", STR_ARG(addresses.at[i]));
	cell_text(c, buf_str(&b));
	buf_free(&b);
	cell_text(c, in->spec.tls.len ? STR("80, 443") : STR("80"));
	cell_age(c, &in->metadata.creation_timestamp);
}

static void print_ingress_class(struct cells *c, const void *object)
{
	const struct ingress_class *i = object;
	const struct ingress_class_parameters_reference *p = i->spec.parameters;

	cell_default_name(c, &i->metadata, "ingressclass.kubernetes.io/is-default-class");
	cell_text(c, i->spec.controller);
	if (!p)
		cell_text(c, STR("<none>"));
	else if (p->api_group)
		cell_fmt(c, "%.*s.%.*s/%.*s", STR_ARG(p->kind), STR_ARG(*p->api_group),
			STR_ARG(p->name));
	else
		cell_fmt(c, "%.*s/%.*s", STR_ARG(p->kind), STR_ARG(p->name));
	cell_age(c, &i->metadata.creation_timestamp);
}

static void print_slice(struct cells *c, const void *object)
{
	const struct slice_endpoint_slice *s = object;
	struct few ports, endpoints;

	few_init(&ports);
	few_init(&endpoints);
	for (size_t i = 0; i < s->ports.len; i++) {
		const struct slice_endpoint_port *p = &s->ports.at[i];

		few_add(&ports,
			p->port           ? arena_fmt(c->arena, "%d", (int)*p->port)
				: p->name ? *p->name
					  : STR("*"));
	}
	for (size_t i = 0; i < s->endpoints.len; i++)
		for (size_t k = 0; k < s->endpoints.at[i].addresses.len; k++)
			few_add(&endpoints, s->endpoints.at[i].addresses.at[k]);
	cell_text(c, s->metadata.name);
	cell_text(c, s->address_type);
	cell_few(c, &ports, "<unset>");
	cell_few(c, &endpoints, "<unset>");
	cell_age(c, &s->metadata.creation_timestamp);
}

static void print_network_policy(struct cells *c, const void *object)
{
	const struct network_policy *p = object;

	cell_text(c, p->metadata.name);
	cell_selector(c, &p->spec.pod_selector);
	cell_age(c, &p->metadata.creation_timestamp);
}

static void print_cidr(struct cells *c, const void *object)
{
	const struct service_cidr *s = object;

	cell_text(c, s->metadata.name);
	cell_joined(c, &s->spec.cidrs);
	cell_age(c, &s->metadata.creation_timestamp);
}

static void print_address(struct cells *c, const void *object)
{
	const struct ip_address *i = object;
	const struct parent_reference *p = i->spec.parent_ref;

	cell_text(c, i->metadata.name);
	if (p)
		cell_fmt(c, "%.*s%s%.*s%s%.*s/%.*s", STR_ARG(p->resource), p->group.len ? "." : "",
			STR_ARG(p->group), p->namespace.len ? "/" : "", STR_ARG(p->namespace),
			STR_ARG(p->name));
	else
		cell_text(c, STR("<none>"));
	cell_age(c, &i->metadata.creation_timestamp); /* upstream sends it, too, without a column */
}

/* --- RBAC */

static void cell_subjects(
	struct cells *c, const struct rbac_subject *at, size_t len, const char *kind)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < len; i++) {
		if (!str_eq(at[i].kind, str_of(kind)))
			continue;
		if (b.len)
			buf_add_str(&b, STR(", "));
		if (at[i].namespace.len)
			buf_add_fmt(&b, "%.*s/", STR_ARG(at[i].namespace));
		buf_add_str(&b, at[i].name);
	}
	cell_text(c, buf_str(&b));
	buf_free(&b);
}

static void print_binding(struct cells *c, const struct object_meta *m,
	const struct rbac_role_ref *role, const struct rbac_subject *at, size_t len)
{
	cell_text(c, m->name);
	cell_fmt(c, "%.*s/%.*s", STR_ARG(role->kind), STR_ARG(role->name));
	cell_age(c, &m->creation_timestamp);
	cell_subjects(c, at, len, "User");
	cell_subjects(c, at, len, "Group");
	cell_subjects(c, at, len, "ServiceAccount");
}

static void print_role_binding(struct cells *c, const void *object)
{
	const struct rbac_role_binding *b = object;

	print_binding(c, &b->metadata, &b->role_ref, b->subjects.at, b->subjects.len);
}

static void print_cluster_role_binding(struct cells *c, const void *object)
{
	const struct rbac_cluster_role_binding *b = object;

	print_binding(c, &b->metadata, &b->role_ref, b->subjects.at, b->subjects.len);
}

/* --- the rest */

static void print_csr(struct cells *c, const void *object)
{
	const struct certificates_certificate_signing_request *r = object;
	bool approved = false, denied = false, failed = false;
	struct buf b;

	for (size_t i = 0; i < r->status.conditions.len; i++) {
		str type = r->status.conditions.at[i].type;

		approved |= str_eq(type, STR("Approved"));
		denied |= str_eq(type, STR("Denied"));
		failed |= str_eq(type, STR("Failed"));
	}
	cell_text(c, r->metadata.name);
	cell_age(c, &r->metadata.creation_timestamp);
	cell_text_or_none(c, r->spec.signer_name);
	cell_text(c, r->spec.username);
	buf_init(&b, BUF_NO_LIMIT);
	if (r->spec.expiration_seconds)
		put_age(&b, *r->spec.expiration_seconds);
	cell_text_or_none(c, buf_str(&b));
	buf_free(&b);
	cell_fmt(c, "%s%s%s",
		denied             ? "Denied"
			: approved ? "Approved"
				   : "Pending",
		failed ? ",Failed" : "", r->status.certificate.len ? ",Issued" : "");
}

static void print_lease(struct cells *c, const void *object)
{
	const struct lease *l = object;

	cell_text(c, l->metadata.name);
	cell_or(c, l->spec.holder_identity, "");
	cell_age(c, &l->metadata.creation_timestamp);
}

static void print_storage_class(struct cells *c, const void *object)
{
	const struct storage_storage_class *s = object;

	cell_default_name(c, &s->metadata, "storageclass.kubernetes.io/is-default-class");
	cell_text(c, s->provisioner);
	cell_or(c, s->reclaim_policy, "Delete");
	cell_or(c, s->volume_binding_mode, "Immediate");
	cell_bool(c, s->allow_volume_expansion && *s->allow_volume_expansion);
	cell_age(c, &s->metadata.creation_timestamp);
}

static void print_priority_class(struct cells *c, const void *object)
{
	const struct priority_class *p = object;

	cell_text(c, p->metadata.name);
	cell_number(c, p->value);
	cell_bool(c, p->global_default);
	cell_age(c, &p->metadata.creation_timestamp);
	cell_or(c, p->preemption_policy, "");
}

static void print_runtime_class(struct cells *c, const void *object)
{
	const struct node_runtime_class *r = object;

	cell_text(c, r->metadata.name);
	cell_text(c, r->handler);
	cell_age(c, &r->metadata.creation_timestamp);
}

static void print_api_service(struct cells *c, const void *object)
{
	const struct apiregistration_api_service *s = object;
	const struct apiregistration_service_reference *to = s->spec.service;
	const struct apiregistration_api_service_condition *available = NULL;

	for (size_t i = 0; i < s->status.conditions.len; i++)
		if (str_eq(s->status.conditions.at[i].type, STR("Available")))
			available = &s->status.conditions.at[i];
	cell_text(c, s->metadata.name);
	if (to)
		cell_fmt(c, "%.*s/%.*s", STR_ARG(to->namespace), STR_ARG(to->name));
	else
		cell_text(c, STR("Local"));
	if (!available)
		cell_text(c, STR("Unknown"));
	else if (str_eq(available->status, STR("True")))
		cell_text(c, available->status);
	else
		cell_fmt(c, "%.*s (%.*s)", STR_ARG(available->status), STR_ARG(available->reason));
	cell_age(c, &s->metadata.creation_timestamp);
}
