#include "lib/schema/object_tree.h"

int object_json(struct arena *a, const void *o, str *to, struct err *e)
{
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	int result = object_encode(o, FORMAT_JSON, &b, e);

	if (result == 0)
		result = arena_str_try(a, buf_str(&b), to, e);
	buf_free(&b);
	return result;
}

int object_tree(struct arena *a, const void *o, struct tree **to, struct err *e)
{
	str json;

	TRY(object_json(a, o, &json, e));
	return tree_read(a, json, to, e);
}

int object_of_tree(
	struct arena *a, const struct type *t, const struct tree *tree, void **to, struct err *e)
{
	str json;

	TRY(tree_text(a, tree, JSON_TEXT_MAX, &json, e));
	return object_decode(a, t, FORMAT_JSON, json, to, NULL, e);
}
