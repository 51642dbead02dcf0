#include "lib/schema/patch.h"

struct patcher {
	struct arena *arena;
	struct tree *root;
	size_t copied_bytes;
};

/* Where a path leads: a container and what to look up there. */
struct place {
	struct tree *container; /* NULL: the path ends before its last step */
	str key;
	size_t depth; /* of the container; the root's is 1 */
};

typedef int operation_function(struct patcher *p, const struct tree *op, str path, struct err *e);

static operation_function add, remove_value, replace, move, copy, test;

static const struct {
	str name;
	operation_function *run;
	const char *bad_path; /* upstream hides the reason for some */
} operations[] = {
	{STR_INIT("add"), add, "missing value"},
	{STR_INIT("remove"), remove_value, "missing value"},
	{STR_INIT("replace"), replace, NULL},
	{STR_INIT("move"), move, NULL},
	{STR_INIT("test"), test, NULL},
	{STR_INIT("copy"), copy, "missing value"},
};

static int apply(struct patcher *p, const struct tree *op, struct err *e);
static int check(const struct tree *patch, struct err *e);

int patch_json(struct arena *a, struct tree *target, const struct tree *patch, struct tree **to,
	struct err *e)
{
	struct patcher p = {.arena = a, .root = target};

	TRY(check(patch, e));
	for (size_t i = 0; i < patch->len; i++)
		TRY(apply(&p, patch->items[i], e));
	*to = p.root;
	return 0;
}

static int check(const struct tree *patch, struct err *e)
{
	if (patch->kind == JSON_NULL)
		return 0;
	if (patch->kind != JSON_ARRAY)
		return err_set(e, ERR_INVALID,
			"json: cannot unmarshal %.*s into Go value of type jsonpatch.Patch",
			STR_ARG(json_kind_name(patch->kind)));
	for (size_t i = 0; i < patch->len; i++) {
		enum json_kind kind = patch->items[i]->kind;

		if (kind != JSON_OBJECT && kind != JSON_NULL)
			return err_set(e, ERR_INVALID,
				"json: cannot unmarshal %.*s into Go value of type "
				"jsonpatch.Operation",
				STR_ARG(json_kind_name(kind)));
	}
	if (patch->len > PATCH_OPERATIONS_MAX)
		return err_set(e, ERR_LIMIT,
			"The allowed maximum operations in a JSON patch is %d, got %zu",
			PATCH_OPERATIONS_MAX, patch->len);
	return 0;
}

/* The member's text; absent if it is missing or null. -1: it is of another kind. */
static int text_member(const struct tree *op, str name, str *to, struct err *e)
{
	const struct tree *member = op->kind == JSON_OBJECT ? tree_get(op, name) : NULL;

	*to = (str){NULL, 0};
	if (!member || member->kind == JSON_NULL)
		return 0;
	if (member->kind != JSON_STRING)
		return err_set(e, ERR_CONFLICT,
			"json: cannot unmarshal %.*s into Go value of type string",
			STR_ARG(json_kind_name(member->kind)));
	*to = member->text;
	return 0;
}

/* The path of an operation, or upstream's message that there is none. */
static int path_member(const struct tree *op, size_t which, str *to, struct err *e)
{
	int result = text_member(op, STR("path"), to, e);

	if (result == 0 && !to->at)
		result = err_set(e, ERR_CONFLICT, "operation missing path field: missing value");
	if (result == 0)
		return 0;
	if (operations[which].bad_path)
		return err_set(e, ERR_CONFLICT, "%.*s operation failed to decode path: %s",
			STR_ARG(operations[which].name), operations[which].bad_path);
	return err_context(
		e, "%.*s operation failed to decode path", STR_ARG(operations[which].name));
}

static int apply(struct patcher *p, const struct tree *op, struct err *e)
{
	str name, path = {NULL, 0};
	bool path_first;

	if (text_member(op, STR("op"), &name, e) < 0 || !name.at)
		name = STR("unknown");
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		if (!str_eq(name, operations[i].name))
			continue;
		/* move and copy look at "from" first, and ask for the path themselves */
		path_first = operations[i].run != move && operations[i].run != copy;
		if (path_first)
			TRY(path_member(op, i, &path, e));
		return operations[i].run(p, op, path, e);
	}
	return err_set(e, ERR_CONFLICT, "Unexpected kind: %.*s", STR_ARG(name));
}

/* A step of a path with ~1 and ~0 undone, RFC 6901. */
static int unescape(struct patcher *p, str step, str *to, struct err *e)
{
	if (str_find_char(step, '~') < 0) {
		*to = step;
		return 0;
	}
	char *out = arena_try(p->arena, step.len);
	size_t len = 0;

	if (!out)
		return arena_full(p->arena, e);
	for (size_t i = 0; i < step.len; i++) {
		bool pair = step.at[i] == '~' && i + 1 < step.len &&
			(step.at[i + 1] == '0' || step.at[i + 1] == '1');

		out[len++] = pair ? (step.at[++i] == '1' ? '/' : '~') : step.at[i];
	}
	*to = str_span(out, len);
	return 0;
}

static int bad_index(long long index, struct err *e)
{
	return err_set(e, ERR_CONFLICT,
		"Unable to access invalid index: %lld: invalid index referenced", index);
}

/* Of any size. */
static bool is_integer(str text)
{
	size_t at = str_starts(text, STR("-")) || str_starts(text, STR("+"));
	bool digits = at < text.len;

	for (; at < text.len; at++)
		digits &= text.at[at] >= '0' && text.at[at] <= '9';
	return digits;
}

/* An index into `len` items, negative ones counting from the end. */
static int read_index(str key, size_t len, size_t *to, struct err *e)
{
	int64_t index;

	if (!str_to_i64(key, &index))
		return err_set(e, ERR_CONFLICT, "strconv.Atoi: parsing \"%.*s\": %s", STR_ARG(key),
			is_integer(key) ? "value out of range" : "invalid syntax");
	if (index >= (int64_t)len || index < -(int64_t)len)
		return bad_index(index, e);
	*to = (size_t)(index < 0 ? index + (int64_t)len : index);
	return 0;
}

/* `*to` is NULL for an object's missing member, which is no error upstream. */
static int get(const struct place *at, struct tree **to, struct err *e)
{
	size_t index;

	if (at->container->kind == JSON_OBJECT) {
		*to = tree_get(at->container, at->key);
		return 0;
	}
	TRY(read_index(at->key, at->container->len, &index, e));
	*to = at->container->items[index];
	return 0;
}

static bool is_container(const struct tree *t)
{
	return t && (t->kind == JSON_OBJECT || t->kind == JSON_ARRAY);
}

static int find(struct patcher *p, str path, struct place *to, struct err *e)
{
	struct place at = {.container = p->root, .depth = 1};
	struct err none;
	str rest = path;

	*to = (struct place){0};
	str_cut(&rest, '/');
	while (rest.at) {
		struct tree *next;

		TRY(unescape(p, str_cut(&rest, '/'), &at.key, e));
		if (!rest.at)
			break;
		if (get(&at, &next, &none) < 0 || !is_container(next))
			return 0;
		at.container = next;
		at.depth++;
	}
	if (at.key.at)
		*to = at;
	return 0;
}

static int missing(
	const char *operation, const char *what, str path, const char *quote, struct err *e)
{
	return err_set(e, ERR_CONFLICT,
		"%s operation does not apply: %s path: %s%.*s%s: missing value", operation, what,
		quote, STR_ARG(path), quote);
}

static int value_of(struct patcher *p, const struct tree *op, struct tree **to, struct err *e)
{
	const struct tree *value = tree_get(op, STR("value"));

	/* A copy: the same value may be patched again further down. */
	if (value)
		return tree_copy(p->arena, value, to, e);
	*to = tree_new(p->arena, JSON_NULL);
	return *to ? 0 : arena_full(p->arena, e);
}

static size_t depth_of(const struct tree *t)
{
	const struct tree_member *m;
	size_t deepest = 0, depth;

	for (size_t i = 0; t->kind == JSON_ARRAY && i < t->len; i++) {
		depth = depth_of(t->items[i]);
		deepest = depth > deepest ? depth : deepest;
	}
	for (size_t i = 0; t->kind == JSON_OBJECT && (m = tree_next(t, &i));) {
		depth = depth_of(m->value);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + is_container(t);
}

/* Whoever writes the result out goes down as deep, so it must not be deeper than what is read. */
static int check_depth(const struct place *at, const struct tree *value, struct err *e)
{
	if (at->depth + depth_of(value) <= JSON_DEPTH_MAX)
		return 0;
	return err_set(
		e, ERR_LIMIT, "the patched object is nested deeper than %d levels", JSON_DEPTH_MAX);
}

static int put(struct patcher *p, const struct place *at, struct tree *value, struct err *e)
{
	struct tree *array = at->container;
	size_t index = array->len;

	TRY(check_depth(at, value, e));
	if (array->kind == JSON_OBJECT)
		return tree_set(p->arena, array, at->key, value, e);
	if (!str_eq(at->key, STR("-")) && read_index(at->key, array->len + 1, &index, e) < 0)
		return str_starts(str_of(e->text), STR("strconv"))
			? err_context(
				  e, "value was not a proper array index: '%.*s'", STR_ARG(at->key))
			: -1;
	return tree_insert(p->arena, array, index, value, e);
}

static int take_out(const struct place *at, struct err *e)
{
	size_t index;

	if (at->container->kind == JSON_OBJECT) {
		if (tree_remove(at->container, at->key))
			return 0;
		return err_set(e, ERR_CONFLICT,
			"Unable to remove nonexistent key: %.*s: missing value", STR_ARG(at->key));
	}
	TRY(read_index(at->key, at->container->len, &index, e));
	tree_take_out(at->container, index);
	return 0;
}

static int add(struct patcher *p, const struct tree *op, str path, struct err *e)
{
	struct tree *value;
	struct place at;

	TRY(find(p, path, &at, e));
	if (!at.container)
		return missing("add", "doc is missing", path, "\"", e);
	TRY(value_of(p, op, &value, e));
	if (put(p, &at, value, e) < 0)
		return err_context(e, "error in add for path: '%.*s'", STR_ARG(path));
	return 0;
}

static int remove_value(struct patcher *p, UNUSED const struct tree *op, str path, struct err *e)
{
	struct place at;

	TRY(find(p, path, &at, e));
	if (!at.container)
		return missing("remove", "doc is missing", path, "\"", e);
	if (take_out(&at, e) < 0)
		return err_context(e, "error in remove for path: '%.*s'", STR_ARG(path));
	return 0;
}

static int replace(struct patcher *p, const struct tree *op, str path, struct err *e)
{
	struct tree *value, *before;
	struct place at;
	size_t index;

	TRY(value_of(p, op, &value, e));
	if (path.len == 0) {
		if (!is_container(value))
			return err_set(
				e, ERR_CONFLICT, "replace operation value must be object or array");
		p->root = value;
		return 0;
	}
	TRY(find(p, path, &at, e));
	if (!at.container)
		return missing("replace", "doc is missing", path, "", e);
	if (get(&at, &before, e) < 0)
		return err_set(e, ERR_CONFLICT,
			"replace operation does not apply: doc is missing key: %.*s: missing value",
			STR_ARG(path));
	TRY(check_depth(&at, value, e));
	if (at.container->kind == JSON_OBJECT)
		return tree_set(p->arena, at.container, at.key, value, e);
	TRY(read_index(at.key, at.container->len, &index, e));
	at.container->items[index] = value;
	return 0;
}

/* Finds what "from" names; NULL is a member that is not there. */
static int find_from(struct patcher *p, const struct tree *op, const char *operation,
	struct place *at, str *from, struct tree **value, struct err *e)
{
	int result = text_member(op, STR("from"), from, e);

	if (result == 0 && !from->at)
		result = err_set(e, ERR_CONFLICT, "operation, missing from field: missing value");
	if (result < 0)
		return err_context(e, "%s operation failed to decode from", operation);
	TRY(find(p, *from, at, e));
	if (!at->container)
		return missing(operation, "doc is missing from", *from, "", e);
	return get(at, value, e);
}

static int move(struct patcher *p, const struct tree *op, UNUSED str path, struct err *e)
{
	struct place at = {0};
	struct tree *value;
	str from, to;

	if (find_from(p, op, "move", &at, &from, &value, e) < 0)
		return at.container
			? err_context(e, "error in move for path: '%.*s'", STR_ARG(at.key))
			: -1;
	if (take_out(&at, e) < 0)
		return err_context(e, "error in move for path: '%.*s'", STR_ARG(at.key));
	TRY(path_member(op, 3, &to, e));
	TRY(find(p, to, &at, e));
	if (!at.container)
		return missing("move", "doc is missing destination", to, "", e);
	if (put(p, &at, value, e) < 0)
		return err_context(e, "error in move for path: '%.*s'", STR_ARG(to));
	return 0;
}

static size_t text_bytes(const struct tree *t)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	tree_put(&b, t);
	size_t len = b.len;

	buf_free(&b);
	return len;
}

static int copy(struct patcher *p, const struct tree *op, UNUSED str path, struct err *e)
{
	struct place at = {0};
	struct tree *value, *twin;
	str from, to;

	if (find_from(p, op, "copy", &at, &from, &value, e) < 0)
		return at.container
			? err_context(e, "error in copy for from: '%.*s'", STR_ARG(from))
			: -1;
	TRY(path_member(op, 5, &to, e));
	TRY(find(p, to, &at, e));
	if (!at.container)
		return missing("copy", "doc is missing destination", to, "", e);
	if (!value)
		value = tree_new(p->arena, JSON_NULL);
	if (!value)
		return arena_full(p->arena, e);
	p->copied_bytes += text_bytes(value);
	if (p->copied_bytes > PATCH_COPIED_MAX_BYTES)
		return err_set(e, ERR_LIMIT,
			"Unable to complete the copy, the accumulated size increase of copy is "
			"%zu, "
			"exceeding the limit %d",
			p->copied_bytes, PATCH_COPIED_MAX_BYTES);
	TRY(tree_copy(p->arena, value, &twin, e));
	if (put(p, &at, twin, e) < 0)
		return err_context(e, "error while adding value during copy");
	return 0;
}

static int test(struct patcher *p, const struct tree *op, str path, struct err *e)
{
	const struct tree *wanted = tree_get(op, STR("value"));
	struct tree *have = p->root;
	struct place at;

	if (path.len > 0) {
		TRY(find(p, path, &at, e));
		if (!at.container)
			return missing("test", "is missing", path, "", e);
		if (get(&at, &have, e) < 0)
			return err_context(e, "error in test for path: '%.*s'", STR_ARG(path));
	}
	bool have_null = !have || have->kind == JSON_NULL;
	bool wanted_null = !wanted || wanted->kind == JSON_NULL;

	if (have_null || wanted_null ? have_null == wanted_null : tree_equal(have, wanted))
		return 0;
	return err_set(e, ERR_CONFLICT, "testing value %.*s failed: test failed", STR_ARG(path));
}
