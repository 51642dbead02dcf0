#include "apiserver/endpoints/request_info.h"

#include "lib/value/name.h"
#include "lib/value/selector.h"

enum { PARTS_MAX = 32 }; /* what lies behind belongs to the last one */

struct parts {
	str at[PARTS_MAX];
	size_t len;
};

static struct parts split(str path);
static void skip(struct parts *p, size_t count);
static str verb_of(str method);
static str lower(struct arena *a, str text);
static void read_parts(struct parts *p, struct request_info *to);
static void refine(struct arena *a, const struct url_query *q, struct request_info *to);

int request_info_read(struct arena *a, str method, str path, const struct url_query *q,
	struct request_info *to, struct err *e)
{
	struct request_info i = {
		.path = path,
		.verb = lower(a, method),
		.group = STR(""),
		.version = STR(""),
		.resource = STR(""),
		.subresource = STR(""),
		.ns = STR(""),
		.name = STR(""),
	};
	struct parts p = split(path);
	bool groupless = p.len && str_eq(p.at[0], STR("api"));

	*to = i;
	if (p.len < 3 || (!groupless && !str_eq(p.at[0], STR("apis"))))
		return 0;
	i.prefix = p.at[0];
	skip(&p, 1);
	if (!groupless) {
		if (p.len < 3)
			return 0;
		i.group = p.at[0];
		skip(&p, 1);
	}
	i.is_resource = true;
	i.version = p.at[0];
	skip(&p, 1);
	if (str_eq(p.at[0], STR("proxy")) || str_eq(p.at[0], STR("watch"))) {
		if (p.len < 2)
			return err_set(e, ERR_INVALID,
				"unable to determine kind and namespace from url, %.*s",
				STR_ARG(path));
		i.verb = p.at[0];
		i.verb_in_path = true;
		skip(&p, 1);
	} else {
		i.verb = verb_of(method);
	}
	read_parts(&p, &i);
	refine(a, q, &i);
	*to = i;
	return 0;
}

bool query_flag(const struct url_query *q, str name)
{
	str value = url_query_get(q, name);

	return value.at && !str_eq_ignoring_case(value, STR("false")) && !str_eq(value, STR("0"));
}

/* Slashes around the path do not count, empty parts inside it do. */
static struct parts split(str path)
{
	struct parts p = {.len = 0};

	while (path.len && path.at[0] == '/')
		path = str_slice(path, 1, path.len);
	while (path.len && path.at[path.len - 1] == '/')
		path.len--;
	if (path.len == 0)
		return p;
	for (str rest = path; rest.at && p.len < PARTS_MAX;) {
		if (p.len == PARTS_MAX - 1) {
			p.at[p.len++] = rest;
			break;
		}
		p.at[p.len++] = str_cut(&rest, '/');
	}
	return p;
}

static void skip(struct parts *p, size_t count)
{
	memmove(p->at, p->at + count, (p->len - count) * sizeof(p->at[0]));
	p->len -= count;
}

static str verb_of(str method)
{
	static const struct {
		const char *method, *verb;
	} table[] = {
		{"POST", "create"},
		{"GET", "get"},
		{"HEAD", "get"},
		{"PUT", "update"},
		{"PATCH", "patch"},
		{"DELETE", "delete"},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (str_eq(method, str_of(table[i].method)))
			return str_of(table[i].verb);
	return STR("");
}

static str lower(struct arena *a, str text)
{
	char *to = arena_get(a, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		to[i] = (char)(text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] + 32
								      : text.at[i]);
	return str_span(to, text.len);
}

static void read_parts(struct parts *p, struct request_info *to)
{
	if (str_eq(p->at[0], STR("namespaces")) && p->len > 1) {
		to->ns = p->at[1];
		if (p->len > 2 && !str_eq(p->at[2], STR("status")) &&
			!str_eq(p->at[2], STR("finalize")))
			skip(p, 2);
	}
	to->resource = p->at[0];
	if (p->len >= 2)
		to->name = p->at[1];
	if (p->len >= 3 && !str_eq(to->verb, STR("proxy")))
		to->subresource = p->at[2];
	if (p->len >= 4) {
		const str *last = &p->at[p->len - 1];

		to->rest = str_span(p->at[3].at, (size_t)(last->at + last->len - p->at[3].at));
	}
}

/* Without a name a get is a list or a watch, a delete one of the whole collection; a field selector
 * that fixes the name names the object to authorization. */
static void refine(struct arena *a, const struct url_query *q, struct request_info *to)
{
	str fields = url_query_get(q, STR("fieldSelector")), name;
	struct selector s;
	struct name_faults faults;
	struct err ignored;

	if (to->name.len == 0 && str_eq(to->verb, STR("get"))) {
		to->verb = query_flag(q, STR("watch")) ? STR("watch") : STR("list");
		if (fields.at && selector_parse_fields(a, fields, &s, &ignored) == 0 &&
			selector_exact_field(&s, STR("metadata.name"), &name) &&
			name_check(NAME_PATH_SEGMENT, name, &faults))
			to->name = name;
	} else if (to->name.len == 0 && str_eq(to->verb, STR("delete"))) {
		to->verb = STR("deletecollection");
	}
	if (!to->verb_in_path &&
		(str_eq(to->verb, STR("list")) || str_eq(to->verb, STR("watch")) ||
			str_eq(to->verb, STR("deletecollection")))) {
		to->field_selector = fields;
		to->label_selector = url_query_get(q, STR("labelSelector"));
	}
}
