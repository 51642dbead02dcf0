#include "lib/schema/patch_strategic.h"

#include "lib/base/map.h"

#include <stdlib.h>

/*
 * Lists are merged by identity: a scalar is its own, a map's is the value of its merge key. An
 * index maps identities to first positions, so that hostile lists cost no squares.
 */
struct index {
	struct map places; /* position plus one, as a pointer */
	struct arena *arena;
	str merge_key; /* "" for scalars */
};

static int index_add(struct index *x, const struct tree *item, size_t place, struct err *e);
static int index_find(struct index *x, const struct tree *item, ptrdiff_t *place, struct err *e);

static void index_init(struct index *x, struct arena *a, str merge_key)
{
	*x = (struct index){.arena = a, .merge_key = merge_key};
	map_init(&x->places);
}

static int index_add_all(struct index *x, const struct tree *list, struct err *e)
{
	for (size_t i = 0; list && i < list->len; i++)
		TRY(index_add(x, list->items[i], i, e));
	return 0;
}

static int push(struct arena *a, struct tree *list, struct tree *item, struct err *e)
{
	return tree_insert(a, list, list->len, item, e);
}

static int delete_scalars(struct arena *a, const struct tree *original, const struct tree *patch,
	struct tree *to, struct err *e)
{
	struct index gone;
	ptrdiff_t place;

	index_init(&gone, a, STR(""));
	int result = index_add_all(&gone, patch, e);

	for (size_t i = 0; i < original->len && result == 0; i++) {
		result = index_find(&gone, original->items[i], &place, e);
		if (result == 0 && place < 0)
			result = push(a, to, original->items[i], e);
	}
	map_free(&gone.places);
	return result;
}

static int add_new_ones(struct index *seen, const struct tree *from, struct tree *to, struct err *e)
{
	ptrdiff_t place;

	for (size_t i = 0; i < from->len; i++) {
		TRY(index_find(seen, from->items[i], &place, e));
		if (place >= 0)
			continue;
		TRY(index_add(seen, from->items[i], to->len, e));
		TRY(push(seen->arena, to, from->items[i], e));
	}
	return 0;
}

static int unite_scalars(struct arena *a, const struct tree *original, const struct tree *patch,
	struct tree *to, struct err *e)
{
	struct index seen;

	index_init(&seen, a, STR(""));
	int result = add_new_ones(&seen, original, to, e);

	if (result == 0)
		result = add_new_ones(&seen, patch, to, e);
	map_free(&seen.places);
	return result;
}

/* Items that are directives act on `original`; `plain` gets the others. */
static int apply_directives(struct arena *a, struct tree **original, const struct tree *patch,
	str merge_key, struct tree *plain, struct err *e)
{
	struct tree *kept = tree_new(a, JSON_ARRAY), *doomed = tree_new(a, JSON_ARRAY);
	struct tree *value, *directive;
	bool replace = false;

	if (!kept || !doomed)
		return arena_full(a, e);
	for (size_t i = 0; i < patch->len; i++) {
		struct tree *item = patch->items[i];

		directive = tree_get(item, STR("$patch"));
		if (!directive) {
			TRY(push(a, plain, item, e));
		} else if (smp_is(directive, STR("delete"))) {
			value = tree_get(item, merge_key);
			if (!value)
				return smp_no_merge_key(item, merge_key, e);
			TRY(push(a, doomed, item, e));
		} else if (smp_is(directive, STR("merge"))) {
			return err_set(e, ERR_INTERNAL,
				"merging lists cannot yet be specified in the patch");
		} else if (smp_is(directive, STR("replace"))) {
			replace = true;
		} else {
			return smp_bad_directive(directive, item, e);
		}
	}
	if (replace) {
		**original = *plain;
		*plain = (struct tree){.kind = JSON_ARRAY};
		return 0;
	}
	struct index gone;
	ptrdiff_t place;

	index_init(&gone, a, merge_key);
	int result = index_add_all(&gone, doomed, e);

	for (size_t i = 0; i < (*original)->len && result == 0; i++) {
		struct tree *item = (*original)->items[i];

		place = -1;
		if (tree_get(item, merge_key))
			result = index_find(&gone, item, &place, e);
		if (result == 0 && place < 0)
			result = push(a, kept, item, e);
	}
	map_free(&gone.places);
	*original = kept;
	return result;
}

static int merge_items(struct index *known, struct tree *original, const struct tree *patch,
	const struct smp_place *place, struct err *e)
{
	struct arena *a = known->arena;
	ptrdiff_t at;

	for (size_t i = 0; i < original->len; i++) {
		if (tree_get(original->items[i], known->merge_key))
			TRY(index_add(known, original->items[i], i, e));
	}
	for (size_t i = 0; i < patch->len; i++) {
		TRY(index_find(known, patch->items[i], &at, e));
		if (at >= 0) {
			TRY(smp_merge_maps(a, original->items[at], patch->items[i], place,
				&original->items[at], e));
			continue;
		}
		TRY(index_add(known, patch->items[i], original->len, e));
		TRY(push(a, original, patch->items[i], e));
	}
	return 0;
}

/* `*server` becomes the list as it is before new items come to its end. */
static int merge_maps(struct arena *a, struct tree **original, struct tree **patch,
	const struct smp_place *place, str merge_key, struct tree *server, struct err *e)
{
	struct tree *plain = tree_new(a, JSON_ARRAY);
	struct index known;

	if (!plain)
		return arena_full(a, e);
	if (merge_key.len == 0)
		return err_set(e, ERR_INTERNAL, "cannot merge lists without merge key for %s",
			place->go_kind);
	TRY(apply_directives(a, original, *patch, merge_key, plain, e));
	*server = **original;
	index_init(&known, a, merge_key);
	int result = merge_items(&known, *original, plain, place, e);

	map_free(&known.places);
	*patch = plain;
	return result;
}

int smp_merge_lists(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *place, str merge_key, bool is_delete_list, struct tree **to,
	struct err *e)
{
	struct tree *merged = tree_new(a, JSON_ARRAY), server = *original;
	bool of_maps;

	if (!merged)
		return arena_full(a, e);
	if (original->len == 0 && patch->len == 0) {
		*to = original;
		return 0;
	}
	TRY(smp_element_type(original, patch, &of_maps, e));
	if (!of_maps && is_delete_list) {
		TRY(delete_scalars(a, original, patch, merged, e));
		*to = merged;
		return 0;
	}
	if (of_maps) {
		TRY(merge_maps(a, &original, &patch, place, merge_key, &server, e));
		merged = original;
	} else {
		TRY(unite_scalars(a, original, patch, merged, e));
	}
	return smp_order(a, merged, patch, &server, merge_key, of_maps, to, e);
}

/* An item with where it stands in the order that it is sorted by. */
struct ranked {
	struct tree *item;
	ptrdiff_t rank; /* -1: the order does not know it */
	size_t place;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static int check_keys(const struct tree *list, str merge_key, struct err *e)
{
	for (size_t i = 0; list && i < list->len; i++) {
		if (list->items[i]->kind != JSON_OBJECT)
			return smp_bad_type(JSON_OBJECT, list->items[i], e);
		if (!tree_get(list->items[i], merge_key))
			return smp_no_merge_key(list->items[i], merge_key, e);
	}
	return 0;
}

/* The items of `merged` that are in `first`, or those that are not, sorted by `order`. */
static int pick(struct index *first, struct index *order, const struct tree *merged, bool wanted,
	struct ranked **to, size_t *count, struct err *e)
{
	struct ranked *picked = arena_try_array(first->arena, merged->len, sizeof(*picked));
	ptrdiff_t place;
	size_t len = 0;

	if (!picked)
		return arena_full(first->arena, e);
	for (size_t i = 0; i < merged->len; i++) {
		TRY(index_find(first, merged->items[i], &place, e));
		if ((place >= 0) != wanted)
			continue;
		picked[len] = (struct ranked){.item = merged->items[i], .place = i};
		TRY(index_find(order, merged->items[i], &picked[len].rank, e));
		len++;
	}
	qsort(picked, len, sizeof(*picked), by_rank);
	*to = picked;
	*count = len;
	return 0;
}

/* Weaves the server's items between those of the patch, each list keeping its own order. */
static int weave(struct index *server, const struct ranked *left, size_t left_len,
	const struct ranked *right, size_t right_len, struct tree *to, struct err *e)
{
	size_t i = 0, j = 0;

	while (i < left_len || j < right_len) {
		ptrdiff_t l = -1, r = -1;

		if (i < left_len && j < right_len) {
			l = left[i].rank;
			TRY(index_find(server, right[j].item, &r, e));
		}
		bool take_left = j >= right_len || (i < left_len && l >= 0 && r >= 0 && l < r);

		TRY(push(server->arena, to, take_left ? left[i++].item : right[j++].item, e));
	}
	return 0;
}

int smp_order(struct arena *a, struct tree *merged, const struct tree *first,
	const struct tree *server, str merge_key, bool of_maps, struct tree **to, struct err *e)
{
	str key = of_maps ? merge_key : STR("");
	struct tree *woven = tree_new(a, JSON_ARRAY);
	struct ranked *left, *right;
	size_t left_len, right_len;
	struct index patch_order, server_order;

	if (!woven)
		return arena_full(a, e);
	if (of_maps) {
		TRY(check_keys(merged, key, e));
		TRY(check_keys(first, key, e));
		TRY(check_keys(server, key, e));
	}
	index_init(&patch_order, a, key);
	index_init(&server_order, a, key);
	int result = index_add_all(&patch_order, first, e);

	if (result == 0)
		result = index_add_all(&server_order, server, e);
	if (result == 0)
		result = pick(&patch_order, &patch_order, merged, true, &right, &right_len, e);
	if (result == 0)
		result = pick(&patch_order, &server_order, merged, false, &left, &left_len, e);
	if (result == 0)
		result = weave(&server_order, left, left_len, right, right_len, woven, e);
	map_free(&patch_order.places);
	map_free(&server_order.places);
	if (result == 0)
		*to = woven;
	return result;
}

static int mixed_types(const struct tree *one, const struct tree *other, struct err *e)
{
	static const struct tree nothing = {.kind = JSON_ARRAY};
	struct buf b;

	buf_init(&b, sizeof(e->text) * 2);
	smp_put_go(&b, one ? one : &nothing);
	buf_add_char(&b, ' ');
	smp_put_go(&b, other ? other : &nothing);
	int result = err_set(e, ERR_INTERNAL, "list element types are not identical: [%.*s]",
		STR_ARG(buf_str(&b)));

	buf_free(&b);
	return result;
}

static bool same_type(const struct tree *a, const struct tree *b)
{
	return a->kind == b->kind;
}

int smp_element_type(const struct tree *one, const struct tree *other, bool *of_maps, struct err *e)
{
	const struct tree *const both[] = {one, other};
	const struct tree *before = NULL;

	for (size_t k = 0; k < COUNT_OF(both); k++) {
		for (size_t i = 0; both[k] && i < both[k]->len; i++) {
			const struct tree *item = both[k]->items[i];

			if (item->kind == JSON_ARRAY && !before)
				return err_set(e, ERR_CONFLICT, "lists of lists are not supported");
			if (before && !same_type(before, item))
				return mixed_types(one, other, e);
			before = item;
		}
	}
	if (!before)
		return err_set(e, ERR_INTERNAL, "no elements in any of the given slices");
	*of_maps = before->kind == JSON_OBJECT;
	return 0;
}

/* The kind stands in front, since "1" is not 1. */
static int identity(struct index *x, const struct tree *item, str *to, struct err *e)
{
	static const char kinds[] = {
		[JSON_NULL] = '0', [JSON_BOOL] = 'b', [JSON_NUMBER] = 'n', [JSON_STRING] = 's'};

	if (x->merge_key.len > 0) {
		if (item->kind != JSON_OBJECT)
			return smp_bad_type(JSON_OBJECT, item, e);
		const struct tree *value = tree_get(item, x->merge_key);

		if (!value)
			return smp_no_merge_key(item, x->merge_key, e);
		item = value;
	}
	if (item->kind >= JSON_ARRAY)
		return err_set(e, ERR_INTERNAL, "a list or map cannot tell list items apart");
	char *text = arena_try(x->arena, item->text.len + 1);

	if (!text)
		return arena_full(x->arena, e);
	text[0] = item->truth ? 't' : kinds[item->kind];
	if (item->text.len > 0)
		memcpy(text + 1, item->text.at, item->text.len);
	*to = str_span(text, item->text.len + 1);
	return 0;
}

/* The first of several stays. */
static int index_add(struct index *x, const struct tree *item, size_t place, struct err *e)
{
	str key;

	TRY(identity(x, item, &key, e));
	if (!map_get(&x->places, key))
		map_put(&x->places, key, (void *)(place + 1));
	return 0;
}

static int index_find(struct index *x, const struct tree *item, ptrdiff_t *place, struct err *e)
{
	str key;

	TRY(identity(x, item, &key, e));
	*place = (ptrdiff_t)(uintptr_t)map_get(&x->places, key) - 1;
	return 0;
}
