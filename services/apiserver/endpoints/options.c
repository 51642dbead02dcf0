#include "apiserver/endpoints/options.h"

#include "apiserver/endpoints/convert.h"
#include "lib/api/causes.h"
#include "lib/api/managed.h"
#include "lib/api/status.h"
#include "lib/codec/json.h"
#include "lib/value/quote.h"

static int set_field(struct arena *a, const struct type *t, const struct field *f,
	const struct url_query *q, void *o, struct err *e);
static str resolve_label(const struct resource *r, str label);

int options_from_query(
	struct arena *a, const struct type *t, const struct url_query *q, void **to, struct err *e)
{
	void *o = object_new(a, t);

	for (const struct field *f = json_fields(t); f < json_fields_end(t); f++)
		if (url_query_get(q, field_name(t, f)).at)
			TRY(set_field(a, t, f, q, o, e));
	*to = o;
	return 0;
}

int options_from_body(
	struct arena *a, const struct type *t, enum format f, str body, void **to, struct err *e)
{
	void *o;
	struct err why;

	if (object_decode(a, t, f, body, &o, NULL, &why) < 0)
		return status_fail(a, e, STATUS_BAD_REQUEST, "%s", why.text);
	str kind = ((struct object *)o)->kind;

	if (kind.len && !str_eq(kind, str_of(type_name(t))))
		return status_fail(a, e, STATUS_BAD_REQUEST,
			"decoded object cannot be converted to %s", type_name(t));
	*to = o;
	return 0;
}

bool options_dry_run(const struct str_list *dry_run)
{
	for (size_t i = 0; i < dry_run->len; i++)
		if (str_eq(dry_run->at[i], STR("All")))
			return true;
	return false;
}

enum field_validation options_field_validation(str directive)
{
	if (str_eq(directive, STR("Ignore")))
		return VALIDATE_IGNORE;
	return str_eq(directive, STR("Strict")) ? VALIDATE_STRICT : VALIDATE_WARN;
}

int revision_read(struct arena *a, str text, bool of_list, int64_t *to, struct err *e)
{
	uint64_t value = 0;
	char quoted[QUOTE_MAX];

	if (text.len && (!str_to_u64(text, &value) || value > INT64_MAX))
		return status_fail(a, e, of_list ? STATUS_BAD_REQUEST : STATUS_UNKNOWN,
			"%sresourceVersion: Invalid value: %s: strconv.ParseUint: parsing %s: "
			"invalid syntax",
			of_list ? "invalid resource version: " : "", quote(quoted, text), quoted);
	*to = (int64_t)value;
	return 0;
}

/* --- from the query */

static int malformed(struct arena *a, const char *call, str value, struct err *e)
{
	char quoted[QUOTE_MAX];

	return status_fail(a, e, STATUS_BAD_REQUEST, "strconv.%s: parsing %s: invalid syntax", call,
		quote(quoted, value));
}

static struct str_list all_values(struct arena *a, const struct url_query *q, str name)
{
	struct str_list list = {.at = arena_get(a, (q->len + 1) * sizeof(str))};

	for (size_t i = 0; i < q->len; i++)
		if (str_eq(q->params[i].name, name))
			list.at[list.len++] = q->params[i].value;
	return list;
}

static int set_field(struct arena *a, const struct type *t, const struct field *f,
	const struct url_query *q, void *o, struct err *e)
{
	str name = field_name(t, f), value = url_query_get(q, name);
	void *at = field_at(o, f);
	bool pointer = f->shape == SHAPE_POINTER;
	int64_t number;

	if (f->shape == SHAPE_LIST && f->kind == KIND_STRING) {
		*(struct str_list *)at = all_values(a, q, name);
		return 0;
	}
	switch (f->kind) {
	case KIND_STRING:
		if (pointer) {
			str *text = arena_get(a, sizeof(*text));

			*text = value;
			*(str **)at = text;
		} else {
			*(str *)at = value;
		}
		return 0;
	case KIND_BOOL:
		if (pointer)
			*(bool **)at = arena_bool(a,
				!str_eq_ignoring_case(value, STR("false")) &&
					!str_eq(value, STR("0")));
		else
			*(bool *)at = !str_eq_ignoring_case(value, STR("false")) &&
				!str_eq(value, STR("0"));
		return 0;
	case KIND_INT64:
		if (!str_to_i64(value, &number))
			return malformed(a, "ParseInt", value, e);
		if (pointer)
			*(int64_t **)at = arena_i64(a, number);
		else
			*(int64_t *)at = number;
		return 0;
	default: return 0; /* structs do not come in queries */
	}
}

/* --- checks */

static int refuse(struct arena *a, const char *kind, const struct causes *c, struct err *e)
{
	struct status_subject s = {STR("meta.k8s.io"), str_of(kind), {NULL, 0}};

	return c->len ? status_invalid(a, e, s, c) : 0;
}

static void check_dry_run(struct causes *c, const struct str_list *dry_run)
{
	static const str all[] = {STR_INIT("All")};
	struct buf b;
	bool bad = false;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < dry_run->len; i++) {
		bad |= !str_eq(dry_run->at[i], all[0]);
		buf_add_char(&b, i ? ',' : '[');
		json_put_str(&b, dry_run->at[i]);
	}
	buf_add_char(&b, ']');
	if (bad)
		causes_not_supported(c, FIELD(NULL, "dryRun"),
			cause_json(arena_str(c->arena, buf_str(&b))), all, COUNT_OF(all));
	buf_free(&b);
}

static void check_validation(struct causes *c, str directive)
{
	static const str allowed[] = {
		STR_INIT(""), STR_INIT("Ignore"), STR_INIT("Strict"), STR_INIT("Warn")};

	for (size_t i = 0; i < COUNT_OF(allowed); i++)
		if (str_eq(directive, allowed[i]))
			return;
	causes_not_supported(c, FIELD(NULL, "fieldValidation"), cause_text(directive), allowed,
		COUNT_OF(allowed));
}

static void check_write(
	struct causes *c, str manager, const struct str_list *dry_run, str validation)
{
	managed_check_name(c, FIELD(NULL, "fieldManager"), manager);
	check_dry_run(c, dry_run);
	check_validation(c, validation);
}

int create_options_check(struct arena *a, const struct create_options *o, struct err *e)
{
	struct causes c;

	causes_init(&c, a);
	check_write(&c, o->field_manager, &o->dry_run, o->field_validation);
	return refuse(a, "CreateOptions", &c, e);
}

int update_options_check(struct arena *a, const struct update_options *o, struct err *e)
{
	struct causes c;

	causes_init(&c, a);
	check_write(&c, o->field_manager, &o->dry_run, o->field_validation);
	return refuse(a, "UpdateOptions", &c, e);
}

int patch_options_check(struct arena *a, const struct patch_options *o, bool apply, struct err *e)
{
	struct causes c;

	causes_init(&c, a);
	if (apply && o->field_manager.len == 0)
		causes_required(&c, FIELD(NULL, "fieldManager"), "is required for apply patch");
	if (!apply && o->force)
		causes_forbidden(
			&c, FIELD(NULL, "force"), "may not be specified for non-apply patch");
	check_write(&c, o->field_manager, &o->dry_run, o->field_validation);
	return refuse(a, "PatchOptions", &c, e);
}

int delete_options_check(struct arena *a, const struct delete_options *o, struct err *e)
{
	static const str policies[] = {STR_INIT("Background"), STR_INIT("Foreground"),
		STR_INIT("Orphan"), STR_INIT("nil")};
	const struct field_path *path = FIELD(NULL, "propagationPolicy");
	struct causes c;
	bool known = !o->propagation_policy;

	causes_init(&c, a);
	if (o->propagation_policy && o->orphan_dependents)
		causes_invalid(&c, path, cause_text(*o->propagation_policy),
			"orphanDependents and deletionPropagation cannot be both set");
	for (size_t i = 0; i < 3 && !known; i++)
		known = str_eq(*o->propagation_policy, policies[i]);
	if (!known)
		causes_not_supported(
			&c, path, cause_text(*o->propagation_policy), policies, COUNT_OF(policies));
	check_dry_run(&c, &o->dry_run);
	return refuse(a, "DeleteOptions", &c, e);
}

static void check_watch(struct causes *c, const struct list_options *o)
{
	static const str matches[] = {STR_INIT("NotOlderThan")};
	const struct field_path *path = FIELD(NULL, "resourceVersionMatch");
	bool not_older = str_eq(o->resource_version_match, matches[0]);

	if (o->send_initial_events && !not_older)
		causes_forbidden(c, path,
			"sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	if (o->resource_version_match.len == 0)
		return;
	if (!o->send_initial_events)
		causes_forbidden(c, path,
			"resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
			"provided");
	if (!not_older)
		causes_not_supported(
			c, path, cause_text(o->resource_version_match), matches, COUNT_OF(matches));
	if (o->continue_.len)
		causes_forbidden(
			c, path, "resourceVersionMatch is forbidden when continue is provided");
}

static void check_list(struct causes *c, const struct list_options *o)
{
	static const str matches[] = {STR_INIT("Exact"), STR_INIT("NotOlderThan"), STR_INIT("")};
	const struct field_path *path = FIELD(NULL, "resourceVersionMatch");
	str match = o->resource_version_match;

	if (match.len && o->resource_version.len == 0)
		causes_forbidden(c, path,
			"resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (match.len && o->continue_.len)
		causes_forbidden(
			c, path, "resourceVersionMatch is forbidden when continue is provided");
	if (match.len && !str_eq(match, matches[0]) && !str_eq(match, matches[1]))
		causes_not_supported(c, path, cause_text(match), matches, COUNT_OF(matches));
	if (str_eq(match, matches[0]) && str_eq(o->resource_version, STR("0")))
		causes_forbidden(c, path,
			"resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	if (o->send_initial_events)
		causes_forbidden(c, FIELD(NULL, "sendInitialEvents"),
			"sendInitialEvents is forbidden for list");
}

/* A watch from "now" of an old client that says nothing of initial events asks for them. */
int list_options_check(struct arena *a, struct list_options *o, struct err *e)
{
	struct causes c;

	causes_init(&c, a);
	if (o->watch)
		check_watch(&c, o);
	else
		check_list(&c, o);
	return refuse(a, "ListOptions", &c, e);
}

/* --- selections */

static int read_fields(
	struct arena *a, const struct resource *r, struct selector *fields, struct err *e)
{
	for (size_t i = 0; i < fields->len; i++) {
		str label = resolve_label(r, fields->at[i].key);

		if (!label.at)
			return status_fail(a, e, STATUS_BAD_REQUEST,
				"field label not supported: %.*s", STR_ARG(fields->at[i].key));
		fields->at[i].key = convert_field_label(r, label);
	}
	return 0;
}

int selection_read(struct arena *a, const struct resource *r, const struct list_options *o, str ns,
	str name, struct selection *to, struct err *e)
{
	struct selection s = {.ns = ns.len ? ns : (str){NULL, 0}};
	struct err why;
	str fixed;

	if (o->label_selector.len &&
		selector_parse(a, o->label_selector, (str){NULL, 0}, &s.labels, &why) < 0)
		return status_fail(a, e, STATUS_BAD_REQUEST, "%s", why.text);
	if (o->field_selector.len &&
		selector_parse_fields(a, o->field_selector, &s.fields, &why) < 0)
		return status_fail(a, e, STATUS_BAD_REQUEST, "%s", why.text);
	TRY(read_fields(a, r, &s.fields, e));
	if (selector_exact_field(&s.fields, STR("metadata.name"), &fixed))
		s.name = fixed;
	if (name.len && s.fields.len && !str_eq(s.name, name))
		return status_fail(a, e, STATUS_BAD_REQUEST,
			"fieldSelector metadata.name doesn't match requested name");
	if (name.len)
		s.name = name;
	if (r->type == API_POD && selector_exact_field(&s.fields, STR("spec.nodeName"), &fixed))
		s.node = fixed;
	*to = s;
	return 0;
}

/* The name under which objects keep the value: an alias means the field that it has the path of. */
static str resolve_label(const struct resource *r, str label)
{
	if (str_eq(label, STR("metadata.name")))
		return label;
	if (str_eq(label, STR("metadata.namespace")))
		return r->namespaced ? label : (str){NULL, 0};
	for (const struct field_label *l = r->labels; l->name.at; l++)
		if (str_eq(l->name, label))
			return l->path.at && l->path.len ? l->path : l->name;
	return (str){NULL, 0};
}
