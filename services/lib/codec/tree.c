#include "lib/codec/tree.h"

#include <stdlib.h>

enum { SEARCHED_MAX = 16 }; /* members; a larger object has a hash table */

static int build(struct arena *a, const struct json_item *item, struct tree **to, struct err *e);
static size_t find(const struct tree *object, str key);
static int make_room(struct arena *a, struct tree *object, struct err *e);
static void add_slot(struct tree *object, size_t at);

int tree_read(struct arena *a, str json, struct tree **to, struct err *e)
{
	struct json_item root;

	TRY(json_parse(a, json, &root, e));
	return build(a, &root, to, e);
}

static int fill_object(struct arena *a, const struct json_item *item, struct tree *t, struct err *e)
{
	struct json_walk walk = json_enter(item);

	for (struct json_item below; json_next(&walk, &below);) {
		struct tree *value;

		TRY(build(a, &below, &value, e));
		TRY(tree_set(a, t, below.key, value, e));
	}
	return 0;
}

static int fill_array(struct arena *a, const struct json_item *item, struct tree *t, struct err *e)
{
	struct json_walk walk = json_enter(item);

	t->cap = item->count;
	t->items = arena_try_array(a, t->cap, sizeof(struct tree *));
	if (!t->items)
		return arena_full(a, e);
	for (struct json_item below; json_next(&walk, &below); t->len++)
		TRY(build(a, &below, &t->items[t->len], e));
	return 0;
}

static int build(struct arena *a, const struct json_item *item, struct tree **to, struct err *e)
{
	struct tree *t = tree_new(a, item->kind);

	if (!t)
		return arena_full(a, e);
	if (item->kind == JSON_OBJECT)
		TRY(fill_object(a, item, t, e));
	else if (item->kind == JSON_ARRAY)
		TRY(fill_array(a, item, t, e));
	else
		t->text = item->text;
	t->truth = item->truth;
	*to = t;
	return 0;
}

void tree_put(struct buf *b, const struct tree *t)
{
	bool first = true;

	switch (t->kind) {
	case JSON_NULL: buf_add_str(b, STR("null")); return;
	case JSON_BOOL: buf_add_str(b, t->truth ? STR("true") : STR("false")); return;
	case JSON_NUMBER: buf_add_str(b, t->text); return;
	case JSON_STRING: json_put_str(b, t->text); return;
	case JSON_ARRAY:
		buf_add_char(b, '[');
		for (size_t i = 0; i < t->len; i++) {
			if (i > 0)
				buf_add_char(b, ',');
			tree_put(b, t->items[i]);
		}
		buf_add_char(b, ']');
		return;
	case JSON_OBJECT: break;
	}
	buf_add_char(b, '{');
	for (size_t i = 0; i < t->len; i++) {
		if (!t->members[i].key.at)
			continue;
		if (!first)
			buf_add_char(b, ',');
		first = false;
		json_put_str(b, t->members[i].key);
		buf_add_char(b, ':');
		tree_put(b, t->members[i].value);
	}
	buf_add_char(b, '}');
}

int tree_text(struct arena *a, const struct tree *t, size_t limit_bytes, str *to, struct err *e)
{
	struct buf b;

	buf_init(&b, limit_bytes);
	tree_put(&b, t);
	int result = buf_ok(&b, "the JSON text", e);

	if (result == 0)
		result = arena_str_try(a, buf_str(&b), to, e);
	buf_free(&b);
	return result;
}

struct tree *tree_get(const struct tree *object, str key)
{
	size_t at = find(object, key);

	return at < object->len ? object->members[at].value : NULL;
}

int tree_set(struct arena *a, struct tree *object, str key, struct tree *value, struct err *e)
{
	size_t at = find(object, key);

	if (at == object->len) {
		TRY(make_room(a, object, e));
		at = object->len++;
		object->members[at].key = key;
		if (object->slots)
			add_slot(object, at);
	}
	object->members[at].value = value;
	return 0;
}

bool tree_remove(struct tree *object, str key)
{
	size_t at = find(object, key);

	if (at == object->len)
		return false;
	object->members[at] = (struct tree_member){0};
	return true;
}

struct tree_member *tree_next(const struct tree *object, size_t *at)
{
	while (*at < object->len) {
		struct tree_member *member = &object->members[(*at)++];

		if (member->key.at)
			return member;
	}
	return NULL;
}

int tree_insert(struct arena *a, struct tree *array, size_t at, struct tree *value, struct err *e)
{
	void *items = array->items;

	if (arena_grow(a, &items, array->len, &array->cap, sizeof(struct tree *)) < 0)
		return arena_full(a, e);
	array->items = items;
	memmove(&array->items[at + 1], &array->items[at],
		(array->len - at) * sizeof(struct tree *));
	array->items[at] = value;
	array->len++;
	return 0;
}

void tree_take_out(struct tree *array, size_t at)
{
	array->len--;
	memmove(&array->items[at], &array->items[at + 1],
		(array->len - at) * sizeof(struct tree *));
}

struct tree *tree_new(struct arena *a, enum json_kind kind)
{
	struct tree *t = arena_try(a, sizeof(*t));

	if (t)
		t->kind = kind;
	return t;
}

int tree_copy(struct arena *a, const struct tree *t, struct tree **to, struct err *e)
{
	struct tree *copy = tree_new(a, t->kind), *below;

	if (!copy)
		return arena_full(a, e);
	copy->truth = t->truth;
	copy->text = t->text;
	if (t->kind == JSON_ARRAY) {
		for (size_t i = 0; i < t->len; i++) {
			TRY(tree_copy(a, t->items[i], &below, e));
			TRY(tree_insert(a, copy, i, below, e));
		}
	} else if (t->kind == JSON_OBJECT) {
		const struct tree_member *m;

		for (size_t i = 0; (m = tree_next(t, &i));) {
			TRY(tree_copy(a, m->value, &below, e));
			TRY(tree_set(a, copy, m->key, below, e));
		}
	}
	*to = copy;
	return 0;
}

void tree_drop_nulls(struct tree *t)
{
	const struct tree_member *m;

	for (size_t i = 0; t->kind == JSON_ARRAY && i < t->len; i++)
		tree_drop_nulls(t->items[i]);
	for (size_t i = 0; t->kind == JSON_OBJECT && (m = tree_next(t, &i));) {
		if (m->value->kind == JSON_NULL)
			tree_remove(t, m->key);
		else
			tree_drop_nulls(m->value);
	}
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct tree_member *)a)->key, ((const struct tree_member *)b)->key);
}

void tree_sort(struct tree *t)
{
	const struct tree_member *m;
	size_t kept = 0;

	for (size_t i = 0; t->kind == JSON_ARRAY && i < t->len; i++)
		tree_sort(t->items[i]);
	if (t->kind != JSON_OBJECT)
		return;
	for (size_t i = 0; (m = tree_next(t, &i));) {
		tree_sort(m->value);
		t->members[kept++] = *m;
	}
	t->len = kept;
	if (kept > 0)
		qsort(t->members, kept, sizeof(*t->members), by_key);
	if (!t->slots)
		return;
	memset(t->slots, 0, t->cap * 2 * sizeof(*t->slots));
	for (size_t i = 0; i < t->len; i++)
		add_slot(t, i);
}

static size_t count_members(const struct tree *object)
{
	size_t count = 0;

	for (size_t i = 0; tree_next(object, &i);)
		count++;
	return count;
}

static bool objects_equal(const struct tree *a, const struct tree *b)
{
	const struct tree_member *m;

	if (count_members(a) != count_members(b))
		return false;
	for (size_t i = 0; (m = tree_next(a, &i));) {
		const struct tree *other = tree_get(b, m->key);

		if (!other || !tree_equal(m->value, other))
			return false;
	}
	return true;
}

bool tree_equal(const struct tree *a, const struct tree *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case JSON_NULL: return true;
	case JSON_BOOL: return a->truth == b->truth;
	case JSON_NUMBER:
	case JSON_STRING: return str_eq(a->text, b->text);
	case JSON_OBJECT: return objects_equal(a, b);
	case JSON_ARRAY: break;
	}
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (!tree_equal(a->items[i], b->items[i]))
			return false;
	}
	return true;
}

/* The member's place, or len. A slot may lead to a removed member, which has no key. */
static size_t find(const struct tree *object, str key)
{
	if (!object->slots) {
		for (size_t i = 0; i < object->len; i++) {
			if (object->members[i].key.at && str_eq(object->members[i].key, key))
				return i;
		}
		return object->len;
	}
	size_t mask = object->cap * 2 - 1;

	for (size_t slot = hash_keyed(object->hash_key, key) & mask; object->slots[slot];
		slot = (slot + 1) & mask) {
		size_t at = object->slots[slot] - 1;

		if (object->members[at].key.at && str_eq(object->members[at].key, key))
			return at;
	}
	return object->len;
}

static void add_slot(struct tree *object, size_t at)
{
	size_t mask = object->cap * 2 - 1;
	size_t slot = hash_keyed(object->hash_key, object->members[at].key) & mask;

	while (object->slots[slot])
		slot = (slot + 1) & mask;
	object->slots[slot] = (uint32_t)at + 1;
}

/* A new table for the members that are there; removed ones are left behind. */
static int make_room(struct arena *a, struct tree *object, struct err *e)
{
	if (object->len < object->cap)
		return 0;
	struct tree larger = {.kind = JSON_OBJECT, .cap = object->cap ? object->cap * 2 : 4};
	const struct tree_member *m;

	larger.members = arena_try_array(a, larger.cap, sizeof(*larger.members));
	if (!larger.members)
		return arena_full(a, e);
	if (larger.cap > SEARCHED_MAX) {
		larger.slots = arena_try_array(a, larger.cap * 2, sizeof(*larger.slots));
		if (!larger.slots)
			return arena_full(a, e);
		larger.hash_key = hash_key_random();
	}
	for (size_t i = 0; (m = tree_next(object, &i));)
		TRY(tree_set(a, &larger, m->key, m->value, e));
	*object = larger;
	return 0;
}
