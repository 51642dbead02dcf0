/*
 * FieldsV1, the JSON text of a set: "f:name" a field, "k:{...}" keys, "v:..." a value, "i:0" an
 * index, "." the place itself where more lies below (structured-merge-diff/fieldpath/serialize.go).
 */
#include "lib/codec/json.h"
#include "lib/schema/fields_set.h"
#include "lib/value/quote.h"

static struct field_set read_set(struct fields *w, const struct json_item *object, bool *is_member);
static void put_set(struct buf *b, const struct field_set *s, bool with_self);

/* --- reading */

struct scalar scalar_of_json(struct fields *w, const struct json_item *item)
{
	struct scalar s = {.kind = SCALAR_NUMBER};
	struct buf b;

	switch (item->kind) {
	case JSON_NULL: return (struct scalar){.kind = SCALAR_NULL};
	case JSON_BOOL: return (struct scalar){.kind = SCALAR_BOOL, .truth = item->truth};
	case JSON_STRING: return (struct scalar){.kind = SCALAR_STRING, .text = item->text};
	case JSON_NUMBER:
		s.is_real = !json_to_i64(item, &s.whole);
		if (s.is_real && !json_to_f64(item, &s.real))
			fields_fault(w, ERR_INVALID, "a number that is too large");
		return s;
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	buf_init(&b, JSON_TEXT_MAX);
	json_put_item(&b, item);
	s = (struct scalar){.kind = SCALAR_OTHER};
	if (buf_ok(&b, "the value", &w->why) < 0 ||
		arena_str_try(w->arena, buf_str(&b), &s.text, &w->why) < 0)
		w->failed = true;
	buf_free(&b);
	return s;
}

static bool read_keys(struct fields *w, const struct json_item *object, struct field_step *to)
{
	struct step_key *keys = fields_alloc(w, object->count, sizeof(*keys));
	struct json_walk walk = json_enter(object);
	uint32_t len = 0;

	if (!keys || object->kind != JSON_OBJECT) {
		fields_fault(w, ERR_INVALID, "parsing key as path element: expected an object");
		return false;
	}
	for (struct json_item m; json_next(&walk, &m); len++) {
		uint32_t k = len;

		for (; k > 0 && str_cmp(m.key, keys[k - 1].name) < 0; k--)
			keys[k] = keys[k - 1];
		keys[k] = (struct step_key){m.key, scalar_of_json(w, &m)};
	}
	*to = (struct field_step){.kind = STEP_KEYS, .key_count = len, .keys = keys};
	return true;
}

static bool read_json_step(struct fields *w, char kind, str text, struct field_step *to)
{
	struct json_item item;

	if (json_parse(w->arena, text, &item, &w->why) < 0) {
		w->failed = true;
		return false;
	}
	if (kind == 'k')
		return read_keys(w, &item, to);
	*to = (struct field_step){.kind = STEP_VALUE, .value = scalar_of_json(w, &item)};
	return true;
}

/* false: nothing that we know, or a fault. */
static bool read_step(struct fields *w, str text, struct field_step *to)
{
	str rest = str_slice(text, 2, text.len);

	if (text.len < 2) {
		fields_fault(w, ERR_INVALID,
			"parsing key as path element: key must be 2 characters long:");
		return false;
	}
	if (text.at[1] != ':') {
		fields_fault(w, ERR_INVALID, "parsing key as path element: missing colon: %.*s",
			STR_ARG(text));
		return false;
	}
	switch (text.at[0]) {
	case 'f': *to = step_of_field(rest); return true;
	case 'k':
	case 'v': return read_json_step(w, text.at[0], rest, to);
	case 'i':
		*to = (struct field_step){.kind = STEP_INDEX};
		if (str_to_i64(rest, &to->index))
			return true;
		fields_fault(w, ERR_INVALID, "parsing key as path element: \"%.*s\" is no index",
			STR_ARG(rest));
		return false;
	default: return false;
	}
}

/* Of nodes of one step the first may be a member, and the last says what is below. */
static void join_doubles(struct field_set *s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->len; i++) {
		struct field_node *last = kept ? &s->at[kept - 1] : NULL;

		if (!last || step_compare(&last->step, &s->at[i].step) != 0) {
			s->at[kept++] = s->at[i];
			continue;
		}
		last->member |= s->at[i].member;
		if (s->at[i].below.len)
			last->below = s->at[i].below;
	}
	s->len = kept;
}

static struct field_set read_set(struct fields *w, const struct json_item *object, bool *is_member)
{
	struct json_walk walk = json_enter(object);
	struct field_set to = {NULL, 0, 0};

	*is_member = false;
	if (object->kind != JSON_OBJECT && object->kind != JSON_NULL)
		fields_fault(w, ERR_INVALID, "ReadMapCB: expect { or n, but found %.*s",
			STR_ARG(json_kind_name(object->kind)));
	for (struct json_item m; !w->failed && json_next(&walk, &m);) {
		struct field_node n = {.member = false};

		if (str_eq(m.key, STR("."))) {
			*is_member = true;
		} else if (read_step(w, m.key, &n.step)) {
			n.below = read_set(w, &m, &n.member);
			set_add(w, &to, &n);
		}
	}
	set_sort(&to);
	join_doubles(&to);
	if (to.len == 0)
		*is_member = true;
	return to;
}

struct field_set fields_read(struct fields *w, str json)
{
	struct json_item root;
	bool ignored;

	if (json_parse(w->arena, json, &root, &w->why) < 0) {
		w->failed = true;
		return (struct field_set){NULL, 0, 0};
	}
	return read_set(w, &root, &ignored);
}

/* --- writing */

static void put_scalar(struct buf *b, const struct scalar *s)
{
	switch ((enum scalar_kind)s->kind) {
	case SCALAR_NUMBER:
		if (s->is_real)
			json_put_f64(b, s->real);
		else
			buf_add_i64(b, s->whole);
		break;
	case SCALAR_STRING: json_put_str(b, s->text); break;
	case SCALAR_BOOL: buf_add_str(b, s->truth ? STR("true") : STR("false")); break;
	case SCALAR_OTHER: buf_add_str(b, s->text); break;
	case SCALAR_NULL: buf_add_str(b, STR("null")); break;
	}
}

/* What stands in the quotes of a step that is a JSON text itself. */
static void put_json_step(struct buf *b, const struct field_step *s)
{
	if (s->kind == STEP_VALUE) {
		buf_add_str(b, STR("v:"));
		put_scalar(b, &s->value);
		return;
	}
	buf_add_str(b, STR("k:{"));
	for (uint32_t i = 0; i < s->key_count; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		json_put_str(b, s->keys[i].name);
		buf_add_char(b, ':');
		put_scalar(b, &s->keys[i].value);
	}
	buf_add_char(b, '}');
}

static bool is_plain(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!str_is_alphanumeric(s.at[i]) && !memchr("-._/", s.at[i], 4))
			return false;
	return true;
}

static void put_step(struct buf *b, const struct field_step *s)
{
	struct buf text;

	if (s->kind == STEP_FIELD && is_plain(s->name)) {
		buf_add_str(b, STR("\"f:"));
		buf_add_str(b, s->name);
		buf_add_char(b, '"');
		return;
	}
	if (s->kind == STEP_INDEX) {
		buf_add_fmt(b, "\"i:%lld\"", (long long)s->index);
		return;
	}
	buf_init(&text, b->limit_bytes);
	if (s->kind == STEP_FIELD) {
		buf_add_str(&text, STR("f:"));
		buf_add_str(&text, s->name);
	} else {
		put_json_step(&text, s);
	}
	json_put_str(b, buf_str(&text));
	b->overflowed |= text.overflowed;
	buf_free(&text);
}

static void put_set(struct buf *b, const struct field_set *s, bool with_self)
{
	buf_add_char(b, '{');
	if (with_self && s->len)
		buf_add_str(b, STR("\".\":{}"));
	for (uint32_t i = 0; i < s->len; i++) {
		if (i > 0 || with_self)
			buf_add_char(b, ',');
		put_step(b, &s->at[i].step);
		buf_add_char(b, ':');
		put_set(b, &s->at[i].below, s->at[i].member);
	}
	buf_add_char(b, '}');
}

void fields_put(struct buf *to, const struct field_set *s)
{
	put_set(to, s, false);
}

/* --- paths */

static void put_scalar_text(struct buf *b, const struct scalar *s)
{
	if (s->kind == SCALAR_STRING)
		quote_put(b, s->text);
	else
		put_scalar(b, s);
}

void step_put_text(struct buf *b, const struct field_step *s)
{
	switch ((enum step_kind)s->kind) {
	case STEP_FIELD:
		buf_add_char(b, '.');
		buf_add_str(b, s->name);
		break;
	case STEP_KEYS:
		buf_add_char(b, '[');
		for (uint32_t i = 0; i < s->key_count; i++) {
			buf_add_fmt(b, "%s%.*s=", i ? "," : "", STR_ARG(s->keys[i].name));
			put_scalar_text(b, &s->keys[i].value);
		}
		buf_add_char(b, ']');
		break;
	case STEP_VALUE:
		buf_add_str(b, STR("[="));
		put_scalar_text(b, &s->value);
		buf_add_char(b, ']');
		break;
	case STEP_INDEX: buf_add_fmt(b, "[%lld]", (long long)s->index); break;
	case STEP_ANY: buf_add_str(b, STR("[*]")); break;
	}
}

struct path_list {
	struct str_list list;
	size_t cap;
};

static void add_path(struct fields *w, struct path_list *to, const struct buf *path)
{
	if (arena_grow(w->arena, (void **)&to->list.at, to->list.len, &to->cap, sizeof(str)) < 0 ||
		arena_str_try(w->arena, buf_str(path), &to->list.at[to->list.len], &w->why) < 0) {
		fields_fault(w, ERR_LIMIT, "too many fields");
		return;
	}
	to->list.len++;
}

/* At each level the members come first, then what lies below. */
static void add_paths(
	struct fields *w, const struct field_set *s, struct buf *path, struct path_list *to)
{
	size_t here = path->len;

	for (int below = 0; below < 2; below++) {
		for (uint32_t i = 0; i < s->len; i++) {
			const struct field_node *n = &s->at[i];

			step_put_text(path, &n->step);
			if (below)
				add_paths(w, &n->below, path, to);
			else if (n->member)
				add_path(w, to, path);
			path->len = here;
		}
	}
}

void fields_paths(struct fields *w, const struct field_set *s, struct str_list *to)
{
	struct path_list all = {.cap = 0};
	struct buf path;

	buf_init(&path, JSON_TEXT_MAX);
	add_paths(w, s, &path, &all);
	buf_free(&path);
	*to = all.list;
}
