#include "apiserver/endpoints/table.h"

#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/printers.h"
#include "apiserver/endpoints/table_custom.h"
#include "lib/api/meta.h"
#include "lib/codec/json.h"
#include "lib/value/quote.h"

#include <stdarg.h>

static const struct column any_columns[] = {
	COLUMN_NAME, {"Created At", "date", NULL, 0}, COLUMNS_END};

static void print_any(struct cells *c, const void *object);
static int include(struct request *r, void *object, str *to, struct err *e);
static struct table_row *add_row(struct arena *a, struct table *t, str object);

static const struct printer any = {.columns = any_columns, .print = print_any};

const struct printer *printer_find(const struct type *t)
{
	static const struct printer *const tables[] = {
		printers_core, printers_workloads, printers_groups, printers_storage};

	for (size_t i = 0; i < COUNT_OF(tables); i++)
		for (const struct printer *p = tables[i]; p->print; p++)
			if (&api_schema.types[p->type] == t)
				return p;
	return &any;
}

/* A subresource is shown as what it is. */
static const struct printer *printer_of(const struct request *r)
{
	return printer_find(request_type(r));
}

static bool shows_custom(const struct request *r)
{
	return request_type(r)->schema->sorted;
}

int table_new(struct request *r, struct table **to, struct err *e)
{
	str include_object = url_query_get(&r->query, STR("includeObject"));
	const struct printer *p = printer_of(r);
	struct table *t = object_new(&r->arena, &api_schema.types[API_TABLE]);
	char quoted[QUOTE_MAX];
	size_t count = 0;

	if (include_object.len && !str_eq(include_object, STR("None")) &&
		!str_eq(include_object, STR("Metadata")) && !str_eq(include_object, STR("Object")))
		return status_fail(&r->arena, e, STATUS_BAD_REQUEST,
			"unrecognized includeObject value: %s", quote(quoted, include_object));
	if (!str_eq(r->form.as_version, STR("v1")))
		t->object.api_version = STR("meta.k8s.io/v1beta1");
	t->rows.at = arena_get(&r->arena, sizeof(struct table_row));
	*to = t;
	if (shows_custom(r)) {
		if (!query_flag(&r->query, STR("noHeaders")))
			custom_columns(&r->arena, r->resource->custom, t);
		return 0;
	}
	while (p->columns[count].name)
		count++;
	t->column_definitions.at = arena_get(
		&r->arena, (count + 1) * sizeof(struct table_column_definition));
	for (size_t i = 0; i < count; i++)
		t->column_definitions.at[i] = (struct table_column_definition){
			.name = str_of(p->columns[i].name),
			.type = str_of(p->columns[i].type),
			.format = p->columns[i].format ? str_of(p->columns[i].format) : STR(""),
			.description = STR(""),
			.priority = p->columns[i].priority,
		};
	if (!query_flag(&r->query, STR("noHeaders")))
		t->column_definitions.len = count;
	return 0;
}

int table_add(struct request *r, struct table *t, void *object, struct err *e)
{
	const struct clock *clock = r->endpoints->o.clock;
	const struct printer *p = printer_of(r);
	struct cells c = {.arena = &r->arena, .now_s = clock->wall_ns(clock) / NS_PER_S};
	str included;

	TRY(include(r, object, &included, e));
	struct table_row *row = add_row(&r->arena, t, included);

	if (shows_custom(r))
		return custom_cells(&c, r->resource->custom, object, &row->cells, e);
	p->print(&c, object);
	row->cells.at = arena_get(&r->arena, (c.len + 1) * sizeof(str));
	row->cells.len = c.len;
	memcpy(row->cells.at, c.at, c.len * sizeof(str));
	if (!c.condition.at)
		return 0;
	row->conditions.at = arena_get(&r->arena, sizeof(struct table_row_condition));
	row->conditions.at[0] = (struct table_row_condition){
		.type = c.condition, .status = STR("True"), .reason = c.condition_reason};
	row->conditions.len = 1;
	return 0;
}

int table_of_object(struct request *r, void *object, struct table **to, struct err *e)
{
	const struct object_meta *m = object_metadata(object);
	struct table *t;

	TRY(table_new(r, &t, e));
	if (m)
		t->metadata.resource_version = m->resource_version;
	TRY(table_add(r, t, object, e));
	*to = t;
	return 0;
}

int table_of_event(struct request *r, void *object, bool first, struct table **to, struct err *e)
{
	TRY(table_of_object(r, object, to, e));
	if (!first) {
		(*to)->column_definitions.at = NULL;
		(*to)->column_definitions.len = 0;
	}
	return 0;
}

static int include(struct request *r, void *object, str *to, struct err *e)
{
	str wish = url_query_get(&r->query, STR("includeObject"));
	struct buf b;

	if (str_eq(wish, STR("None"))) {
		*to = (str){NULL, 0};
		return 0;
	}
	if (!str_eq(wish, STR("Object")))
		object = metadata_view(&r->arena, object, r->form.as_version);
	buf_init(&b, BUF_NO_LIMIT);
	int result = object_encode(object, FORMAT_JSON, &b, e);

	if (result == 0)
		result = arena_str_try(&r->arena, buf_str(&b), to, e);
	buf_free(&b);
	return result;
}

/* Rows grow by doubling; what stands in front of a power of two is full. */
static struct table_row *add_row(struct arena *a, struct table *t, str object)
{
	size_t len = t->rows.len;
	struct table_row *row;

	if ((len & (len - 1)) == 0) {
		struct table_row *more = arena_get(a, (len ? 2 * len : 1) * sizeof(*more));

		if (len)
			memcpy(more, t->rows.at, len * sizeof(*more));
		t->rows.at = more;
	}
	row = &t->rows.at[t->rows.len++];
	row->object = object;
	return row;
}

/* --- cells */

static void cell(struct cells *c, struct buf *json)
{
	c->at[c->len++] = arena_str(c->arena, buf_str(json));
	buf_free(json);
}

void cell_text(struct cells *c, str text)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	json_put_str(&b, text.at ? text : STR(""));
	cell(c, &b);
}

void cell_fmt(struct cells *c, const char *fmt, ...)
{
	struct buf b;
	va_list args;
	char text[1024];

	va_start(args, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_init(&b, BUF_NO_LIMIT);
	json_put_str(&b, str_span(text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1));
	cell(c, &b);
}

void cell_number(struct cells *c, int64_t value)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_i64(&b, value);
	cell(c, &b);
}

void cell_bool(struct cells *c, bool value)
{
	c->at[c->len++] = value ? STR("true") : STR("false");
}

void cell_text_or_none(struct cells *c, str text)
{
	cell_text(c, text.len ? text : STR("<none>"));
}

void cell_age(struct cells *c, const struct time_value *since)
{
	struct buf b;

	if (!since || !since->set) {
		cell_text(c, STR("<unknown>"));
		return;
	}
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_char(&b, '"');
	put_age(&b, c->now_s - since->seconds);
	buf_add_char(&b, '"');
	cell(c, &b);
}

/* apimachinery/pkg/util/duration: the longer ago, the coarser. */
void put_age(struct buf *to, int64_t seconds)
{
	int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (seconds < -1)
		buf_add_str(to, STR("<invalid>"));
	else if (seconds < 0)
		buf_add_str(to, STR("0s"));
	else if (seconds < 120)
		buf_add_fmt(to, "%llds", (long long)seconds);
	else if (minutes < 10 && seconds % 60)
		buf_add_fmt(to, "%lldm%llds", (long long)minutes, (long long)(seconds % 60));
	else if (minutes < 180)
		buf_add_fmt(to, "%lldm", (long long)minutes);
	else if (hours < 8 && minutes % 60)
		buf_add_fmt(to, "%lldh%lldm", (long long)hours, (long long)(minutes % 60));
	else if (hours < 48)
		buf_add_fmt(to, "%lldh", (long long)hours);
	else if (days < 8 && hours % 24)
		buf_add_fmt(to, "%lldd%lldh", (long long)days, (long long)(hours % 24));
	else if (days < 2 * 365)
		buf_add_fmt(to, "%lldd", (long long)days);
	else if (days < 8 * 365 && days % 365)
		buf_add_fmt(to, "%lldy%lldd", (long long)(days / 365), (long long)(days % 365));
	else
		buf_add_fmt(to, "%lldy", (long long)(days / 365));
}

void cell_labels(struct cells *c, const struct str_map *labels)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < labels->len; i++)
		buf_add_fmt(&b, "%s%.*s=%.*s", i ? "," : "", STR_ARG(labels->at[i].key),
			STR_ARG(labels->at[i].value));
	cell_text_or_none(c, buf_str(&b));
	buf_free(&b);
}

void cell_selector(struct cells *c, const struct label_selector *s)
{
	struct meta_selector all;
	struct buf b;
	struct err e;

	if (meta_selector(c->arena, s, &all, &e) < 0) {
		cell_text(c, STR("<error>"));
		return;
	}
	buf_init(&b, BUF_NO_LIMIT);
	if (!all.nothing)
		selector_put(&b, &all.selector);
	cell_text_or_none(c, buf_str(&b));
	buf_free(&b);
}

void cell_or(struct cells *c, const str *text, const char *otherwise)
{
	cell_text(c, text ? *text : str_of(otherwise));
}

void cell_joined(struct cells *c, const struct str_list *texts)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < texts->len; i++)
		buf_add_fmt(&b, "%s%.*s", i ? "," : "", STR_ARG(texts->at[i]));
	cell_text_or_none(c, buf_str(&b));
	buf_free(&b);
}

static void print_any(struct cells *c, const void *object)
{
	const struct object_meta *m = object_metadata_of(object);
	struct buf b;

	cell_text(c, m ? m->name : STR(""));
	buf_init(&b, BUF_NO_LIMIT);
	if (m && m->creation_timestamp.set)
		time_put(&b, &m->creation_timestamp);
	cell_text(c, buf_str(&b));
	buf_free(&b);
}
