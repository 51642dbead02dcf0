/*
 * Answers: an object in the form that the client asked for.
 */
#include "apiserver/endpoints/convert.h"
#include "apiserver/endpoints/metadata_view.h"
#include "apiserver/endpoints/request.h"
#include "apiserver/endpoints/table.h"
#include "lib/codec/yaml.h"

static int encode(struct request *r, const void *object, struct err *e);
static int transform(struct request *r, void **object, struct err *e);

int answer_object(struct request *r, int code, void *object, struct err *e)
{
	bool is_status = object_type(object) == &api_schema.types[API_STATUS];

	if (!is_status) {
		TRY(convert_to_request(&r->arena, r->resource, &object, e));
		TRY(transform(r, &object, e));
	}
	TRY(encode(r, object, e));
	r->answer.code = code;
	return 0;
}

int answer_json(struct request *r, int code, str json, struct err *e)
{
	struct buf *to = &r->answer.body;
	struct json_item root;

	buf_reset(to);
	if (r->form.format == FORMAT_YAML) {
		TRY(json_parse(&r->arena, json, &root, e));
		TRY(yaml_put_item(&r->arena, to, &root, e));
	} else if (r->form.pretty) {
		json_indent(to, json);
	} else {
		buf_add_str(to, json);
		buf_add_char(to, '\n');
	}
	TRY(buf_ok(to, "the answer", e));
	r->answer.code = code;
	return 0;
}

void answer_error(struct request *r, const struct err *e)
{
	struct status s = *status_of(&r->arena, e);
	struct err broken;

	if (r->form.as != AS_OBJECT)
		r->form.as = AS_OBJECT;
	if (s.code == 401 || s.code == 429 || s.code >= 500)
		s.metadata = (struct list_meta){.resource_version = {NULL, 0}};
	if (s.details && s.details->retry_after_seconds > 0) {
		str seconds = arena_fmt(&r->arena, "%d", (int)s.details->retry_after_seconds);

		if (http_header_add(&r->answer.headers, &r->arena, STR("Retry-After"), seconds,
			    &broken) < 0)
			return;
	}
	r->answer.code = s.code;
	r->answer.content_type = (str){NULL, 0};
	if (encode(r, &s, &broken) < 0)
		buf_reset(&r->answer.body);
}

static int encode(struct request *r, const void *object, struct err *e)
{
	struct buf *to = &r->answer.body;
	struct buf compact;

	buf_reset(to);
	if (r->form.format != FORMAT_JSON || !r->form.pretty) {
		TRY(object_encode(object, r->form.format, to, e));
		if (r->form.format == FORMAT_JSON)
			buf_add_char(to, '\n');
		return buf_ok(to, "the answer", e);
	}
	buf_init(&compact, BUF_NO_LIMIT);
	int result = object_encode(object, FORMAT_JSON, &compact, e);

	if (result == 0)
		json_indent(to, buf_str(&compact));
	buf_free(&compact);
	return result;
}

static int transform(struct request *r, void **object, struct err *e)
{
	switch (r->form.as) {
	case AS_TABLE: return table_of_object(r, *object, (struct table **)object, e);
	case AS_METADATA: *object = metadata_view(&r->arena, *object, r->form.as_version); return 0;
	default: return 0;
	}
}

/* --- layout */

static void new_line(struct buf *to, size_t depth)
{
	buf_add_char(to, '\n');
	for (size_t i = 0; i < depth; i++)
		buf_add_str(to, STR("  "));
}

/* From the quote at `at` to behind its end. */
static size_t put_string(struct buf *to, str json, size_t at)
{
	size_t end = at + 1;

	while (end < json.len && json.at[end] != '"')
		end += json.at[end] == '\\' ? 2 : 1;
	end = end < json.len ? end + 1 : json.len;
	buf_add(to, json.at + at, end - at);
	return end;
}

void json_indent(struct buf *to, str json)
{
	size_t depth = 0;

	for (size_t i = 0; i < json.len;) {
		char c = json.at[i];
		bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';

		if (c == '"') {
			i = put_string(to, json, i);
			continue;
		}
		if (closes)
			new_line(to, --depth);
		buf_add_char(to, c);
		i++;
		if (opens && i < json.len && (json.at[i] == '}' || json.at[i] == ']'))
			buf_add_char(to, json.at[i++]);
		else if (opens)
			new_line(to, ++depth);
		else if (c == ',')
			new_line(to, depth);
		else if (c == ':')
			buf_add_char(to, ' ');
	}
}
