#include "apiserver/endpoints/table_custom.h"

#include "lib/api/meta.h"
#include "lib/codec/json.h"
#include "lib/schema/object_tree.h"
#include "lib/structural/json_path.h"
#include "lib/structural/structural.h"

static const struct crd_custom_resource_column_definition age = {.name = STR_INIT("Age"),
	.type = STR_INIT("date"),
	.description = STR_INIT(""),
	.json_path = STR_INIT(".metadata.creationTimestamp")};

static const struct crd_custom_resource_column_definition *columns_of(
	const struct structural *s, size_t *count)
{
	*count = s->version->additional_printer_columns.len;
	if (*count)
		return s->version->additional_printer_columns.at;
	*count = 1;
	return &age;
}

void custom_columns(struct arena *a, const struct structural *s, struct table *t)
{
	const struct crd_custom_resource_column_definition *from;
	struct table_column_definition *to;
	size_t count;

	from = columns_of(s, &count);
	to = arena_get(a, (count + 1) * sizeof(*to));
	to[0] = (struct table_column_definition){.name = STR("Name"),
		.type = STR("string"),
		.format = STR("name"),
		.description = STR("")};
	for (size_t i = 0; i < count; i++)
		to[i + 1] = (struct table_column_definition){
			.name = from[i].name,
			.type = from[i].type,
			.format = from[i].format.at ? from[i].format : STR(""),
			.description = from[i].description.len || from == &age
				? from[i].description
				: arena_fmt(a,
					  "Custom resource definition column (in JSONPath "
					  "format): %.*s",
					  STR_ARG(from[i].json_path)),
			.priority = from[i].priority,
		};
	t->column_definitions.at = to;
	t->column_definitions.len = count + 1;
}

static void put_date(struct cells *c, str text, struct buf *to)
{
	struct time_value t;
	struct err e;

	if (time_parse(text, &t, &e) < 0) {
		buf_add_str(to, STR("\"<invalid>\""));
		return;
	}
	buf_add_char(to, '"');
	put_age(to, c->now_s - t.seconds);
	buf_add_char(to, '"');
}

/* A value of another type than the column's is none. */
static void put_cell(struct cells *c, str type, const struct json_item *v, struct buf *to)
{
	double number;

	if (str_eq(type, STR("string")) && v->kind == JSON_STRING) {
		json_put_str(to, v->text);
	} else if (str_eq(type, STR("string")) && v->kind != JSON_NULL) {
		struct buf text;

		buf_init(&text, BUF_NO_LIMIT);
		json_put_item(&text, v);
		json_put_str(to, buf_str(&text));
		buf_free(&text);
	} else if (str_eq(type, STR("integer")) && v->kind == JSON_NUMBER &&
		json_to_f64(v, &number)) {
		buf_add_i64(to, (int64_t)number);
	} else if ((str_eq(type, STR("number")) && v->kind == JSON_NUMBER) ||
		(str_eq(type, STR("boolean")) && v->kind == JSON_BOOL)) {
		json_put_item(to, v);
	} else if (str_eq(type, STR("date")) && v->kind == JSON_STRING) {
		put_date(c, v->text, to);
	} else {
		buf_add_str(to, STR("null"));
	}
}

static int read_object(struct arena *a, const void *o, struct json_item *to, struct err *e)
{
	str json;

	TRY(object_json(a, o, &json, e));
	return json_parse(a, json, to, e);
}

int custom_cells(struct cells *c, const struct structural *s, const void *object,
	struct str_list *to, struct err *e)
{
	const struct crd_custom_resource_column_definition *columns;
	struct json_item root, found;
	struct buf cell;
	size_t count;

	TRY(read_object(c->arena, object, &root, e));
	columns = columns_of(s, &count);
	to->at = arena_get(c->arena, (count + 1) * sizeof(str));
	to->len = count + 1;
	buf_init(&cell, BUF_NO_LIMIT);
	json_put_str(&cell, meta_of(object)->name);
	to->at[0] = arena_str(c->arena, buf_str(&cell));
	for (size_t i = 0; i < count; i++) {
		buf_reset(&cell);
		if (json_path_find(&root, columns[i].json_path, &found))
			put_cell(c, columns[i].type, &found, &cell);
		else
			buf_add_str(&cell, STR("null"));
		to->at[i + 1] = arena_str(c->arena, buf_str(&cell));
	}
	buf_free(&cell);
	return 0;
}
