/*
 * Rows of the core group, but for what runs.
 */
#include "apiserver/endpoints/printers.h"

#include "api/kinds.h"
#include "lib/api/resource_list.h"

enum { SHOWN_MAX = 3 };

static const struct column service_columns[] = {COLUMN_NAME, {"Type", "string", NULL, 0},
	{"Cluster-IP", "string", NULL, 0}, {"External-IP", "string", NULL, 0},
	{"Port(s)", "string", NULL, 0}, COLUMN_AGE, {"Selector", "string", NULL, 1}, COLUMNS_END};
static const struct column endpoints_columns[] = {
	COLUMN_NAME, {"Endpoints", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column node_columns[] = {COLUMN_NAME, {"Status", "string", NULL, 0},
	{"Roles", "string", NULL, 0}, COLUMN_AGE, {"Version", "string", NULL, 0},
	{"Internal-IP", "string", NULL, 1}, {"External-IP", "string", NULL, 1},
	{"OS-Image", "string", NULL, 1}, {"Kernel-Version", "string", NULL, 1},
	{"Container-Runtime", "string", NULL, 1}, COLUMNS_END};
static const struct column event_columns[] = {{"Last Seen", "string", NULL, 0},
	{"Type", "string", NULL, 0}, {"Reason", "string", NULL, 0}, {"Object", "string", NULL, 0},
	{"Subobject", "string", NULL, 1}, {"Source", "string", NULL, 1},
	{"Message", "string", NULL, 0}, {"First Seen", "string", NULL, 1},
	{"Count", "string", NULL, 1}, {"Name", "string", "name", 1}, COLUMNS_END};
static const struct column namespace_columns[] = {
	COLUMN_NAME, {"Status", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column secret_columns[] = {COLUMN_NAME, {"Type", "string", NULL, 0},
	{"Data", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column config_columns[] = {
	COLUMN_NAME, {"Data", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column quota_columns[] = {COLUMN_NAME, {"Request", "string", NULL, 0},
	{"Limit", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column account_columns[] = {COLUMN_NAME, COLUMN_AGE, COLUMNS_END};
static const struct column volume_columns[] = {COLUMN_NAME, {"Capacity", "string", NULL, 0},
	{"Access Modes", "string", NULL, 0}, {"Reclaim Policy", "string", NULL, 0},
	{"Status", "string", NULL, 0}, {"Claim", "string", NULL, 0},
	{"StorageClass", "string", NULL, 0}, {"VolumeAttributesClass", "string", NULL, 0},
	{"Reason", "string", NULL, 0}, COLUMN_AGE, {"VolumeMode", "string", NULL, 1}, COLUMNS_END};
static const struct column claim_columns[] = {COLUMN_NAME, {"Status", "string", NULL, 0},
	{"Volume", "string", NULL, 0}, {"Capacity", "string", NULL, 0},
	{"Access Modes", "string", NULL, 0}, {"StorageClass", "string", NULL, 0},
	{"VolumeAttributesClass", "string", NULL, 0}, COLUMN_AGE, {"VolumeMode", "string", NULL, 1},
	COLUMNS_END};

static void print_service(struct cells *c, const void *object);
static void print_endpoints(struct cells *c, const void *object);
static void print_node(struct cells *c, const void *object);
static void print_event(struct cells *c, const void *object);
static void print_new_event(struct cells *c, const void *object);
static void print_namespace(struct cells *c, const void *object);
static void print_secret(struct cells *c, const void *object);
static void print_config(struct cells *c, const void *object);
static void print_quota(struct cells *c, const void *object);
static void print_account(struct cells *c, const void *object);
static void print_volume(struct cells *c, const void *object);
static void print_claim(struct cells *c, const void *object);

const struct printer printers_core[] = {
	{API_SERVICE, service_columns, print_service},
	{API_ENDPOINTS, endpoints_columns, print_endpoints},
	{API_NODE, node_columns, print_node},
	{API_EVENT, event_columns, print_event},
	{API_EVENTS_EVENT, event_columns, print_new_event},
	{API_NAMESPACE, namespace_columns, print_namespace},
	{API_SECRET, secret_columns, print_secret},
	{API_CONFIG_MAP, config_columns, print_config},
	{API_RESOURCE_QUOTA, quota_columns, print_quota},
	{API_SERVICE_ACCOUNT, account_columns, print_account},
	{API_PERSISTENT_VOLUME, volume_columns, print_volume},
	{API_PERSISTENT_VOLUME_CLAIM, claim_columns, print_claim},
	{.print = NULL},
};

static void cell_buf(struct cells *c, struct buf *b, const char *otherwise)
{
	cell_text(c, b->len ? buf_str(b) : str_of(otherwise));
	buf_free(b);
}

/* --- services */

static void add_sorted(struct str_list *list, str text)
{
	size_t at = list->len;

	while (at > 0 && str_cmp(list->at[at - 1], text) > 0)
		at--;
	if (at > 0 && str_eq(list->at[at - 1], text))
		return;
	memmove(list->at + at + 1, list->at + at, (list->len - at) * sizeof(str));
	list->at[at] = text;
	list->len++;
}

static void put_joined(struct buf *b, const struct str_list *texts)
{
	for (size_t i = 0; i < texts->len; i++)
		buf_add_fmt(b, "%s%.*s", b->len ? "," : "", STR_ARG(texts->at[i]));
}

static void cell_external(struct cells *c, const struct service *s)
{
	bool balanced = str_eq(s->spec.type, STR("LoadBalancer"));
	size_t count = s->status.load_balancer.ingress.len;
	struct str_list addresses = {.at = arena_get(c->arena, (count + 1) * sizeof(str))};
	struct buf b;

	if (str_eq(s->spec.type, STR("ExternalName"))) {
		cell_text(c, s->spec.external_name);
		return;
	}
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; balanced && i < count; i++) {
		const struct load_balancer_ingress *in = &s->status.load_balancer.ingress.at[i];

		if (in->ip.len || in->hostname.len)
			add_sorted(&addresses, in->ip.len ? in->ip : in->hostname);
	}
	put_joined(&b, &addresses);
	put_joined(&b, &s->spec.external_ips);
	cell_buf(c, &b, balanced ? "<pending>" : "<none>");
}

static void print_service(struct cells *c, const void *object)
{
	const struct service *s = object;
	struct buf b;

	cell_text(c, s->metadata.name);
	cell_text(c, s->spec.type);
	cell_text_or_none(c, s->spec.cluster_ips.len ? s->spec.cluster_ips.at[0] : STR(""));
	cell_external(c, s);
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < s->spec.ports.len; i++) {
		const struct service_port *p = &s->spec.ports.at[i];

		buf_add_fmt(&b, "%s%d", i ? "," : "", (int)p->port);
		if (p->node_port > 0)
			buf_add_fmt(&b, ":%d", (int)p->node_port);
		buf_add_fmt(&b, "/%.*s", STR_ARG(p->protocol));
	}
	cell_buf(c, &b, "<none>");
	cell_age(c, &s->metadata.creation_timestamp);
	cell_labels(c, &s->spec.selector);
}

static void put_endpoint(struct buf *b, str ip, const struct endpoint_port *port)
{
	bool v6 = str_find_char(ip, ':') >= 0;

	if (b->len)
		buf_add_char(b, ',');
	if (!port)
		buf_add_str(b, ip);
	else
		buf_add_fmt(b, v6 ? "[%.*s]:%d" : "%.*s:%d", STR_ARG(ip), (int)port->port);
}

static void print_endpoints(struct cells *c, const void *object)
{
	const struct endpoints *e = object;
	size_t shown = 0, count = 0;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < e->subsets.len; i++) {
		const struct endpoint_subset *s = &e->subsets.at[i];
		size_t ports = s->ports.len ? s->ports.len : 1;

		count += ports * s->addresses.len;
		for (size_t k = 0; k < ports; k++)
			for (size_t n = 0; n < s->addresses.len && shown < SHOWN_MAX; n++, shown++)
				put_endpoint(&b, s->addresses.at[n].ip,
					s->ports.len ? &s->ports.at[k] : NULL);
	}
	if (count > shown)
		buf_add_fmt(&b, " + %zu more...", count - shown);
	cell_text(c, e->metadata.name);
	cell_buf(c, &b, e->subsets.len ? "" : "<none>");
	cell_age(c, &e->metadata.creation_timestamp);
}

/* --- nodes */

static void cell_node_status(struct cells *c, const struct node *n)
{
	const char *status = "Unknown";

	for (size_t i = 0; i < n->status.conditions.len; i++)
		if (str_eq(n->status.conditions.at[i].type, STR("Ready")))
			status = str_eq(n->status.conditions.at[i].status, STR("True"))
				? "Ready"
				: "NotReady";
	cell_fmt(c, "%s%s", status, n->spec.unschedulable ? ",SchedulingDisabled" : "");
}

static void cell_roles(struct cells *c, const struct node *n)
{
	const str prefix = STR("node-role.kubernetes.io/");
	const struct str_map *labels = &n->metadata.labels;
	struct str_list roles = {.at = arena_get(c->arena, (labels->len + 1) * sizeof(str))};

	for (size_t i = 0; i < labels->len; i++) {
		const struct str_entry *l = &labels->at[i];

		if (str_starts(l->key, prefix) && l->key.len > prefix.len)
			add_sorted(&roles, str_slice(l->key, prefix.len, l->key.len));
		else if (str_eq(l->key, STR("kubernetes.io/role")) && l->value.len)
			add_sorted(&roles, l->value);
	}
	cell_joined(c, &roles);
}

static void cell_address(struct cells *c, const struct node *n, const char *type)
{
	for (size_t i = 0; i < n->status.addresses.len; i++) {
		if (str_eq(n->status.addresses.at[i].type, str_of(type))) {
			cell_text(c, n->status.addresses.at[i].address);
			return;
		}
	}
	cell_text(c, STR("<none>"));
}

static void cell_or_unknown(struct cells *c, str text)
{
	cell_text(c, text.len ? text : STR("<unknown>"));
}

static void print_node(struct cells *c, const void *object)
{
	const struct node *n = object;
	const struct node_system_info *info = &n->status.node_info;

	cell_text(c, n->metadata.name);
	cell_node_status(c, n);
	cell_roles(c, n);
	cell_age(c, &n->metadata.creation_timestamp);
	cell_text(c, info->kubelet_version);
	cell_address(c, n, "InternalIP");
	cell_address(c, n, "ExternalIP");
	cell_or_unknown(c, info->os_image);
	str kernel = info->kernel_version.len ? info->kernel_version : STR("<unknown>");

	if (info->architecture.len)
		cell_fmt(c, "%.*s (%.*s)", STR_ARG(kernel), STR_ARG(info->architecture));
	else
		cell_text(c, kernel);
	cell_or_unknown(c, info->container_runtime_version);
}

/* --- events */

/* What both groups' events tell, under the core group's names. */
struct event_view {
	const struct object_meta *metadata;
	const struct object_reference *about;
	const struct time_value *first, *last, *series_last;
	str type, reason, message, component, host;
	int64_t count;
};

static void print_view(struct cells *c, const struct event_view *v)
{
	struct buf b;

	cell_age(c, v->last);
	cell_text(c, v->type);
	cell_text(c, v->reason);
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < v->about->kind.len; i++) {
		char letter = v->about->kind.at[i];

		buf_add_char(&b, (char)(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter));
	}
	if (v->about->name.len)
		buf_add_fmt(&b, "/%.*s", STR_ARG(v->about->name));
	cell_buf(c, &b, "");
	cell_text(c, v->about->field_path);
	cell_fmt(c, "%.*s%s%.*s", STR_ARG(v->component), v->host.len ? ", " : "", STR_ARG(v->host));
	cell_text(c, str_trim(v->message));
	cell_age(c, v->first);
	cell_number(c, v->count);
	cell_text(c, v->metadata->name);
}

static void print_event(struct cells *c, const void *object)
{
	const struct event *e = object;
	struct event_view v = {
		.metadata = &e->metadata,
		.about = &e->involved_object,
		.first = e->first_timestamp.set ? &e->first_timestamp : &e->event_time,
		.type = e->type,
		.reason = e->reason,
		.message = e->message,
		.component = e->source.component.len ? e->source.component : e->reporting_component,
		.host = e->source.host.len ? e->source.host : e->reporting_instance,
		.count = e->series ? e->series->count
			: e->count ? e->count
				   : 1,
	};

	v.last = e->series              ? &e->series->last_observed_time
		: e->last_timestamp.set ? &e->last_timestamp
					: v.first;
	print_view(c, &v);
}

static void print_new_event(struct cells *c, const void *object)
{
	const struct events_event *e = object;
	bool old = e->deprecated_first_timestamp.set;
	struct event_view v = {
		.metadata = &e->metadata,
		.about = &e->regarding,
		.first = old ? &e->deprecated_first_timestamp : &e->event_time,
		.type = e->type,
		.reason = e->reason,
		.message = e->note,
		.component = e->deprecated_source.component.len ? e->deprecated_source.component
								: e->reporting_controller,
		.host = e->deprecated_source.host.len ? e->deprecated_source.host
						      : e->reporting_instance,
		.count = e->series            ? e->series->count
			: e->deprecated_count ? e->deprecated_count
					      : 1,
	};

	v.last = e->series                         ? &e->series->last_observed_time
		: e->deprecated_last_timestamp.set ? &e->deprecated_last_timestamp
						   : v.first;
	print_view(c, &v);
}

/* --- the small ones */

static void print_namespace(struct cells *c, const void *object)
{
	const struct namespace *n = object;

	cell_text(c, n->metadata.name);
	cell_text(c, n->status.phase);
	cell_age(c, &n->metadata.creation_timestamp);
}

static void print_secret(struct cells *c, const void *object)
{
	const struct secret *s = object;

	cell_text(c, s->metadata.name);
	cell_text(c, s->type);
	cell_number(c, (int64_t)s->data.len);
	cell_age(c, &s->metadata.creation_timestamp);
}

static void print_config(struct cells *c, const void *object)
{
	const struct config_map *m = object;

	cell_text(c, m->metadata.name);
	cell_number(c, (int64_t)(m->data.len + m->binary_data.len));
	cell_age(c, &m->metadata.creation_timestamp);
}

/* "cpu: 1/4, pods: 2/10": used of what is allowed. */
static void cell_quotas(struct cells *c, const struct resource_quota_status *s, bool limits)
{
	const struct quantity zero = {0};
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < s->hard.len; i++) {
		str name = s->hard.at[i].key;
		const struct quantity *used = resource_list_get(&s->used, name);

		if (str_starts(name, STR("limits.")) != limits)
			continue;
		buf_add_fmt(&b, "%s%.*s: ", b.len ? ", " : "", STR_ARG(name));
		quantity_put(&b, used ? used : &zero);
		buf_add_char(&b, '/');
		quantity_put(&b, &s->hard.at[i].value);
	}
	cell_buf(c, &b, "");
}

static void print_quota(struct cells *c, const void *object)
{
	const struct resource_quota *q = object;

	cell_text(c, q->metadata.name);
	cell_quotas(c, &q->status, false);
	cell_quotas(c, &q->status, true);
	cell_age(c, &q->metadata.creation_timestamp);
}

static void print_account(struct cells *c, const void *object)
{
	const struct service_account *a = object;

	cell_text(c, a->metadata.name);
	cell_age(c, &a->metadata.creation_timestamp);
}

/* --- volumes */

static void cell_modes(struct cells *c, const struct str_list *modes)
{
	static const struct {
		const char *mode, *shown;
	} table[] = {{"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"},
		{"ReadWriteOncePod", "RWOP"}};
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(table); i++)
		for (size_t k = 0; k < modes->len; k++)
			if (str_eq(modes->at[k], str_of(table[i].mode))) {
				buf_add_fmt(&b, "%s%s", b.len ? "," : "", table[i].shown);
				break;
			}
	cell_buf(c, &b, "");
}

static void cell_storage(struct cells *c, const struct quantity_map *m)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < m->len; i++)
		if (str_eq(m->at[i].key, STR("storage")))
			quantity_put(&b, &m->at[i].value);
	cell_buf(c, &b, "");
}

static str class_of(const struct object_meta *m, str otherwise)
{
	str old = str_map_get(&m->annotations, STR("volume.beta.kubernetes.io/storage-class"));

	return old.at ? old : otherwise;
}

static void print_volume(struct cells *c, const void *object)
{
	const struct persistent_volume *v = object;
	const struct object_reference *claim = v->spec.claim_ref;

	cell_text(c, v->metadata.name);
	cell_storage(c, &v->spec.capacity);
	cell_modes(c, &v->spec.access_modes);
	cell_text(c, v->spec.persistent_volume_reclaim_policy);
	cell_text(c, v->metadata.deletion_timestamp ? STR("Terminating") : v->status.phase);
	if (claim)
		cell_fmt(c, "%.*s/%.*s", STR_ARG(claim->namespace), STR_ARG(claim->name));
	else
		cell_text(c, STR(""));
	cell_text(c, class_of(&v->metadata, v->spec.storage_class_name));
	cell_or(c, v->spec.volume_attributes_class_name, "<unset>");
	cell_text(c, v->status.reason);
	cell_age(c, &v->metadata.creation_timestamp);
	cell_or(c, v->spec.volume_mode, "<unset>");
}

static void print_claim(struct cells *c, const void *object)
{
	static const struct quantity_map nothing;
	static const struct str_list nowhere;
	const struct persistent_volume_claim *p = object;
	bool bound = p->spec.volume_name.len > 0;

	cell_text(c, p->metadata.name);
	cell_text(c, p->metadata.deletion_timestamp ? STR("Terminating") : p->status.phase);
	cell_text(c, p->spec.volume_name);
	cell_storage(c, bound ? &p->status.capacity : &nothing);
	cell_modes(c, bound ? &p->status.access_modes : &nowhere);
	cell_text(c,
		class_of(&p->metadata,
			p->spec.storage_class_name ? *p->spec.storage_class_name : STR("")));
	cell_or(c, p->spec.volume_attributes_class_name, "<unset>");
	cell_age(c, &p->metadata.creation_timestamp);
	cell_or(c, p->spec.volume_mode, "<unset>");
}
