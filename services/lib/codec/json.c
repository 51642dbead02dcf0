#include "lib/codec/json.h"

#include <math.h>
#include <stdlib.h>
#include <yyjson.h>

/* yyjson's values stand in the order of the text, a container in front of what it holds. */

static void fill(struct json_item *to, str key, const yyjson_val *value);
static bool is_deeper_than(const yyjson_val *root, size_t count, size_t limit);

static void *take(void *ctx, size_t size)
{
	return arena_try(ctx, size);
}

static void *retake(void *ctx, void *old, size_t old_size, size_t size)
{
	if (size <= old_size)
		return old;
	void *larger = arena_try(ctx, size);

	if (larger)
		memcpy(larger, old, old_size);
	return larger;
}

static void leave(UNUSED void *ctx, UNUSED void *at)
{
}

int json_parse(struct arena *a, str text, struct json_item *root, struct err *e)
{
	const yyjson_alc memory = {.malloc = take, .realloc = retake, .free = leave, .ctx = a};
	yyjson_read_err problem;

	if (text.len > JSON_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "JSON text of %zu bytes is longer than %d", text.len,
			JSON_TEXT_MAX);
	if (text.len == 0)
		return err_set(e, ERR_INVALID, "unexpected end of JSON input");

	/* Without the in-situ flag the text is only read. */
	yyjson_doc *doc = yyjson_read_opts(
		(char *)(uintptr_t)text.at, text.len, YYJSON_READ_NUMBER_AS_RAW, &memory, &problem);

	if (!doc && problem.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		return arena_full(a, e);
	if (!doc)
		return err_set(e, ERR_INVALID, "JSON text, byte %zu: %s", problem.pos, problem.msg);
	if (is_deeper_than(doc->root, doc->val_read, JSON_DEPTH_MAX))
		return err_set(
			e, ERR_LIMIT, "JSON text is nested deeper than %d levels", JSON_DEPTH_MAX);
	fill(root, (str){NULL, 0}, doc->root);
	return 0;
}

struct json_walk json_enter(const struct json_item *container)
{
	if (container->kind < JSON_ARRAY)
		return (struct json_walk){0};
	return (struct json_walk){
		.next = (const yyjson_val *)container->at + 1,
		.left = container->count,
		.in_object = container->kind == JSON_OBJECT,
	};
}

static str text_of(const yyjson_val *value)
{
	return str_span(value->uni.str, (size_t)(value->tag >> YYJSON_TAG_BIT));
}

bool json_next(struct json_walk *w, struct json_item *item)
{
	const yyjson_val *value = w->next;
	str key = {NULL, 0};

	if (w->left == 0)
		return false;
	w->left--;
	if (w->in_object)
		key = text_of(value++);
	fill(item, key, value);
	w->next = item->kind >= JSON_ARRAY ? (const void *)((const char *)value + value->uni.ofs)
					   : value + 1;
	return true;
}

bool json_member(const struct json_item *object, str key, struct json_item *member)
{
	struct json_walk walk = json_enter(object);
	bool found = false;

	for (struct json_item item; walk.in_object && json_next(&walk, &item);) {
		if (str_eq(item.key, key)) {
			*member = item;
			found = true;
		}
	}
	return found;
}

str json_kind_name(enum json_kind kind)
{
	static const str names[] = {
		[JSON_NULL] = STR_INIT("null"),
		[JSON_BOOL] = STR_INIT("bool"),
		[JSON_NUMBER] = STR_INIT("number"),
		[JSON_STRING] = STR_INIT("string"),
		[JSON_ARRAY] = STR_INIT("array"),
		[JSON_OBJECT] = STR_INIT("object"),
	};

	return names[kind];
}

bool json_to_i64(const struct json_item *number, int64_t *to)
{
	return number->kind == JSON_NUMBER && str_to_i64(number->text, to);
}

bool json_to_f64(const struct json_item *number, double *to)
{
	if (number->kind != JSON_NUMBER)
		return false;
	/* The reader ends every number with a NUL. */
	double value = strtod(number->text.at, NULL);

	if (!isfinite(value))
		return false;
	*to = value;
	return true;
}

static void fill(struct json_item *to, str key, const yyjson_val *value)
{
	static const uint8_t kinds[] = {
		[YYJSON_TYPE_RAW] = JSON_NUMBER,
		[YYJSON_TYPE_NULL] = JSON_NULL,
		[YYJSON_TYPE_BOOL] = JSON_BOOL,
		[YYJSON_TYPE_STR] = JSON_STRING,
		[YYJSON_TYPE_ARR] = JSON_ARRAY,
		[YYJSON_TYPE_OBJ] = JSON_OBJECT,
	};
	uint64_t tag = value->tag;
	size_t count = (size_t)(tag >> YYJSON_TAG_BIT);
	enum json_kind kind = kinds[tag & YYJSON_TYPE_MASK];
	bool has_text = kind == JSON_STRING || kind == JSON_NUMBER;

	to->key = key;
	to->text = has_text ? str_span(value->uni.str, count) : (str){NULL, 0};
	to->at = value;
	to->count = kind >= JSON_ARRAY ? count : 0;
	to->kind = kind;
	to->truth = (tag & (YYJSON_TYPE_MASK | YYJSON_SUBTYPE_MASK)) ==
		(YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_TRUE);
}

static bool is_deeper_than(const yyjson_val *root, size_t count, size_t limit)
{
	const yyjson_val *ends[JSON_DEPTH_MAX + 1];
	size_t depth = 0;

	/* So few values cannot be nested so deep; most texts leave here. */
	if (count <= limit)
		return false;
	for (const yyjson_val *v = root; v < root + count; v++) {
		while (depth > 0 && v >= ends[depth - 1])
			depth--;
		if ((v->tag & YYJSON_TYPE_MASK) < YYJSON_TYPE_ARR)
			continue;
		if (depth == limit)
			return true;
		ends[depth++] = (const yyjson_val *)((const char *)v + v->uni.ofs);
	}
	return false;
}
