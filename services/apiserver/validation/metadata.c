#include "apiserver/validation/rules.h"
#include "lib/api/managed.h"
#include "lib/os/net.h"
#include "lib/value/quote.h"

enum {
	ANNOTATIONS_MAX_BYTES = 256 << 10,
	PORT_MAX = 65535,
};

static void check_owners(struct causes *c, const struct field_path *p, const struct object_meta *m);
static void check_owner(
	struct causes *c, const struct field_path *p, const struct owner_reference *o);
static void check_finalizers(
	struct causes *c, const struct field_path *p, const struct object_meta *m);
static bool is_standard(str finalizer) PURE;
static void check_no_new_finalizers(struct causes *c, const struct field_path *p,
	const struct object_meta *now, const struct object_meta *before);
static void check_requirement(
	struct causes *c, const struct field_path *p, const struct label_selector_requirement *r);
static void check_same(struct causes *c, const struct field_path *p, str now, str before);

void check_metadata(struct causes *c, const struct type *t, const struct object_meta *m)
{
	const struct kind_rules *k = kind_rules_of(t);
	const struct field_path *p = FIELD(NULL, "metadata");
	enum name_form form = k ? k->name : NAME_DNS1123_SUBDOMAIN;

	if (m->generate_name.len && (int)form != NAME_IP)
		check_name(c, FIELD(p, "generateName"), form,
			name_of_prefix(c->arena, m->generate_name));
	if (!m->name.len)
		causes_required(c, FIELD(p, "name"), "name or generateName is required");
	else if ((int)form == NAME_IP)
		check_ip(c, FIELD(p, "name"), m->name);
	else
		check_name(c, FIELD(p, "name"), form, m->name);
	if (m->namespace.len)
		check_name(c, FIELD(p, "namespace"), NAME_DNS1123_LABEL, m->namespace);
	check_not_negative(c, FIELD(p, "generation"), m->generation);
	check_labels(c, FIELD(p, "labels"), &m->labels);
	check_annotations(c, FIELD(p, "annotations"), &m->annotations);
	check_owners(c, FIELD(p, "ownerReferences"), m);
	check_finalizers(c, FIELD(p, "finalizers"), m);
	managed_check(c, FIELD(p, "managedFields"), m);
}

void metadata_validate(
	const struct object_meta *now, const struct object_meta *before, struct causes *c)
{
	if (before)
		check_metadata_update(c, now, before);
	else
		check_metadata(c, api_type(API_OBJECT_META), now);
}

void check_metadata_update(
	struct causes *c, const struct object_meta *now, const struct object_meta *before)
{
	const struct field_path *p = FIELD(NULL, "metadata");

	if (before->deletion_timestamp)
		check_no_new_finalizers(c, FIELD(p, "finalizers"), now, before);
	if (!now->resource_version.len)
		causes_invalid(c, FIELD(p, "resourceVersion"), cause_text(now->resource_version),
			"must be specified for an update");
	if (now->generation < before->generation)
		causes_invalid(c, FIELD(p, "generation"), cause_i64(c->arena, now->generation),
			"must not be decremented");
	check_same(c, FIELD(p, "name"), now->name, before->name);
	check_same(c, FIELD(p, "namespace"), now->namespace, before->namespace);
	check_same(c, FIELD(p, "uid"), now->uid, before->uid);
	check_labels(c, FIELD(p, "labels"), &now->labels);
	check_annotations(c, FIELD(p, "annotations"), &now->annotations);
	check_owners(c, FIELD(p, "ownerReferences"), now);
	check_finalizers(c, FIELD(p, "finalizers"), now);
	managed_check(c, FIELD(p, "managedFields"), now);
}

void check_template_metadata(
	struct causes *c, const struct field_path *p, const struct object_meta *m)
{
	check_labels(c, FIELD(p, "labels"), &m->labels);
	check_annotations(c, FIELD(p, "annotations"), &m->annotations);
}

void check_name(struct causes *c, const struct field_path *p, enum name_form form, str name)
{
	struct name_faults f;

	if (name_check(form, name, &f))
		return;
	for (size_t i = 0; i < f.len; i++)
		causes_invalid(c, p, cause_text(name), "%s", f.at[i]);
}

void check_label_key(struct causes *c, const struct field_path *p, str key)
{
	check_name(c, p, NAME_QUALIFIED, key);
}

void check_labels(struct causes *c, const struct field_path *p, const struct str_map *labels)
{
	for (size_t i = 0; i < labels->len; i++) {
		check_label_key(c, p, labels->at[i].key);
		check_name(c, p, NAME_LABEL_VALUE, labels->at[i].value);
	}
}

void check_annotations(
	struct causes *c, const struct field_path *p, const struct str_map *annotations)
{
	size_t total = 0;

	for (size_t i = 0; i < annotations->len; i++) {
		const struct str_entry *one = &annotations->at[i];
		char *lower = arena_get(c->arena, one->key.len + 1);
		struct name_faults f;

		for (size_t k = 0; k < one->key.len; k++)
			lower[k] = one->key.at[k] >= 'A' && one->key.at[k] <= 'Z'
				? (char)(one->key.at[k] + 32)
				: one->key.at[k];
		if (!name_check(NAME_QUALIFIED, str_span(lower, one->key.len), &f))
			for (size_t k = 0; k < f.len; k++)
				causes_invalid(c, p, cause_text(one->key), "%s", f.at[k]);
		total += one->key.len + one->value.len;
	}
	if (total > ANNOTATIONS_MAX_BYTES)
		causes_too_long(c, p, ANNOTATIONS_MAX_BYTES);
}

void check_label_selector(struct validation *v, const struct field_path *p, const void *o)
{
	const struct label_selector *s = o;

	check_labels(v->causes, FIELD(p, "matchLabels"), &s->match_labels);
	for (size_t i = 0; i < s->match_expressions.len; i++)
		check_requirement(v->causes, FIELD_INDEX(FIELD(p, "matchExpressions"), i),
			&s->match_expressions.at[i]);
}

void check_not_negative(struct causes *c, const struct field_path *p, int64_t value)
{
	if (value < 0)
		causes_invalid(
			c, p, cause_i64(c->arena, value), "must be greater than or equal to 0");
}

void check_port(struct causes *c, const struct field_path *p, int64_t port)
{
	if (port < 1 || port > PORT_MAX)
		causes_invalid(
			c, p, cause_i64(c->arena, port), "must be between 1 and 65535, inclusive");
}

void check_port_or_name(struct causes *c, const struct field_path *p, const struct int_or_string *v)
{
	if (v->is_text)
		check_name(c, p, NAME_PORT, v->text);
	else
		check_port(c, p, v->number);
}

void check_ip(struct causes *c, const struct field_path *p, str ip)
{
	struct net_address at;
	struct err e;

	if (net_address_parse(ip, 0, &at, &e) < 0)
		causes_invalid(c, p, cause_text(ip),
			"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

void check_immutable(struct causes *c, const void *now, const void *before, const char *paths)
{
	const struct type *t = object_type(now);

	for (str rest = str_of(paths); rest.at;) {
		const char *path = arena_str(c->arena, str_cut(&rest, ' ')).at;
		struct cause_value a = cause_field(c->arena, t, now, path);
		struct cause_value b = cause_field(c->arena, t, before, path);
		const struct field_path *p = NULL;

		if (str_eq(a.text, b.text))
			continue;
		for (str words = str_of(path); words.at;) {
			struct field_path *next = arena_get(c->arena, sizeof(*next));

			next->parent = p;
			next->name = arena_str(c->arena, str_cut(&words, '.')).at;
			p = next;
		}
		causes_invalid(c, p, a, "field is immutable");
	}
}

void check_selects_template(struct causes *c, const struct field_path *p,
	const struct label_selector *s, const struct object_meta *m)
{
	struct meta_selector selector;
	struct err e;

	if (meta_selector(c->arena, s, &selector, &e) == 0 && !meta_matches(&selector, &m->labels))
		causes_invalid(c, FIELD(FIELD(FIELD(p, "template"), "metadata"), "labels"),
			cause_field(c->arena, &api_schema.types[API_OBJECT_META], m, "labels"),
			"`selector` does not match template `labels`");
}

static void check_owners(struct causes *c, const struct field_path *p, const struct object_meta *m)
{
	const struct owner_reference *controller = NULL;

	for (size_t i = 0; i < m->owner_references.len; i++) {
		const struct owner_reference *o = &m->owner_references.at[i];

		check_owner(c, p, o);
		if (!o->controller || !*o->controller)
			continue;
		if (controller)
			causes_invalid(c, p,
				cause_field(c->arena, &api_schema.types[API_OBJECT_META], m,
					"ownerReferences"),
				"Only one reference can have Controller set to true. Found "
				"\"true\" in "
				"references for %.*s/%.*s and %.*s/%.*s",
				STR_ARG(controller->kind), STR_ARG(controller->name),
				STR_ARG(o->kind), STR_ARG(o->name));
		else
			controller = o;
	}
}

static void check_owner(
	struct causes *c, const struct field_path *p, const struct owner_reference *o)
{
	if (!o->api_version.len)
		causes_invalid(c, FIELD(p, "apiVersion"), cause_text(o->api_version),
			"version must not be empty");
	if (!o->kind.len)
		causes_invalid(c, FIELD(p, "kind"), cause_text(o->kind), "must not be empty");
	if (!o->name.len)
		causes_invalid(c, FIELD(p, "name"), cause_text(o->name), "must not be empty");
	if (!o->uid.len)
		causes_invalid(c, FIELD(p, "uid"), cause_text(o->uid), "must not be empty");
	if (str_eq(o->api_version, STR("v1")) && str_eq(o->kind, STR("Event")))
		causes_invalid(c, p,
			cause_struct(c->arena, &api_schema.types[API_OWNER_REFERENCE], o),
			"/v1, Kind=Event is disallowed from being an owner");
}

static void check_finalizers(
	struct causes *c, const struct field_path *p, const struct object_meta *m)
{
	for (size_t i = 0; i < m->finalizers.len; i++)
		check_name(c, p, NAME_QUALIFIED, m->finalizers.at[i]);
	for (size_t i = 0; i < m->finalizers.len; i++)
		if (str_find_char(m->finalizers.at[i], '/') < 0 &&
			!is_standard(m->finalizers.at[i]))
			causes_invalid(c, FIELD_INDEX(p, i), cause_text(m->finalizers.at[i]),
				"name is neither a standard finalizer name nor is it fully "
				"qualified");
	if (meta_has_finalizer(m, STR("orphan")) &&
		meta_has_finalizer(m, STR("foregroundDeletion")))
		causes_invalid(c, p,
			cause_field(c->arena, &api_schema.types[API_OBJECT_META], m, "finalizers"),
			"finalizer orphan and foregroundDeletion cannot be both set");
}

static void check_no_new_finalizers(struct causes *c, const struct field_path *p,
	const struct object_meta *now, const struct object_meta *before)
{
	struct buf b;
	size_t count = 0;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < now->finalizers.len; i++)
		if (!meta_has_finalizer(before, now->finalizers.at[i])) {
			buf_add_str(&b, count++ ? STR(", ") : STR(""));
			quote_put(&b, now->finalizers.at[i]);
		}
	if (count)
		causes_forbidden(c, p,
			"no new finalizers can be added if the object is being deleted, found new "
			"finalizers []string{%.*s}",
			STR_ARG(buf_str(&b)));
	buf_free(&b);
}

static bool is_standard(str finalizer)
{
	return str_eq(finalizer, STR("kubernetes")) || str_eq(finalizer, STR("orphan")) ||
		str_eq(finalizer, STR("foregroundDeletion"));
}

static void check_requirement(
	struct causes *c, const struct field_path *p, const struct label_selector_requirement *r)
{
	bool in = str_eq(r->operator, STR("In")) || str_eq(r->operator, STR("NotIn"));
	bool exists = str_eq(r->operator, STR("Exists")) ||
		str_eq(r->operator, STR("DoesNotExist"));

	if (in && !r->values.len)
		causes_required(c, FIELD(p, "values"),
			"must be specified when `operator` is 'In' or 'NotIn'");
	else if (exists && r->values.len)
		causes_forbidden(c, FIELD(p, "values"),
			"may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	else if (!in && !exists)
		causes_invalid(c, FIELD(p, "operator"), cause_text(r->operator),
			"not a valid selector operator");
	check_label_key(c, FIELD(p, "key"), r->key);
	for (size_t i = 0; i < r->values.len; i++)
		check_name(
			c, FIELD_INDEX(FIELD(p, "values"), i), NAME_LABEL_VALUE, r->values.at[i]);
}

static void check_same(struct causes *c, const struct field_path *p, str now, str before)
{
	if (!str_eq(now, before))
		causes_invalid(c, p, cause_text(now), "field is immutable");
}
