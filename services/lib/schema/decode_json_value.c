#include "lib/schema/decode_json.h"

#include "lib/codec/base64.h"

enum { PATH_MAX_BYTES = 64 << 10 };

static int mismatch(struct json_decoder *d, str what, const char *type) COLD;
static const char *go_type(const struct place *p);

static int decode_int(struct json_decoder *d, const struct place *p, const struct json_item *item,
	int64_t low, int64_t high, int64_t *to);
static int decode_quantity(struct json_decoder *d, void *at, const struct json_item *item);
static int decode_time(struct json_decoder *d, const struct place *p, const struct json_item *item);
static int decode_duration(struct json_decoder *d, void *at, const struct json_item *item);
static int decode_int_or_string(struct json_decoder *d, void *at, const struct json_item *item);
static int decode_raw(struct json_decoder *d, str *to, const struct json_item *item);

/* Only the beginning of a very long number: messages are short. */
static int mismatch_number(struct json_decoder *d, const struct json_item *item, const char *type)
{
	char text[256];
	str digits = str_slice(item->text, 0, sizeof(text) - 16);
	int len = snprintf(text, sizeof(text), "number %.*s", STR_ARG(digits));

	return mismatch(d, str_span(text, (size_t)len), type);
}

static int decode_bytes(struct json_decoder *d, const struct place *p, const struct json_item *item)
{
	if (item->kind == JSON_NULL) {
		*(str *)p->at = (str){NULL, 0};
		return 0;
	}
	if (item->kind != JSON_STRING)
		return json_mismatch(d, p, json_kind_name(item->kind));
	if (item->text.len == 0) {
		*(str *)p->at = str_span(object_empty, 0);
		return 0;
	}
	return base64_read(d->arena, item->text, p->at, d->e);
}

/* bool, integers, float and string: of a wrong kind, Go's usual message; null changes nothing. */
static int decode_plain(struct json_decoder *d, const struct place *p, const struct json_item *item)
{
	enum field_kind kind = p->field->kind;
	int64_t value = 0;

	if (item->kind == JSON_NULL)
		return 0;
	if (kind == KIND_STRING && item->kind == JSON_STRING) {
		*(str *)p->at = item->text;
	} else if (kind == KIND_BOOL && item->kind == JSON_BOOL) {
		*(bool *)p->at = item->truth;
	} else if (kind == KIND_INT32 && item->kind == JSON_NUMBER) {
		TRY(decode_int(d, p, item, INT32_MIN, INT32_MAX, &value));
		*(int32_t *)p->at = (int32_t)value;
	} else if (kind == KIND_INT64 && item->kind == JSON_NUMBER && p->owner->schema->sorted) {
		if (!json_whole(item, p->at))
			return mismatch_number(d, item, go_type(p));
	} else if (kind == KIND_INT64 && item->kind == JSON_NUMBER) {
		TRY(decode_int(d, p, item, INT64_MIN, INT64_MAX, p->at));
	} else if (kind == KIND_FLOAT64 && item->kind == JSON_NUMBER) {
		if (!json_to_f64(item, p->at))
			return mismatch_number(d, item, go_type(p));
	} else {
		return json_mismatch(d, p, json_kind_name(item->kind));
	}
	return 0;
}

int json_decode_scalar(struct json_decoder *d, const struct place *p, const struct json_item *item)
{
	switch ((enum field_kind)p->field->kind) {
	case KIND_BOOL:
	case KIND_INT32:
	case KIND_INT64:
	case KIND_FLOAT64:
	case KIND_STRING: return decode_plain(d, p, item);
	case KIND_BYTES: return decode_bytes(d, p, item);
	case KIND_QUANTITY: return decode_quantity(d, p->at, item);
	case KIND_TIME:
	case KIND_MICROTIME: return decode_time(d, p, item);
	case KIND_DURATION: return decode_duration(d, p->at, item);
	case KIND_INT_OR_STRING: return decode_int_or_string(d, p->at, item);
	case KIND_RAW:
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY:
		if (p->owner->schema->sorted)
			return json_decode_sorted(d, p->at, item);
		return item->kind == JSON_NULL ? 0 : decode_raw(d, p->at, item);
	case KIND_STRUCT: break;
	}
	__builtin_unreachable();
}

static int decode_int(struct json_decoder *d, const struct place *p, const struct json_item *item,
	int64_t low, int64_t high, int64_t *to)
{
	int64_t value;

	if (!json_to_i64(item, &value) || value < low || value > high)
		return mismatch_number(d, item, go_type(p));
	*to = value;
	return 0;
}

/* What a type's own unmarshaller says, which reads a string or an int32. */
static int refuse(struct json_decoder *d, const struct json_item *item, const char *wanted)
{
	if (item->kind == JSON_NUMBER && strcmp(wanted, "string") != 0)
		return mismatch_number(d, item, wanted);
	return mismatch(d, json_kind_name(item->kind), wanted);
}

/* A number is taken as if it were quoted. */
static int decode_quantity(struct json_decoder *d, void *at, const struct json_item *item)
{
	if (item->kind == JSON_NULL) {
		*(struct quantity *)at = (struct quantity){0};
		return 0;
	}
	if (item->kind == JSON_STRING || item->kind == JSON_NUMBER)
		return quantity_parse(str_trim(item->text), at, d->e);
	return quantity_parse(json_kind_name(item->kind), at, d->e);
}

static int decode_time(struct json_decoder *d, const struct place *p, const struct json_item *item)
{
	if (item->kind == JSON_NULL) {
		*(struct time_value *)p->at = (struct time_value){0};
		return 0;
	}
	if (item->kind != JSON_STRING)
		return refuse(d, item, "string");
	if (p->field->kind == KIND_MICROTIME)
		return time_parse_micro(item->text, p->at, d->e);
	return time_parse(item->text, p->at, d->e);
}

static int decode_duration(struct json_decoder *d, void *at, const struct json_item *item)
{
	if (item->kind == JSON_NULL)
		return duration_parse(STR(""), at, d->e);
	if (item->kind != JSON_STRING)
		return refuse(d, item, "string");
	return duration_parse(item->text, at, d->e);
}

static int decode_int_or_string(struct json_decoder *d, void *at, const struct json_item *item)
{
	struct int_or_string *to = at;
	int64_t number;

	to->is_text = item->kind == JSON_STRING;
	if (to->is_text) {
		to->text = item->text;
		return 0;
	}
	if (item->kind == JSON_NULL)
		return 0;
	if (item->kind != JSON_NUMBER || !json_to_i64(item, &number) || number < INT32_MIN ||
		number > INT32_MAX)
		return refuse(d, item, "int32");
	to->number = (int32_t)number;
	return 0;
}

static int decode_raw(struct json_decoder *d, str *to, const struct json_item *item)
{
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	json_put_item(&b, item);
	int result = buf_ok(&b, "the JSON text", d->e);

	if (result == 0)
		result = arena_str_try(d->arena, buf_str(&b), to, d->e);
	buf_free(&b);
	return result;
}

static void put_steps(struct buf *b, const struct step *s)
{
	if (!s)
		return;
	put_steps(b, s->up);
	if (!s->field && !s->key.at) {
		buf_add_fmt(b, "[%zu]", s->index);
		return;
	}
	if (s->owner && s->owner->form != FORM_STRUCT)
		return;
	if (b->len > 0)
		buf_add_char(b, '.');
	buf_add_str(b, s->field ? field_name(s->owner, s->field) : s->key);
}

int json_note(struct json_decoder *d, const char *what, str last)
{
	struct buf b;
	int result;

	if (notes_full(d->notes))
		return 0;
	buf_init(&b, PATH_MAX_BYTES);
	put_steps(&b, d->at);
	if (b.len > 0)
		buf_add_char(&b, '.');
	buf_add_str(&b, last);
	result = notes_add_field(d->notes, what, buf_str(&b), d->e);
	buf_free(&b);
	return result;
}

/* Go's path has the names of fields and of what they are embedded through, no keys and indices. */
static void put_fields(struct buf *b, const struct step *s)
{
	if (!s)
		return;
	put_fields(b, s->up);
	if (!s->field || s->owner->form != FORM_STRUCT)
		return;
	const struct schema *schema = s->owner->schema;
	const char *embedded = schema->text + schema->go[s->field - schema->fields].embedded;

	buf_add_fmt(b, "%s%s%s%.*s", b->len > 0 ? "." : "", embedded, *embedded ? "." : "",
		STR_ARG(field_name(s->owner, s->field)));
}

static const char *go_type(const struct place *p)
{
	const struct schema *s = p->owner->schema;
	const char *type = s->text + s->go[p->field - s->fields].type;

	if (!p->in_element)
		return type;
	if (p->field->kind == KIND_STRUCT)
		return type_go_name(row_type(p->owner, p->field));
	return strchr(type, ']') + 1;
}

/*
 * The struct that Go names: the innermost, but where upstream decodes afresh below (FORM_EITHER),
 * the one around that.
 */
static const struct step *named_step(const struct step *s)
{
	const struct step *named = NULL;

	for (; s; s = s->up) {
		if (!s->field)
			continue;
		if (s->owner->form == FORM_EITHER)
			named = NULL;
		else if (!named && s->owner->form == FORM_STRUCT)
			named = s;
	}
	return named;
}

static int mismatch(struct json_decoder *d, str what, const char *type)
{
	const struct step *s = named_step(d->at);
	struct buf b;
	int result;

	buf_init(&b, PATH_MAX_BYTES);
	put_fields(&b, d->at);
	if (s)
		result = err_set(d->e, ERR_INVALID,
			"json: cannot unmarshal %.*s into Go struct field %s.%.*s of type %s",
			STR_ARG(what), type_name(s->owner), STR_ARG(buf_str(&b)), type);
	else
		result = err_set(d->e, ERR_INVALID,
			"json: cannot unmarshal %.*s into Go value of type %s", STR_ARG(what),
			type);
	buf_free(&b);
	return result;
}

int json_mismatch(struct json_decoder *d, const struct place *p, str what)
{
	return mismatch(d, what, go_type(p));
}
