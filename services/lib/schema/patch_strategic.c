#include "lib/schema/patch_strategic.h"

#include "lib/base/map.h"

static const str directive_key = STR_INIT("$patch");
static const str retain_key = STR_INIT("$retainKeys");
static const str delete_prefix = STR_INIT("$deleteFromPrimitiveList");
static const str order_prefix = STR_INIT("$setElementOrder");

static int retain_keys(struct tree *original, struct tree *patch, struct err *e);
static int apply_orders(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *place, struct err *e);
static int merge_member(struct arena *a, struct tree *original, const struct tree_member *m,
	const struct smp_place *place, struct err *e);

int patch_strategic(struct arena *a, const struct type *t, struct tree *target, struct tree *patch,
	struct tree **to, struct err *e)
{
	const struct smp_place place = {.type = t, .go_kind = "struct"};

	if (patch->kind != JSON_OBJECT)
		return err_set(e, ERR_INVALID,
			"json: cannot unmarshal %.*s into Go value of type map[string]interface {}",
			STR_ARG(json_kind_name(patch->kind)));
	return smp_merge_maps(a, target, patch, &place, to, e);
}

int smp_merge_maps(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *place, struct tree **to, struct err *e)
{
	const struct tree *directive = tree_get(patch, directive_key);
	const struct tree_member *m;

	if (directive && smp_is(directive, STR("replace"))) {
		tree_remove(patch, directive_key);
		*to = patch;
		return 0;
	}
	if (directive && smp_is(directive, STR("delete"))) {
		*to = tree_new(a, JSON_OBJECT);
		return *to ? 0 : arena_full(a, e);
	}
	if (directive)
		return smp_bad_directive(directive, patch, e);
	TRY(retain_keys(original, patch, e));
	TRY(apply_orders(a, original, patch, place, e));
	for (size_t i = 0; (m = tree_next(patch, &i));)
		TRY(merge_member(a, original, m, place, e));
	*to = original;
	return 0;
}

/* False if the value is a directive itself, which leaves nothing. Changes the value in place. */
static bool remove_directives(struct tree *t)
{
	const struct tree_member *m;

	if (t->kind == JSON_OBJECT) {
		if (tree_get(t, directive_key))
			return false;
		for (size_t i = 0; (m = tree_next(t, &i));) {
			if (!remove_directives(m->value))
				tree_remove(t, m->key);
		}
	} else if (t->kind == JSON_ARRAY) {
		size_t kept = 0;

		for (size_t i = 0; i < t->len; i++) {
			if (remove_directives(t->items[i]))
				t->items[kept++] = t->items[i];
		}
		t->len = kept;
	}
	return true;
}

/* As Go's %v prints maps and slices; cut where the error's text ends anyway. */
void smp_put_go(struct buf *b, const struct tree *t)
{
	const struct tree_member *m;
	const char *before = "";

	switch (t->kind) {
	case JSON_NULL: buf_add_str(b, STR("<nil>")); return;
	case JSON_BOOL: buf_add_str(b, t->truth ? STR("true") : STR("false")); return;
	case JSON_NUMBER:
	case JSON_STRING: buf_add_str(b, t->text); return;
	case JSON_ARRAY:
		buf_add_char(b, '[');
		for (size_t i = 0; i < t->len; i++, before = " ") {
			buf_add_str(b, str_of(before));
			smp_put_go(b, t->items[i]);
		}
		buf_add_char(b, ']');
		return;
	case JSON_OBJECT: break;
	}
	/* Go sorts the keys; each turn finds the next one. Such messages are short. */
	str last = {NULL, 0};

	buf_add_str(b, STR("map["));
	for (;; before = " ") {
		const struct tree_member *next = NULL;

		for (size_t i = 0; (m = tree_next(t, &i));) {
			if ((!last.at || str_cmp(m->key, last) > 0) &&
				(!next || str_cmp(m->key, next->key) < 0))
				next = m;
		}
		if (!next || b->overflowed)
			break;
		buf_add_fmt(b, "%s%.*s:", before, STR_ARG(next->key));
		smp_put_go(b, next->value);
		last = next->key;
	}
	buf_add_char(b, ']');
}

static const char *go_type_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_NULL] = "<nil>",
		[JSON_BOOL] = "bool",
		[JSON_NUMBER] = "int64",
		[JSON_STRING] = "string",
		[JSON_ARRAY] = "[]interface {}",
		[JSON_OBJECT] = "map[string]interface {}",
	};

	return names[kind];
}

int smp_no_merge_key(const struct tree *object, str key, struct err *e)
{
	struct buf b;

	buf_init(&b, sizeof(e->text));
	smp_put_go(&b, object);
	int result = err_set(e, ERR_INTERNAL, "map: %.*s does not contain declared merge key: %.*s",
		STR_ARG(buf_str(&b)), STR_ARG(key));

	buf_free(&b);
	return result;
}

int smp_bad_directive(const struct tree *directive, const struct tree *object, struct err *e)
{
	struct buf b, what;

	buf_init(&b, sizeof(e->text));
	buf_init(&what, sizeof(e->text));
	if (directive->kind != JSON_STRING)
		buf_add_fmt(&what, "%%!s(%s", go_type_name(directive->kind));
	if (directive->kind != JSON_STRING && directive->kind != JSON_NULL)
		buf_add_char(&what, '=');
	if (directive->kind != JSON_NULL)
		smp_put_go(&what, directive);
	if (directive->kind != JSON_STRING)
		buf_add_char(&what, ')');
	smp_put_go(&b, object);
	int result = err_set(e, ERR_INTERNAL, "unknown patch type: %.*s in map: %.*s",
		STR_ARG(buf_str(&what)), STR_ARG(buf_str(&b)));

	buf_free(&b);
	buf_free(&what);
	return result;
}

int smp_bad_type(enum json_kind expected, const struct tree *have, struct err *e)
{
	return err_set(e, ERR_INTERNAL, "expected a %s, but received a %s", go_type_name(expected),
		have->kind == JSON_NULL ? "%!s(<nil>)" : go_type_name(have->kind));
}

static int bad_order(struct err *e)
{
	return err_set(e, ERR_INVALID, "invalid patch format of setElementOrder list");
}

static int bad_retain(struct err *e)
{
	return err_set(e, ERR_INVALID, "invalid patch format of retainKeys");
}

static int retain_listed(
	const struct map *listed, struct tree *original, const struct tree *patch, struct err *e)
{
	const struct tree_member *m;

	for (size_t i = 0; (m = tree_next(patch, &i));) {
		bool apart = m->value->kind == JSON_NULL || str_starts(m->key, delete_prefix) ||
			str_starts(m->key, order_prefix);

		if (!apart && !map_get(listed, m->key))
			return bad_retain(e);
	}
	for (size_t i = 0; (m = tree_next(original, &i));) {
		if (!map_get(listed, m->key))
			tree_remove(original, m->key);
	}
	return 0;
}

/* $retainKeys: whatever it does not list goes, and a patch may set only what it lists. */
static int retain_keys(struct tree *original, struct tree *patch, struct err *e)
{
	const struct tree *list = tree_get(patch, retain_key);
	struct map listed;

	if (!list)
		return 0;
	tree_remove(patch, retain_key);
	if (list->kind != JSON_ARRAY)
		return bad_retain(e);
	map_init(&listed);
	for (size_t i = 0; i < list->len; i++) {
		if (list->items[i]->kind == JSON_STRING)
			map_put(&listed, list->items[i]->text, list->items[i]);
	}
	int result = retain_listed(&listed, original, patch, e);

	map_free(&listed);
	return result;
}

static const struct field *find_field(const struct type *t, str name)
{
	const struct field *f = type_field(t, name);

	for (const struct field *other = json_fields(t); !f && other < json_fields_end(t);
		other++) {
		if (str_eq_ignoring_case(field_name(t, other), name))
			f = other;
	}
	return f;
}

/* What one value of the field is to Go, without the list or map around it. */
static struct smp_place place_of_value(const struct type *owner, const struct field *f)
{
	static const struct smp_place places[KIND_COUNT] = {
		[KIND_BOOL] = {.go_kind = "bool"},
		[KIND_INT32] = {.go_kind = "int32"},
		[KIND_INT64] = {.go_kind = "int64"},
		[KIND_FLOAT64] = {.go_kind = "float64"},
		[KIND_STRING] = {.go_kind = "string"},
		[KIND_BYTES] = {.go_kind = "slice"},
		[KIND_QUANTITY] = {.go_kind = "struct", .go_name = "Quantity"},
		[KIND_TIME] = {.go_kind = "struct", .go_name = "Time"},
		[KIND_MICROTIME] = {.go_kind = "struct", .go_name = "MicroTime"},
		[KIND_DURATION] = {.go_kind = "struct", .go_name = "Duration"},
		[KIND_INT_OR_STRING] = {.go_kind = "struct", .go_name = "IntOrString"},
		[KIND_RAW] = {.go_kind = "struct", .go_name = "RawExtension"},
		[KIND_FIELDS] = {.go_kind = "struct", .go_name = "FieldsV1"},
		[KIND_JSON] = {.go_kind = "struct", .go_name = "JSON"},
		[KIND_ANY] = {.go_kind = "interface"},
	};

	if (f->kind == KIND_STRUCT)
		return (struct smp_place){.type = field_type(owner, f), .go_kind = "struct"};
	return places[f->kind];
}

/* Finds the field that a member of a map at `place` belongs to. */
static int look_up(const struct smp_place *place, str key, const struct field **field,
	struct smp_meta *meta, struct err *e)
{
	const struct field *f = place->type ? find_field(place->type, key) : NULL;

	if (!place->type && !place->go_name)
		return err_set(e, ERR_INTERNAL,
			"merging an object in json but data type is not struct, instead is: %s",
			place->go_kind);
	if (!f)
		return err_set(e, ERR_INTERNAL,
			"unable to find api field in struct %s for the json field \"%.*s\"",
			place->type ? type_name(place->type) : place->go_name, STR_ARG(key));
	meta->strategy = f->flags & FIELD_PATCH_MERGE ? SMP_MERGE
		: f->flags & FIELD_PATCH_REPLACE      ? SMP_REPLACE
						      : SMP_NONE;
	meta->merge_key = type_text(place->type, field_rules(place->type, f)->merge_key);
	*field = f;
	return 0;
}

static int look_up_map(const struct smp_place *place, str key, struct smp_place *below,
	struct smp_meta *meta, struct err *e)
{
	const struct field *f;

	TRY(look_up(place, key, &f, meta, e));
	*below = place_of_value(place->type, f);
	if (f->shape == SHAPE_MAP)
		*below = (struct smp_place){.go_kind = "map"};
	if (f->shape == SHAPE_LIST)
		*below = (struct smp_place){.go_kind = "slice"};
	return 0;
}

static int look_up_list(const struct smp_place *place, str key, struct smp_place *below,
	struct smp_meta *meta, struct err *e)
{
	const struct field *f;

	TRY(look_up(place, key, &f, meta, e));
	if (f->shape != SHAPE_LIST && f->shape != SHAPE_POINTER)
		return err_set(e, ERR_INTERNAL, "expected slice or array type, but got: struct");
	*below = place_of_value(place->type, f);
	return 0;
}

/* "$setElementOrder/ports" -> "ports" */
static bool strip_prefix(str key, str prefix, str *rest)
{
	*rest = key;
	return str_eq(str_cut(rest, '/'), prefix) && rest->at;
}

static int same_identity(const struct tree *mine, const struct tree *theirs, str merge_key,
	bool *equal, struct err *e)
{
	if (merge_key.len > 0) {
		if (theirs->kind != JSON_OBJECT)
			return smp_bad_type(JSON_OBJECT, theirs, e);
		if (!tree_get(mine, merge_key))
			return smp_no_merge_key(mine, merge_key, e);
		if (!tree_get(theirs, merge_key))
			return smp_no_merge_key(theirs, merge_key, e);
		mine = tree_get(mine, merge_key);
		theirs = tree_get(theirs, merge_key);
	}
	*equal = tree_equal(mine, theirs);
	return 0;
}

static int wrong_order(const struct tree *patch, const struct tree *order, struct err *e)
{
	struct buf b;

	buf_init(&b, sizeof(e->text) * 2);
	buf_add_str(&b, STR("The order in patch list:\n"));
	smp_put_go(&b, patch);
	buf_add_fmt(&b, "\n doesn't match %.*s list:\n", STR_ARG(order_prefix));
	smp_put_go(&b, order);
	buf_add_char(&b, '\n');
	int result = err_set(e, ERR_INTERNAL, "%.*s", STR_ARG(buf_str(&b)));

	buf_free(&b);
	return result;
}

/* The items of the patch stand in the order's order, and all are in it. */
static int check_order(
	const struct tree *patch, const struct tree *order, str merge_key, struct err *e)
{
	size_t at = 0;

	if (!patch || patch->len == 0 || order->len == 0)
		return 0;
	for (size_t i = 0; i < patch->len; i++) {
		const struct tree *item = patch->items[i], *directive = NULL;

		if (merge_key.len > 0 && item->kind != JSON_OBJECT)
			return smp_bad_type(JSON_OBJECT, item, e);
		if (item->kind == JSON_OBJECT)
			directive = tree_get(item, directive_key);
		if (directive && merge_key.len > 0 && smp_is(directive, STR("delete")))
			continue;
		for (bool equal = false; !equal; at++) {
			if (at == order->len)
				return wrong_order(patch, order, e);
			if (directive)
				break;
			TRY(same_identity(item, order->items[at], merge_key, &equal, e));
		}
	}
	return 0;
}

static int merge_for_order(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *below, const struct smp_meta *meta, struct tree **merged,
	struct err *e)
{
	if (original && patch && meta->strategy == SMP_MERGE)
		return smp_merge_lists(
			a, original, patch, below, meta->merge_key, false, merged, e);
	*merged = patch ? patch : original;
	if (!original)
		remove_directives(patch);
	return 0;
}

static int apply_order(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *place, str key, const struct tree *order, struct err *e)
{
	struct tree *ours = tree_get(original, key), *theirs = tree_get(patch, key), *merged;
	struct tree server = {.kind = JSON_ARRAY};
	struct smp_place below;
	struct smp_meta meta;
	bool of_maps;

	if (ours && ours->kind != JSON_ARRAY)
		return smp_bad_type(JSON_ARRAY, ours, e);
	if (theirs && theirs->kind != JSON_ARRAY)
		return smp_bad_type(JSON_ARRAY, theirs, e);
	TRY(look_up_list(place, key, &below, &meta, e));
	TRY(check_order(theirs, order, meta.merge_key, e));
	if (!ours && !theirs)
		return 0;
	if (ours)
		server = *ours;
	TRY(smp_element_type(ours, theirs, &of_maps, e));
	TRY(merge_for_order(a, ours, theirs, &below, &meta, &merged, e));
	TRY(smp_order(a, merged, order, &server, meta.merge_key, of_maps, &merged, e));
	tree_remove(patch, key);
	return tree_set(a, original, key, merged, e);
}

/* Every $setElementOrder of the patch, together with the list that it orders. */
static int apply_orders(struct arena *a, struct tree *original, struct tree *patch,
	const struct smp_place *place, struct err *e)
{
	const struct tree_member *m;

	for (size_t i = 0; (m = tree_next(patch, &i));) {
		const struct tree *order = m->value;
		str name = m->key, key;

		if (!str_starts(name, order_prefix))
			continue;
		tree_remove(patch, name);
		if (order->kind != JSON_ARRAY)
			return smp_bad_type(JSON_ARRAY, order, e);
		if (!strip_prefix(name, order_prefix, &key))
			return bad_order(e);
		TRY(apply_order(a, original, patch, place, key, order, e));
	}
	return 0;
}

static int take_over(
	struct arena *a, struct tree *original, str key, struct tree *value, struct err *e)
{
	tree_drop_nulls(value);
	if (remove_directives(value))
		return tree_set(a, original, key, value, e);
	tree_remove(original, key);
	return 0;
}

static int merge_member(struct arena *a, struct tree *original, const struct tree_member *m,
	const struct smp_place *place, struct err *e)
{
	bool is_delete_list = str_starts(m->key, delete_prefix);
	struct tree *value = m->value, *before, *merged;
	struct smp_place below;
	struct smp_meta meta;
	str key = m->key;

	if (is_delete_list && !strip_prefix(m->key, delete_prefix, &key))
		return err_set(e, ERR_INVALID, "invalid patch format of primitive list");
	if (value->kind == JSON_NULL) {
		tree_remove(original, key);
		return 0;
	}
	before = tree_get(original, key);
	if (!before || before->kind != value->kind)
		return is_delete_list ? 0 : take_over(a, original, key, value, e);
	if (value->kind == JSON_OBJECT) {
		TRY(look_up_map(place, key, &below, &meta, e));
		if (meta.strategy == SMP_REPLACE)
			return tree_set(a, original, key, value, e);
		TRY(smp_merge_maps(a, before, value, &below, &merged, e));
		return tree_set(a, original, key, merged, e);
	}
	if (value->kind == JSON_ARRAY) {
		TRY(look_up_list(place, key, &below, &meta, e));
		if (meta.strategy != SMP_MERGE && !is_delete_list)
			return tree_set(a, original, key, value, e);
		TRY(smp_merge_lists(
			a, before, value, &below, meta.merge_key, is_delete_list, &merged, e));
		return tree_set(a, original, key, merged, e);
	}
	return tree_set(a, original, key, value, e);
}
