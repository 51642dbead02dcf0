/*
 * Devices: what drivers offer in slices and what claims ask for. A selector's CEL is measured,
 * not compiled.
 */
#include "apiserver/validation/rules.h"

enum {
	SELECTOR_MAX_BYTES = 10 << 10,
	PARAMETERS_MAX_BYTES = 10 << 10,
	DEVICES_MAX = 128,
	DEVICES_ADVANCED_MAX = 64,
	PROPERTIES_MAX = 32,
	ATTRIBUTE_MAX_BYTES = 64,
	ID_MAX_BYTES = 32,
	POOL_NAME_MAX = 253,
	CONSUMERS_MAX = 256,
};

#define ONE_REQUEST "exactly one of `exactly` or `firstAvailable` is required"
#define ONE_CHOICE \
	"exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is " \
	"required"
#define A_REQUEST \
	"must be the name of a request in the claim or the name of a request and a subrequest " \
	"separated by '/'"

/* --- claims */

static bool has_request(const struct resource_device_claim *claim, str name)
{
	str request = str_cut(&name, '/');

	for (size_t i = 0; i < claim->requests.len; i++) {
		const struct resource_device_request *r = &claim->requests.at[i];

		if (!str_eq(r->name, request))
			continue;
		if (!name.at)
			return true;
		for (size_t k = 0; k < r->first_available.len; k++)
			if (str_eq(r->first_available.at[k].name, name))
				return true;
	}
	return false;
}

static void check_references(struct causes *c, const struct field_path *p,
	const struct resource_device_claim *claim, const struct str_list *names)
{
	for (size_t i = 0; i < names->len; i++)
		if (!has_request(claim, names->at[i]))
			causes_invalid(c, FIELD_INDEX(p, i), cause_text(names->at[i]), A_REQUEST);
}

void check_device_claim(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_claim *claim = o;
	const struct field_path *requests = FIELD(p, "requests");

	for (size_t i = 0; i < claim->requests.len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(claim->requests.at[i].name, claim->requests.at[k].name)) {
				causes_duplicate(v->causes, FIELD_INDEX(requests, i),
					cause_text(claim->requests.at[i].name));
				break;
			}
	for (size_t i = 0; i < claim->constraints.len; i++)
		check_references(v->causes,
			FIELD(FIELD_INDEX(FIELD(p, "constraints"), i), "requests"), claim,
			&claim->constraints.at[i].requests);
	for (size_t i = 0; i < claim->config.len; i++)
		check_references(v->causes, FIELD(FIELD_INDEX(FIELD(p, "config"), i), "requests"),
			claim, &claim->config.at[i].requests);
}

void check_device_request(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_request *r = o;
	const struct field_path *subs = FIELD(p, "firstAvailable");

	check_name(v->causes, FIELD(p, "name"), NAME_DNS1123_LABEL, r->name);
	if (!r->exactly && !r->first_available.len)
		causes_required(v->causes, p, ONE_REQUEST);
	if (r->exactly && r->first_available.len)
		causes_invalid(v->causes, p, cause_json(STR("null")),
			ONE_REQUEST ", but multiple fields are set");
	for (size_t i = 0; i < r->first_available.len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(r->first_available.at[i].name, r->first_available.at[k].name)) {
				causes_duplicate(v->causes, FIELD_INDEX(subs, i),
					cause_text(r->first_available.at[i].name));
				break;
			}
}

static void check_count(struct causes *c, const struct field_path *p, str mode, int64_t count)
{
	const str modes[] = {STR("All"), STR("ExactCount")};

	if (!str_eq(mode, modes[0]) && !str_eq(mode, modes[1]))
		causes_not_supported(
			c, FIELD(p, "allocationMode"), cause_text(mode), modes, COUNT_OF(modes));
	else if (str_eq(mode, modes[0]) && count)
		causes_invalid(c, FIELD(p, "count"), cause_i64(c->arena, count),
			"must not be specified when allocationMode is 'All'");
	else if (str_eq(mode, modes[1]) && count <= 0)
		causes_invalid(c, FIELD(p, "count"), cause_i64(c->arena, count),
			"must be greater than zero");
}

void check_exact_device_request(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_exact_device_request *r = o;

	check_count(v->causes, p, r->allocation_mode, r->count);
}

void check_device_sub_request(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_sub_request *r = o;

	check_name(v->causes, FIELD(p, "name"), NAME_DNS1123_LABEL, r->name);
	check_count(v->causes, p, r->allocation_mode, r->count);
}

void check_device_selector(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_selector *s = o;

	if (s->cel && s->cel->expression.len > SELECTOR_MAX_BYTES)
		causes_too_long(
			v->causes, FIELD(FIELD(p, "cel"), "expression"), SELECTOR_MAX_BYTES);
}

static void check_identifier(struct causes *c, const struct field_path *p, str id)
{
	if (id.len > ID_MAX_BYTES)
		causes_too_long(c, p, ID_MAX_BYTES);
	check_name(c, p, NAME_C_IDENTIFIER, id);
}

/* "domain/id", or an id of the driver's own domain. */
static void check_property_name(struct causes *c, const struct field_path *p, str name)
{
	str id = name, domain = str_cut(&id, '/');

	if (!id.at) {
		check_identifier(c, p, name);
		return;
	}
	if (!domain.len)
		causes_invalid(c, p, cause_text(domain), "the domain must not be empty");
	else
		check_driver_name(c, p, domain);
	if (!id.len)
		causes_invalid(c, p, cause_text(id), "the name must not be empty");
	else
		check_identifier(c, p, id);
}

void check_device_constraint(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_constraint *s = o;
	const str *name = s->match_attribute ? s->match_attribute : s->distinct_attribute;
	const struct field_path *at = FIELD(
		p, s->match_attribute ? "matchAttribute" : "distinctAttribute");

	if (!name) {
		causes_required(v->causes, p,
			"exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, "
			"but multiple fields are set");
		return;
	}
	check_property_name(v->causes, at, *name);
	if (str_find_char(*name, '/') < 0)
		causes_invalid(v->causes, at, cause_text(*name),
			"a fully qualified name must be a domain and a name separated by a slash");
}

void check_device_configuration(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_configuration *s = o;
	const struct field_path *opaque = FIELD(p, "opaque");
	const struct field_path *parameters = FIELD(opaque, "parameters");
	struct causes *c = v->causes;

	if (!s->opaque)
		return;
	str text = s->opaque->parameters;

	check_driver_name(c, FIELD(opaque, "driver"), s->opaque->driver);
	if (!text.len || str_eq(text, STR("null")))
		causes_required(c, parameters, "%s", "");
	else if (text.len > PARAMETERS_MAX_BYTES)
		causes_too_long(c, parameters, PARAMETERS_MAX_BYTES);
	else if (text.at[0] != '{')
		causes_invalid(c, parameters, cause_text(STR("<value omitted>")),
			"must be a valid JSON object");
}

void check_device_toleration(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_toleration *t = o;

	if (str_eq(t->operator, STR("Exists")) && t->value.len)
		causes_invalid(v->causes, FIELD(p, "value"), cause_text(t->value),
			"must be empty for operator `Exists`");
	if (str_eq(t->operator, STR("Equal")))
		check_name(v->causes, FIELD(p, "value"), NAME_LABEL_VALUE, t->value);
}

void check_claim_template(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_resource_claim_template_spec *s = o;

	check_template_metadata(v->causes, p, &s->metadata);
}

/* --- slices */

static void check_pool_name(struct causes *c, const struct field_path *p, str name)
{
	if (!name.len) {
		causes_required(c, p, "%s", "");
		return;
	}
	if (name.len > POOL_NAME_MAX)
		causes_too_long(c, p, POOL_NAME_MAX);
	for (str rest = name; rest.at;)
		check_name(c, p, NAME_DNS1123_SUBDOMAIN, str_cut(&rest, '/'));
}

void check_resource_pool(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_resource_pool *pool = o;

	check_pool_name(v->causes, FIELD(p, "name"), pool->name);
	if (pool->generation < 0)
		causes_invalid(v->causes, FIELD(p, "generation"),
			cause_i64(v->causes->arena, pool->generation),
			"must be greater than or equal to zero");
}

/* Where the devices are is told in one way. */
static void check_places(
	struct causes *c, const struct field_path *p, const struct resource_resource_slice_spec *s)
{
	const bool *const flags[] = {s->all_nodes, s->per_device_node_selection};
	static const char *const names[] = {"allNodes", "perDeviceNodeSelection"};
	str told = STR("");
	size_t count = 0;

	if (s->node_name && !s->node_name->len)
		causes_invalid(c, FIELD(p, "nodeName"), cause_text(*s->node_name),
			"must be either unset or set to a non-empty string");
	if (s->node_name && s->node_name->len) {
		told = STR(", `nodeName`");
		count++;
	}
	if (s->node_selector) {
		told = arena_fmt(c->arena, "%.*s, `nodeSelector`", STR_ARG(told));
		count++;
	}
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if (!flags[i])
			continue;
		if (!*flags[i]) {
			causes_invalid(c, FIELD(p, names[i]), cause_bool(false),
				"must be either unset or set to true");
			continue;
		}
		told = arena_fmt(c->arena, "%.*s, `%s`", STR_ARG(told), names[i]);
		count++;
	}
	if (!count)
		causes_required(c, p, ONE_CHOICE);
	if (count > 1)
		causes_invalid(c, p,
			cause_text(arena_fmt(c->arena, "{%.*s}", (int)told.len - 2, told.at + 2)),
			ONE_CHOICE ", but multiple fields are set");
}

static size_t devices_max(const struct resource_resource_slice_spec *s)
{
	for (size_t i = 0; i < s->devices.len; i++) {
		const struct resource_device *d = &s->devices.at[i];

		if (d->taints.len || d->consumes_counters.len)
			return DEVICES_ADVANCED_MAX;
		for (size_t k = 0; k < d->attributes.len; k++) {
			const struct resource_device_attribute *a = &d->attributes.at[k].value;

			if (a->bools.len || a->ints.len || a->strings.len || a->versions.len)
				return DEVICES_ADVANCED_MAX;
		}
	}
	return DEVICES_MAX;
}

void check_resource_slice_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_resource_slice_spec *s = o;
	const struct field_path *devices = FIELD(p, "devices");
	struct causes *c = v->causes;
	size_t max = devices_max(s);

	check_driver_name(c, FIELD(p, "driver"), s->driver);
	check_places(c, p, s);
	if (s->shared_counters.len && s->devices.len)
		causes_invalid(c, p, cause_text(STR("")),
			"only one of `sharedCounters` or `devices` is allowed");
	if (s->devices.len > max) {
		causes_too_many(c, devices, s->devices.len, max);
		return;
	}
	for (size_t i = 0; i < s->devices.len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(s->devices.at[i].name, s->devices.at[k].name)) {
				causes_duplicate(c, FIELD_INDEX(devices, i),
					cause_text(s->devices.at[i].name));
				break;
			}
}

void check_device(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device *d = o;
	size_t properties = d->attributes.len + d->capacity.len;
	struct causes *c = v->causes;

	check_name(c, FIELD(p, "name"), NAME_DNS1123_LABEL, d->name);
	if (properties > PROPERTIES_MAX)
		causes_invalid(c, p, cause_i64(c->arena, (int64_t)properties),
			"the total number of attributes and capacities must not exceed %d",
			PROPERTIES_MAX);
	for (size_t i = 0; i < d->attributes.len; i++)
		check_property_name(c, FIELD_KEY(FIELD(p, "attributes"), d->attributes.at[i].key),
			d->attributes.at[i].key);
	for (size_t i = 0; i < d->capacity.len; i++)
		check_property_name(c, FIELD_KEY(FIELD(p, "capacity"), d->capacity.at[i].key),
			d->capacity.at[i].key);
}

void check_device_attribute(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_attribute *a = o;
	size_t count = count_set(API_RESOURCE_DEVICE_ATTRIBUTE, a) + (a->ints.len != 0) +
		(a->bools.len != 0) + (a->strings.len != 0) + (a->versions.len != 0);

	if (a->string && a->string->len > ATTRIBUTE_MAX_BYTES)
		causes_too_long(v->causes, FIELD(p, "string"), ATTRIBUTE_MAX_BYTES);
	if (a->version && a->version->len > ATTRIBUTE_MAX_BYTES)
		causes_too_long(v->causes, FIELD(p, "version"), ATTRIBUTE_MAX_BYTES);
	if (!count)
		causes_invalid(
			v->causes, p, cause_text(STR("")), "exactly one value must be specified");
	if (count > 1)
		causes_invalid(v->causes, p,
			cause_struct(v->causes->arena,
				&api_schema.types[API_RESOURCE_DEVICE_ATTRIBUTE], a),
			"exactly one value must be specified");
}

void check_device_taint(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_device_taint *t = o;

	check_name(v->causes, FIELD(p, "key"), NAME_QUALIFIED, t->key);
}

/* --- what a scheduler writes: who has the claim, and which devices it is */

static void check_consumers(struct causes *c, const struct field_path *p,
	const struct resource_resource_claim_status *s)
{
	if (s->reserved_for.len > CONSUMERS_MAX) {
		causes_too_many(c, p, s->reserved_for.len, CONSUMERS_MAX);
		return;
	}
	for (size_t i = 0; i < s->reserved_for.len; i++) {
		const struct resource_resource_claim_consumer_reference *r = &s->reserved_for.at[i];
		const struct field_path *at = FIELD_INDEX(p, i);

		if (!r->resource.len)
			causes_required(c, FIELD(at, "resource"), "%s", "");
		if (!r->name.len)
			causes_required(c, FIELD(at, "name"), "%s", "");
		if (!r->uid.len)
			causes_required(c, FIELD(at, "uid"), "%s", "");
		for (size_t k = 0; k < i; k++)
			if (str_eq(r->uid, s->reserved_for.at[k].uid)) {
				causes_duplicate(c, at, cause_text(r->uid));
				break;
			}
	}
}

static void check_results(struct causes *c, const struct field_path *p,
	const struct resource_device_claim *claim, const struct resource_allocation_result *a)
{
	for (size_t i = 0; i < a->devices.results.len; i++) {
		const struct resource_device_request_allocation_result *r =
			&a->devices.results.at[i];
		const struct field_path *at = FIELD_INDEX(p, i);

		if (!has_request(claim, r->request))
			causes_invalid(c, FIELD(at, "request"), cause_text(r->request), A_REQUEST);
		check_driver_name(c, FIELD(at, "driver"), r->driver);
		check_pool_name(c, FIELD(at, "pool"), r->pool);
		check_name(c, FIELD(at, "device"), NAME_DNS1123_LABEL, r->device);
	}
}

void update_resource_claim_status(struct validation *v, const void *now, const void *before)
{
	const struct type *t = &api_schema.types[API_RESOURCE_ALLOCATION_RESULT];
	const struct resource_resource_claim *a = now, *b = before;
	const struct resource_allocation_result *given = a->status.allocation;
	const struct field_path *p = FIELD(NULL, "status"), *allocation = FIELD(p, "allocation");
	struct causes *c = v->causes;

	check_consumers(c, FIELD(p, "reservedFor"), &a->status);
	if (a->status.reserved_for.len && !given)
		causes_forbidden(c, FIELD(p, "reservedFor"),
			"may not be specified when `allocated` is not set");
	if (given && !b->status.allocation)
		check_results(
			c, FIELD(FIELD(allocation, "devices"), "results"), &b->spec.devices, given);
	else if (given && !struct_equal(t, given, b->status.allocation))
		causes_invalid(
			c, allocation, cause_struct(c->arena, t, given), "field is immutable");
}
