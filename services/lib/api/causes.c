#include "lib/api/causes.h"

#include "lib/codec/json.h"
#include "lib/schema/path.h"
#include "lib/value/quote.h"

#include <stdarg.h>

struct kind_row {
	const char *reason, *title;
};

static const struct kind_row kinds[CAUSE_KIND_COUNT] = {
	[CAUSE_NOT_FOUND] = {"FieldValueNotFound", "Not found"},
	[CAUSE_REQUIRED] = {"FieldValueRequired", "Required value"},
	[CAUSE_DUPLICATE] = {"FieldValueDuplicate", "Duplicate value"},
	[CAUSE_INVALID] = {"FieldValueInvalid", "Invalid value"},
	[CAUSE_NOT_SUPPORTED] = {"FieldValueNotSupported", "Unsupported value"},
	[CAUSE_FORBIDDEN] = {"FieldValueForbidden", "Forbidden"},
	[CAUSE_TOO_LONG] = {"FieldValueTooLong", "Too long"},
	[CAUSE_TOO_SHORT] = {"FieldValueTooShort", "Too short"},
	[CAUSE_TOO_MANY] = {"FieldValueTooMany", "Too many"},
	[CAUSE_TOO_FEW] = {"FieldValueTooFew", "Too few"},
	[CAUSE_TYPE_INVALID] = {"FieldValueTypeInvalid", "Invalid value"},
	[CAUSE_INTERNAL] = {"InternalError", "Internal error"},
};

static void add(struct causes *c, enum cause_kind kind, const struct field_path *p,
	struct cause_value value, str detail);
static bool said_before(const struct causes *c, size_t which) PURE;
static str from_buf(struct arena *a, struct buf *b);

void field_path_put(struct buf *b, const struct field_path *p)
{
	if (!p)
		return;
	field_path_put(b, p->parent);
	if (p->name) {
		if (b->len)
			buf_add_char(b, '.');
		buf_add_str(b, str_of(p->name));
		return;
	}
	buf_add_char(b, '[');
	if (p->key.at)
		buf_add_str(b, p->key);
	else
		buf_add_u64(b, p->index);
	buf_add_char(b, ']');
}

struct cause_value cause_text(str s)
{
	return (struct cause_value){CAUSE_TEXT, s};
}

struct cause_value cause_i64(struct arena *a, int64_t value)
{
	return (struct cause_value){CAUSE_BARE, arena_fmt(a, "%lld", (long long)value)};
}

struct cause_value cause_bool(bool value)
{
	return (struct cause_value){CAUSE_BARE, value ? STR("true") : STR("false")};
}

struct cause_value cause_struct(struct arena *a, const struct type *t, const void *o)
{
	struct buf b;
	struct err e;

	buf_init(&b, BUF_NO_LIMIT);
	if (struct_encode(t, o, FORMAT_JSON, &b, &e) < 0)
		buf_reset(&b);
	return (struct cause_value){CAUSE_BARE, from_buf(a, &b)};
}

struct cause_value cause_json(str json)
{
	return (struct cause_value){CAUSE_BARE, json};
}

struct cause_value cause_list(struct arena *a, const struct str_list *texts)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_char(&b, '[');
	for (size_t i = 0; i < texts->len; i++) {
		if (i > 0)
			buf_add_char(&b, ',');
		json_put_str(&b, texts->at[i]);
	}
	buf_add_char(&b, ']');
	str json = arena_str(a, buf_str(&b));

	buf_free(&b);
	return cause_json(json);
}

struct cause_value cause_field(
	struct arena *a, const struct type *t, const void *o, const char *path)
{
	struct place place;
	struct err e;
	struct buf b;

	if (path_find(t, o, str_of(path), &place, &e) < 0)
		return cause_json(STR("null"));
	buf_init(&b, BUF_NO_LIMIT);
	path_put_text(&b, &place);
	bool text = place.field->kind == KIND_STRING &&
		(place.in_element || place.field->shape <= SHAPE_POINTER);
	return (struct cause_value){text ? CAUSE_TEXT : CAUSE_BARE, from_buf(a, &b)};
}

void causes_add(struct causes *c, enum cause_kind kind, const struct field_path *p,
	struct cause_value value, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(c, kind, p, value, arena_vfmt(c->arena, fmt, args));
	va_end(args);
}

void causes_required(struct causes *c, const struct field_path *p, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(c, CAUSE_REQUIRED, p, (struct cause_value){CAUSE_NO_VALUE, {NULL, 0}},
		arena_vfmt(c->arena, fmt, args));
	va_end(args);
}

void causes_invalid(struct causes *c, const struct field_path *p, struct cause_value value,
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(c, CAUSE_INVALID, p, value, arena_vfmt(c->arena, fmt, args));
	va_end(args);
}

void causes_forbidden(struct causes *c, const struct field_path *p, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(c, CAUSE_FORBIDDEN, p, (struct cause_value){CAUSE_NO_VALUE, {NULL, 0}},
		arena_vfmt(c->arena, fmt, args));
	va_end(args);
}

void causes_duplicate(struct causes *c, const struct field_path *p, struct cause_value value)
{
	add(c, CAUSE_DUPLICATE, p, value, STR(""));
}

void causes_not_supported(struct causes *c, const struct field_path *p, struct cause_value value,
	const str *supported, size_t count)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < count; i++) {
		buf_add_str(&b, i ? STR(", ") : STR("supported values: "));
		quote_put(&b, supported[i]);
	}
	add(c, CAUSE_NOT_SUPPORTED, p, value, from_buf(c->arena, &b));
}

void causes_too_long(struct causes *c, const struct field_path *p, size_t max_bytes)
{
	add(c, CAUSE_TOO_LONG, p, (struct cause_value){CAUSE_NO_VALUE, {NULL, 0}},
		arena_fmt(c->arena, "may not be more than %zu byte%s", max_bytes,
			max_bytes == 1 ? "" : "s"));
}

void causes_too_many(struct causes *c, const struct field_path *p, size_t actual, size_t max_items)
{
	add(c, CAUSE_TOO_MANY, p, cause_i64(c->arena, (int64_t)actual),
		arena_fmt(c->arena, "must have at most %zu item%s", max_items,
			max_items == 1 ? "" : "s"));
}

void causes_append(struct causes *c, const struct status_cause *one)
{
	if (c->len == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 4;
		struct status_cause *at = arena_get(c->arena, cap * sizeof(*at));

		if (c->len)
			memcpy(at, c->at, c->len * sizeof(*at));
		c->at = at;
		c->cap = cap;
	}
	c->at[c->len++] = *one;
}

void causes_put(const struct causes *c, struct buf *b)
{
	size_t distinct = 0;

	for (size_t i = 0; i < c->len; i++)
		distinct += !said_before(c, i);
	for (size_t i = 0, written = 0; i < c->len; i++) {
		if (said_before(c, i))
			continue;
		buf_add_str(b, written++ ? STR(", ") : distinct > 1 ? STR(": [") : STR(": "));
		buf_add_str(b, c->at[i].field);
		buf_add_str(b, STR(": "));
		buf_add_str(b, c->at[i].message);
	}
	if (distinct > 1)
		buf_add_char(b, ']');
}

static bool said_before(const struct causes *c, size_t which)
{
	for (size_t i = 0; i < which; i++)
		if (str_eq(c->at[i].field, c->at[which].field) &&
			str_eq(c->at[i].message, c->at[which].message))
			return true;
	return false;
}

static void add(struct causes *c, enum cause_kind kind, const struct field_path *p,
	struct cause_value value, str detail)
{
	struct buf field, message;

	buf_init(&field, BUF_NO_LIMIT);
	buf_init(&message, BUF_NO_LIMIT);
	if (p)
		field_path_put(&field, p);
	else
		buf_add_str(&field, STR("<nil>"));
	buf_add_str(&message, str_of(kinds[kind].title));
	if (value.shown != CAUSE_NO_VALUE)
		buf_add_str(&message, STR(": "));
	if (value.shown == CAUSE_TEXT)
		quote_put(&message, value.text);
	else if (value.shown == CAUSE_BARE)
		buf_add_str(&message, value.text);
	if (detail.len) {
		buf_add_str(&message, STR(": "));
		buf_add_str(&message, detail);
	}
	causes_append(c,
		&(struct status_cause){
			.reason = str_of(kinds[kind].reason),
			.message = from_buf(c->arena, &message),
			.field = from_buf(c->arena, &field),
		});
}

/* What the buffer holds, moved to the arena. */
static str from_buf(struct arena *a, struct buf *b)
{
	str s = arena_str(a, buf_str(b));

	buf_free(b);
	return s;
}
