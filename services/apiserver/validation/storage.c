#include "apiserver/validation/rules.h"

enum {
	DRIVER_NAME_MAX = 63,
	NODE_ID_MAX = 256,
	ALLOCATABLE_PERIOD_MIN_S = 10,
	TOKEN_LIFE_MIN_S = 600,
	PARAMETERS_MAX = 512,
	PARAMETERS_MAX_BYTES = 256 << 10,
};

static const int64_t token_life_max_s = INT64_C(1) << 32;

void check_driver_name(struct causes *c, const struct field_path *p, str name)
{
	struct name_faults faults;

	if (!name.len) {
		causes_required(c, p, "%s", "");
		return;
	}
	if (name.len > DRIVER_NAME_MAX)
		causes_too_long(c, p, DRIVER_NAME_MAX);
	char *lower = arena_get(c->arena, name.len);
	for (size_t i = 0; i < name.len; i++)
		lower[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i];
	if (name_check(NAME_DNS1123_SUBDOMAIN, str_span(lower, name.len), &faults))
		return;
	for (size_t i = 0; i < faults.len; i++)
		causes_invalid(c, p, cause_text(name), "%s", faults.at[i]);
}

static void check_topology_keys(
	struct causes *c, const struct field_path *p, const struct str_list *keys)
{
	for (size_t i = 0; i < keys->len; i++) {
		if (!keys->at[i].len)
			causes_required(c, p, "%s", "");
		for (size_t k = 0; k < i; k++)
			if (str_eq(keys->at[i], keys->at[k])) {
				causes_duplicate(c, p, cause_text(keys->at[i]));
				break;
			}
		check_name(c, p, NAME_QUALIFIED, keys->at[i]);
	}
}

void check_csi_node_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct storage_csi_node_spec *s = o;
	struct causes *c = v->causes;

	for (size_t i = 0; i < s->drivers.len; i++) {
		const struct storage_csi_node_driver *d = &s->drivers.at[i];
		const struct field_path *at = FIELD_INDEX(FIELD(p, "drivers"), i);

		check_driver_name(c, FIELD(at, "name"), d->name);
		if (!d->node_id.len)
			causes_required(c, FIELD(at, "nodeID"), "%s", "");
		if (d->node_id.len > NODE_ID_MAX)
			causes_invalid(c, FIELD(at, "nodeID"), cause_text(d->node_id),
				"must be %d characters or less", NODE_ID_MAX);
		for (size_t k = 0; k < i; k++)
			if (str_eq(d->name, s->drivers.at[k].name)) {
				causes_duplicate(c, FIELD(at, "name"), cause_text(d->name));
				break;
			}
		check_topology_keys(c, at, &d->topology_keys);
	}
}

/* Of a driver that stays, only how many volumes it can take may change. */
void update_csi_node(struct validation *v, const void *now, const void *before)
{
	const struct type *t = &api_schema.types[API_STORAGE_CSI_NODE_DRIVER];
	const struct storage_csi_node *a = now, *b = before;
	const struct field_path *p = FIELD(FIELD(NULL, "spec"), "drivers");

	for (size_t i = 0; i < b->spec.drivers.len; i++)
		for (size_t k = 0; k < a->spec.drivers.len; k++) {
			struct storage_csi_node_driver old = b->spec.drivers.at[i];
			struct storage_csi_node_driver new = a->spec.drivers.at[k];

			if (!str_eq(old.name, new.name))
				continue;
			old.allocatable = new.allocatable = NULL;
			if (!struct_equal(t, &old, &new))
				causes_invalid(v->causes, p,
					cause_struct(v->causes->arena, t, &new),
					"field is immutable");
		}
}

static void check_token_requests(
	struct causes *c, const struct field_path *p, const struct storage_csi_driver_spec *s)
{
	for (size_t i = 0; i < s->token_requests.len; i++) {
		const struct storage_token_request *r = &s->token_requests.at[i];
		const struct field_path *life = FIELD(FIELD_INDEX(p, i), "expirationSeconds");
		size_t k = 0;

		while (!str_eq(r->audience, s->token_requests.at[k].audience))
			k++;
		if (k < i)
			causes_duplicate(
				c, FIELD(FIELD_INDEX(p, i), "audience"), cause_text(r->audience));
		else if (r->expiration_seconds && *r->expiration_seconds < TOKEN_LIFE_MIN_S)
			causes_invalid(c, life, cause_i64(c->arena, *r->expiration_seconds),
				"may not specify a duration less than 10 minutes");
		else if (r->expiration_seconds && *r->expiration_seconds > token_life_max_s)
			causes_invalid(c, life, cause_i64(c->arena, *r->expiration_seconds),
				"may not specify a duration larger than 2^32 seconds");
	}
}

void check_csi_driver_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct storage_csi_driver_spec *s = o;
	const int64_t *period_s = s->node_allocatable_update_period_seconds;
	struct causes *c = v->causes;

	check_token_requests(c, FIELD(p, "tokenRequests"), s);
	if (period_s && *period_s < ALLOCATABLE_PERIOD_MIN_S)
		causes_invalid(c, FIELD(p, "nodeAllocatableUpdatePeriodSeconds"),
			cause_i64(c->arena, *period_s),
			"must be greater than or equal to 10 seconds");
	if (s->service_account_token_in_secrets && !s->token_requests.len)
		causes_invalid(c, FIELD(p, "serviceAccountTokenInSecrets"),
			cause_bool(*s->service_account_token_in_secrets),
			"serviceAccountTokenInSecrets is set but no tokenRequests are specified");
}

/* Upstream names the field attachedRequired. */
void update_csi_driver(struct validation *v, const void *now, const void *before)
{
	const struct storage_csi_driver *a = now, *b = before;

	if (*a->spec.attach_required != *b->spec.attach_required)
		causes_invalid(v->causes, FIELD(FIELD(NULL, "spec"), "attachedRequired"),
			cause_bool(*a->spec.attach_required), "field is immutable");
}

void check_volume_attachment_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct storage_volume_attachment_spec *s = o;
	const struct storage_volume_attachment_source *from = &s->source;
	const struct field_path *source = FIELD(p, "source");
	const struct field_path *name = FIELD(source, "persistentVolumeName");
	struct causes *c = v->causes;

	check_driver_name(c, FIELD(p, "attacher"), s->attacher);
	if (!from->inline_volume_spec && !from->persistent_volume_name)
		causes_required(c, source,
			"must specify exactly one of inlineVolumeSpec and persistentVolumeName");
	else if (from->inline_volume_spec && from->persistent_volume_name)
		causes_forbidden(c, source,
			"must specify exactly one of inlineVolumeSpec and persistentVolumeName");
	else if (from->persistent_volume_name && !from->persistent_volume_name->len)
		causes_required(c, name, "must specify non empty persistentVolumeName");
	check_name(c, FIELD(p, "nodeName"), NAME_DNS1123_SUBDOMAIN, s->node_name);
	if (from->persistent_volume_name)
		check_name(c, name, NAME_DNS1123_SUBDOMAIN, *from->persistent_volume_name);
}

void check_csi_storage_capacity(struct validation *v, const struct field_path *p, const void *o)
{
	const struct storage_csi_storage_capacity *s = o;
	struct causes *c = v->causes;

	check_name(c, FIELD(p, "storageClassName"), NAME_DNS1123_SUBDOMAIN, s->storage_class_name);
	if (s->capacity && quantity_sign(s->capacity) < 0)
		causes_invalid(c, FIELD(p, "capacity"), cause_quantity(c->arena, s->capacity),
			"must be greater than or equal to 0");
}

void check_volume_attributes_class(struct validation *v, const struct field_path *p, const void *o)
{
	const struct storage_volume_attributes_class *s = o;
	const struct field_path *parameters = FIELD(p, "parameters");
	struct causes *c = v->causes;
	size_t bytes = 0;

	if (!s->driver_name.len)
		causes_required(c, FIELD(p, "driverName"), "%s", "");
	else
		check_name(c, FIELD(p, "driverName"), NAME_QUALIFIED, s->driver_name);
	if (s->parameters.len > PARAMETERS_MAX) {
		causes_too_long(c, parameters, PARAMETERS_MAX);
		return;
	}
	for (size_t i = 0; i < s->parameters.len; i++) {
		if (!s->parameters.at[i].key.len)
			causes_invalid(
				c, parameters, cause_text(STR("")), "field can not be empty.");
		bytes += s->parameters.at[i].key.len + s->parameters.at[i].value.len;
	}
	if (bytes > PARAMETERS_MAX_BYTES)
		causes_too_long(c, parameters, PARAMETERS_MAX_BYTES);
	if (!s->parameters.len)
		causes_required(c, parameters, "must contain at least one key/value pair");
}

void update_volume_attributes_class(struct validation *v, const void *now, const void *before)
{
	static const char *const fields[] = {"driverName", "parameters"};
	const struct type *t = object_type(now);

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (!str_eq(cause_field(v->causes->arena, t, now, fields[i]).text,
			    cause_field(v->causes->arena, t, before, fields[i]).text))
			causes_forbidden(v->causes, FIELD(NULL, fields[i]),
				"updates to %s are forbidden.", fields[i]);
}
