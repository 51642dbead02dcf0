/*
 * Structs to JSON text, compact, as Go's encoding/json writes them: fields in declaration order,
 * nil and empty told apart where omitempty does not leave them out.
 */
#include "lib/codec/base64.h"
#include "lib/codec/json.h"
#include "lib/schema/open.h"
#include "lib/schema/walk.h"

static void put_struct(struct buf *b, const struct type *t, const void *o);
static void put_field(struct buf *b, const struct type *t, const struct field *f, const void *at);

static void put_value(struct buf *b, const struct type *t, const struct field *f, const void *at);

void json_encode_struct(const struct type *t, const void *o, struct buf *to)
{
	put_struct(to, t, o);
}

void json_encode_place(const struct place *p, struct buf *to)
{
	if (p->in_element)
		put_value(to, p->owner, p->field, p->at);
	else
		put_field(to, p->owner, p->field, p->at);
}

/* What omitempty leaves out: Go has no empty structs, and most of our kinds are structs there. */
static bool is_empty(const struct type *t, const struct field *f, const void *at)
{
	if (f->shape == SHAPE_POINTER)
		return !((const struct any_pointer *)at)->at;
	if (f->shape != SHAPE_VALUE)
		return ((const struct any_list *)at)->len == 0;
	switch ((enum field_kind)f->kind) {
	case KIND_STRING:
	case KIND_BYTES: return ((const str *)at)->len == 0;
	case KIND_BOOL:
	case KIND_INT32:
	case KIND_INT64:
	case KIND_FLOAT64:
	case KIND_ANY: return field_is_zero(t, f, at);
	case KIND_STRUCT:
		return row_type(t, f)->form == FORM_LIST &&
			is_empty(row_type(t, f), own_fields(row_type(t, f)),
				field_at(at, own_fields(row_type(t, f))));
	default: return false;
	}
}

bool field_is_left_out(const struct type *t, const struct field *f, const void *at)
{
	if ((f->flags & FIELD_OMITEMPTY) && is_empty(t, f, at))
		return true;
	return (f->flags & FIELD_OMITZERO) && field_is_zero(t, f, at);
}

static void put_name(struct buf *b, const struct type *t, const struct field *f, bool first)
{
	const char *name = t->schema->text + f->name;

	if (LIKELY(!(f->flags & FIELD_ESCAPED))) {
		/* ,"name": without the comma for the first */
		buf_add(b, name - 2 + first, f->name_len + 4u - first);
		return;
	}
	if (!first)
		buf_add_char(b, ',');
	json_put_str(b, field_name(t, f));
	buf_add_char(b, ':');
}

/* Texts up to the member `before`, or all. */
static void put_texts(
	struct buf *b, const struct str_map *texts, size_t *at, str before, bool *first)
{
	for (; *at < texts->len; (*at)++) {
		const struct str_entry *text = &texts->at[*at];

		if (before.at && str_cmp(text->key, before) >= 0)
			return;
		if (!*first)
			buf_add_char(b, ',');
		json_put_str(b, text->key);
		buf_add_char(b, ':');
		buf_add_str(b, text->value);
		*first = false;
	}
}

/* Fields stand by their names, and so do the texts between them. */
static void put_open_members(struct buf *b, const struct type *t, const void *o)
{
	const struct str_map *texts = open_texts(t, o);
	bool first = true;
	size_t at = 0;

	buf_add_char(b, '{');
	for (const struct field *f = json_fields(t); f < json_fields_end(t); f++) {
		if (field_is_left_out(t, f, field_at(o, f)))
			continue;
		put_texts(b, texts, &at, field_name(t, f), &first);
		put_name(b, t, f, first);
		put_field(b, t, f, field_at(o, f));
		first = false;
	}
	put_texts(b, texts, &at, (str){NULL, 0}, &first);
	buf_add_char(b, '}');
}

static void put_members(struct buf *b, const struct type *t, const void *o)
{
	bool first = true;

	if (UNLIKELY(t->flags & TYPE_OPEN)) {
		put_open_members(b, t, o);
		return;
	}
	buf_add_char(b, '{');
	for (const struct field *f = json_fields(t); f < json_fields_end(t); f++) {
		const void *at = field_at(o, f);

		if (field_is_left_out(t, f, at))
			continue;
		put_name(b, t, f, first);
		put_field(b, t, f, at);
		first = false;
	}
	buf_add_char(b, '}');
}

/* A list that has elements, else a pointer that is set, else what the bool says or null. */
static void put_either(struct buf *b, const struct type *t, const void *o)
{
	const struct field *chosen = NULL;
	str otherwise = STR("null");

	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++) {
		if (f->shape == SHAPE_VALUE)
			otherwise = *(const bool *)field_at(o, f) ? STR("true") : STR("false");
		else if (!is_empty(t, f, field_at(o, f)) && (!chosen || f->shape == SHAPE_LIST))
			chosen = f;
	}
	if (chosen)
		put_field(b, t, chosen, field_at(o, chosen));
	else
		buf_add_str(b, otherwise);
}

static void put_struct(struct buf *b, const struct type *t, const void *o)
{
	switch ((enum type_form)t->form) {
	case FORM_STRUCT: put_members(b, t, o); break;
	case FORM_LIST: put_field(b, t, own_fields(t), field_at(o, own_fields(t))); break;
	case FORM_EITHER: put_either(b, t, o); break;
	}
}

/* Kinds whose text needs no escapes. */
static void put_quoted(struct buf *b, enum field_kind kind, const void *at)
{
	buf_add_char(b, '"');
	switch (kind) {
	case KIND_QUANTITY: quantity_put(b, at); break;
	case KIND_DURATION: duration_put(b, *(const struct duration *)at); break;
	case KIND_TIME: time_put(b, at); break;
	case KIND_MICROTIME: time_put_micro(b, at); break;
	default: base64_put(b, *(const str *)at); break;
	}
	buf_add_char(b, '"');
}

static void put_time(struct buf *b, enum field_kind kind, const struct time_value *v)
{
	if (v->set)
		put_quoted(b, kind, v);
	else
		buf_add_str(b, STR("null"));
}

static void put_int_or_string(struct buf *b, const struct int_or_string *v)
{
	if (v->is_text)
		json_put_str(b, v->text);
	else
		buf_add_i64(b, v->number);
}

static void put_text(struct buf *b, enum field_kind kind, const str *s)
{
	if (kind == KIND_STRING)
		json_put_str(b, *s);
	else if (kind == KIND_BYTES ? !s->at : s->len == 0)
		buf_add_str(b, STR("null"));
	else if (kind == KIND_BYTES)
		put_quoted(b, kind, s);
	else
		buf_add_str(b, *s);
}

static void put_value(struct buf *b, const struct type *t, const struct field *f, const void *at)
{
	enum field_kind kind = f->kind;

	switch (kind) {
	case KIND_BOOL: buf_add_str(b, *(const bool *)at ? STR("true") : STR("false")); break;
	case KIND_INT32: buf_add_i64(b, *(const int32_t *)at); break;
	case KIND_INT64: buf_add_i64(b, *(const int64_t *)at); break;
	case KIND_FLOAT64: json_put_f64(b, *(const double *)at); break;
	case KIND_STRING:
	case KIND_BYTES:
	case KIND_RAW:
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY: put_text(b, kind, at); break;
	case KIND_QUANTITY:
	case KIND_DURATION: put_quoted(b, kind, at); break;
	case KIND_TIME:
	case KIND_MICROTIME: put_time(b, kind, at); break;
	case KIND_INT_OR_STRING: put_int_or_string(b, at); break;
	case KIND_STRUCT: put_struct(b, row_type(t, f), at); break;
	}
}

static void put_list(
	struct buf *b, const struct type *t, const struct field *f, const struct any_list *l)
{
	size_t size = value_bytes(t, f);
	const char *at = l->at;

	buf_add_char(b, '[');
	for (size_t i = 0; i < l->len; i++, at += size) {
		if (i > 0)
			buf_add_char(b, ',');
		put_value(b, t, f, at);
	}
	buf_add_char(b, ']');
}

static void put_map(
	struct buf *b, const struct type *t, const struct field *f, const struct any_list *m)
{
	size_t size = entry_bytes(t, f);
	const char *at = m->at;

	buf_add_char(b, '{');
	for (size_t i = 0; i < m->len; i++, at += size) {
		if (i > 0)
			buf_add_char(b, ',');
		json_put_str(b, *(const str *)at);
		buf_add_char(b, ':');
		put_value(b, t, f, at + ENTRY_VALUE);
	}
	buf_add_char(b, '}');
}

static void put_field(struct buf *b, const struct type *t, const struct field *f, const void *at)
{
	if (f->shape == SHAPE_VALUE)
		put_value(b, t, f, at);
	else if (!((const struct any_pointer *)at)->at)
		buf_add_str(b, STR("null"));
	else if (f->shape == SHAPE_POINTER)
		put_value(b, t, f, ((const struct any_pointer *)at)->at);
	else if (f->shape == SHAPE_LIST)
		put_list(b, t, f, at);
	else
		put_map(b, t, f, at);
}
