#include "apiserver/validation/rules.h"

enum { DATA_MAX_BYTES = 1 << 20 };

/* What a Secret of a type must hold. */
static const struct {
	str type, key;
} secret_keys[] = {
	{STR_INIT("kubernetes.io/dockercfg"), STR_INIT(".dockercfg")},
	{STR_INIT("kubernetes.io/dockerconfigjson"), STR_INIT(".dockerconfigjson")},
	{STR_INIT("kubernetes.io/ssh-auth"), STR_INIT("ssh-privatekey")},
	{STR_INIT("kubernetes.io/tls"), STR_INIT("tls.crt")},
	{STR_INIT("kubernetes.io/tls"), STR_INIT("tls.key")},
};

static size_t check_keys(struct causes *c, const struct field_path *p, const struct str_map *data);
static void check_endpoint_address(
	struct causes *c, const struct field_path *p, const struct endpoint_address *a);

void check_config_map(struct validation *v, const struct field_path *p, const void *o)
{
	const struct config_map *m = o;
	size_t total = check_keys(v->causes, FIELD(p, "data"), &m->data);

	for (size_t i = 0; i < m->binary_data.len; i++)
		if (str_map_get(&m->data, m->binary_data.at[i].key).at)
			causes_invalid(v->causes,
				FIELD_KEY(FIELD(p, "data"), m->binary_data.at[i].key),
				cause_text(m->binary_data.at[i].key),
				"duplicate of key present in binaryData");
	total += check_keys(v->causes, FIELD(p, "binaryData"), &m->binary_data);
	if (total > DATA_MAX_BYTES)
		causes_too_long(v->causes, FIELD(NULL, ""), DATA_MAX_BYTES);
}

void check_secret(struct validation *v, const struct field_path *p, const void *o)
{
	const struct secret *s = o;
	const struct field_path *data = FIELD(p, "data");

	if (check_keys(v->causes, data, &s->data) > DATA_MAX_BYTES)
		causes_too_long(v->causes, data, DATA_MAX_BYTES);
	for (size_t i = 0; i < COUNT_OF(secret_keys); i++)
		if (str_eq(s->type, secret_keys[i].type) &&
			!str_map_get(&s->data, secret_keys[i].key).at)
			causes_required(v->causes, FIELD_KEY(data, secret_keys[i].key), "%s", "");
	if (str_eq(s->type, STR("kubernetes.io/basic-auth")) &&
		!str_map_get(&s->data, STR("username")).at &&
		!str_map_get(&s->data, STR("password")).at) {
		causes_required(v->causes, FIELD_KEY(data, STR("username")), "%s", "");
		causes_required(v->causes, FIELD_KEY(data, STR("password")), "%s", "");
	}
	str account = STR("kubernetes.io/service-account.name");
	if (str_eq(s->type, STR("kubernetes.io/service-account-token")) &&
		!meta_annotation(&s->metadata, account).len)
		causes_required(v->causes,
			FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"), account), "%s",
			"");
}

void check_node_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct node_spec *s = o;

	for (size_t i = 0; i < s->taints.len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(s->taints.at[i].key, s->taints.at[k].key) &&
				str_eq(s->taints.at[i].effect, s->taints.at[k].effect)) {
				causes_duplicate(v->causes, FIELD_INDEX(FIELD(p, "taints"), i),
					cause_struct(v->causes->arena, &api_schema.types[API_TAINT],
						&s->taints.at[i]));
				break;
			}
}

void check_endpoint_subset(struct validation *v, const struct field_path *p, const void *o)
{
	const struct endpoint_subset *s = o;
	struct causes *c = v->causes;

	if (!s->addresses.len && !s->not_ready_addresses.len)
		causes_required(c, p, "must specify `addresses` or `notReadyAddresses`");
	for (size_t i = 0; i < s->addresses.len; i++)
		check_endpoint_address(
			c, FIELD_INDEX(FIELD(p, "addresses"), i), &s->addresses.at[i]);
	for (size_t i = 0; i < s->not_ready_addresses.len; i++)
		check_endpoint_address(c, FIELD_INDEX(FIELD(p, "notReadyAddresses"), i),
			&s->not_ready_addresses.at[i]);
	for (size_t i = 0; i < s->ports.len; i++) {
		const struct field_path *at = FIELD_INDEX(FIELD(p, "ports"), i);

		if (!s->ports.at[i].name.len && s->ports.len > 1)
			causes_required(c, FIELD(at, "name"), "%s", "");
		else if (s->ports.at[i].name.len)
			check_name(c, FIELD(at, "name"), NAME_DNS1123_LABEL, s->ports.at[i].name);
		check_port(c, FIELD(at, "port"), s->ports.at[i].port);
	}
}

void check_event(struct validation *v, const struct field_path *p, const void *o)
{
	const struct event *e = o;
	bool spaced = str_eq(e->involved_object.namespace, e->metadata.namespace);
	bool cluster = !e->involved_object.namespace.len &&
		(str_eq(e->metadata.namespace, STR("default")) ||
			str_eq(e->metadata.namespace, STR("kube-system")));

	if (!spaced && !cluster)
		causes_invalid(v->causes, FIELD(FIELD(p, "involvedObject"), "namespace"),
			cause_text(e->involved_object.namespace), "does not match event.namespace");
}

void check_template(struct validation *v, const struct field_path *p, const void *o)
{
	const struct pod_template_spec *t = o;

	check_template_metadata(v->causes, p, &t->metadata);
	if (t->spec.ephemeral_containers.len)
		causes_forbidden(v->causes, FIELD(FIELD(p, "spec"), "ephemeralContainers"),
			"ephemeral containers not allowed in pod template");
}

void check_replication_controller(struct validation *v, const struct field_path *p, const void *o)
{
	const struct replication_controller_spec *s = o;
	struct causes *c = v->causes;

	if (!s->replicas)
		causes_required(c, FIELD(p, "replicas"), "%s", "");
	if (!s->selector.len)
		causes_required(c, FIELD(p, "selector"), "%s", "");
	if (!s->template) {
		causes_required(c, FIELD(p, "template"), "%s", "");
		return;
	}
	struct meta_selector selector = meta_selector_of_map(c->arena, &s->selector);
	if (s->selector.len && !meta_matches(&selector, &s->template->metadata.labels))
		causes_invalid(c, FIELD(FIELD(FIELD(p, "template"), "metadata"), "labels"),
			cause_field(c->arena, &api_schema.types[API_OBJECT_META],
				&s->template->metadata, "labels"),
			"`selector` does not match template `labels`");
	check_always(c, p, &s->template->spec, "ReplicationController");
}

/* Data keys have the form of file names; the size of the values. */
static size_t check_keys(struct causes *c, const struct field_path *p, const struct str_map *data)
{
	size_t total = 0;

	for (size_t i = 0; i < data->len; i++) {
		check_name(c, FIELD_KEY(p, data->at[i].key), NAME_CONFIG_MAP_KEY, data->at[i].key);
		total += data->at[i].value.len;
	}
	return total;
}

static void check_endpoint_address(
	struct causes *c, const struct field_path *p, const struct endpoint_address *a)
{
	size_t before = c->len;

	check_ip(c, FIELD(p, "ip"), a->ip);
	if (c->len > before)
		causes_invalid(c, FIELD(p, "ip"), cause_text(a->ip), "must be a valid IP address");
	if (a->hostname.len)
		check_name(c, FIELD(p, "hostname"), NAME_DNS1123_LABEL, a->hostname);
	if (a->node_name)
		check_name(c, FIELD(p, "nodeName"), NAME_DNS1123_SUBDOMAIN, *a->node_name);
}
