#include "lib/codec/yaml.h"

#include "lib/codec/yaml_node.h"

enum { COMPLAINT_MAX_BYTES = 1 << 16 };

static int to_json(struct arena *a, struct tree *t, str *json, struct err *e);
static int complaint(struct arena *a, const struct buf *lines, str *to, struct err *e);

int yaml_to_json(struct arena *a, str text, str *json, str *duplicates, struct err *e)
{
	struct yaml_node *root;
	struct tree *t;
	struct buf lines;
	str told = {NULL, 0}, out;

	if (text.len > YAML_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "YAML text of %zu bytes is longer than %d", text.len,
			YAML_TEXT_MAX);
	TRY(yaml_read_nodes(a, text, &root, e));
	buf_init(&lines, COMPLAINT_MAX_BYTES);
	int result = yaml_build(a, root, duplicates ? &lines : NULL, &t, e);

	if (result == 0)
		result = complaint(a, &lines, &told, e);
	buf_free(&lines);
	TRY(result);
	TRY(to_json(a, t, &out, e));
	*json = out;
	if (duplicates)
		*duplicates = told;
	return 0;
}

str yaml_cut(str *rest)
{
	str whole = *rest;
	ptrdiff_t at = str_find(whole, STR("\n---"));

	*rest = (str){NULL, 0};
	if (at < 0)
		return whole;
	str behind = str_slice(whole, (size_t)at + 4, whole.len);
	ptrdiff_t line_end = str_find_char(behind, '\n');

	if (line_end >= 0)
		*rest = str_slice(behind, (size_t)line_end + 1, behind.len);
	return str_slice(whole, 0, (size_t)at);
}

/* What JSON has no form for may still be replaced by a later value of its key: looked for last. */
static int check_values(const struct tree *t, struct err *e)
{
	char last = t->text.len > 0 ? t->text.at[t->text.len - 1] : 0;

	if (t->kind == JSON_NUMBER && (last == 'N' || last == 'f'))
		return err_set(e, ERR_INVALID, "json: unsupported value: %.*s", STR_ARG(t->text));
	for (size_t i = 0; t->kind == JSON_ARRAY && i < t->len; i++)
		TRY(check_values(t->items[i], e));
	for (size_t i = 0; t->kind == JSON_OBJECT && i < t->len; i++) {
		if (t->members[i].key.at == yaml_null_key.at)
			return err_set(e, ERR_INVALID, "unsupported map key of type: null");
		TRY(check_values(t->members[i].value, e));
	}
	return 0;
}

static int to_json(struct arena *a, struct tree *t, str *json, struct err *e)
{
	tree_sort(t);
	TRY(check_values(t, e));
	return tree_text(a, t, YAML_JSON_MAX, json, e);
}

static int complaint(struct arena *a, const struct buf *lines, str *to, struct err *e)
{
	*to = (str){NULL, 0};
	if (lines->len == 0)
		return 0;
	return arena_str_try(a, buf_str(lines), to, e);
}
