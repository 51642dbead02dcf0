/*
 * What of JSON an open struct keeps as text: open.h.
 */
#include "lib/schema/open.h"

#include "lib/schema/decode_json.h"

#include <stdlib.h>

static bool fits(const struct type *owner, const struct field *f, const struct json_item *item);
static int put_sorted(struct json_decoder *d, struct buf *b, const struct json_item *item);

const str *open_text(const struct type *t, const void *o, str name)
{
	const struct str_map *texts = open_texts(t, o);

	for (size_t i = 0; i < texts->len; i++)
		if (str_eq(texts->at[i].key, name))
			return &texts->at[i].value;
	return NULL;
}

void open_drop(const struct type *t, void *o, str name)
{
	struct str_map *texts = open_texts(t, o);
	size_t kept = 0;

	for (size_t i = 0; i < texts->len; i++)
		if (!str_eq(texts->at[i].key, name))
			texts->at[kept++] = texts->at[i];
	texts->len = kept;
}

bool json_whole(const struct json_item *item, int64_t *to)
{
	double number;

	if (json_to_i64(item, to))
		return true;
	if (!json_to_f64(item, &number) || number < -0x1p63 || number >= 0x1p63 ||
		(double)(int64_t)number != number)
		return false;
	*to = (int64_t)number;
	return true;
}

static bool value_fits(
	const struct type *owner, const struct field *f, const struct json_item *item)
{
	int64_t number;

	switch ((enum field_kind)f->kind) {
	case KIND_BOOL: return item->kind == JSON_BOOL;
	case KIND_INT64: return item->kind == JSON_NUMBER && json_whole(item, &number);
	case KIND_STRING: return item->kind == JSON_STRING;
	case KIND_STRUCT: break;
	default: return true;
	}
	const struct type *t = row_type(owner, f);

	if (t->form == FORM_LIST)
		return fits(t, own_fields(t), item);
	/* What is no open struct is metadata, which has to be right. */
	return !(t->flags & TYPE_OPEN) || item->kind == JSON_OBJECT;
}

/* Lists and maps fit as a whole or not at all; an open struct in them looks after itself. */
static bool fits(const struct type *owner, const struct field *f, const struct json_item *item)
{
	struct json_walk walk = json_enter(item);

	if (f->shape == SHAPE_VALUE || f->shape == SHAPE_POINTER)
		return value_fits(owner, f, item);
	if (item->kind != (f->shape == SHAPE_LIST ? JSON_ARRAY : JSON_OBJECT))
		return false;
	for (struct json_item element; json_next(&walk, &element);)
		if (!value_fits(owner, f, &element))
			return false;
	return true;
}

bool json_keeps(const struct type *t, const struct field *f, const struct json_item *member)
{
	if (!f)
		return t->flags & TYPE_KEEPS;
	if (f->shape == SHAPE_VALUE) /* apiVersion, kind and metadata */
		return false;
	return member->kind == JSON_NULL || !fits(t, f, member);
}

void json_forget(const struct field *f, void *o)
{
	if (f->shape != SHAPE_VALUE)
		memset(field_at(o, f), 0,
			f->shape == SHAPE_POINTER ? sizeof(void *) : sizeof(struct any_list));
}

int json_keep(struct json_decoder *d, struct json_kept *kept, const struct json_item *member)
{
	struct step step = {.up = d->at, .key = member->key};
	struct str_entry *entry;
	str text;

	d->at = &step;
	TRY(json_decode_sorted(d, &text, member));
	d->at = step.up;
	if (arena_grow(d->arena, (void **)&kept->map.at, kept->map.len, &kept->cap,
		    sizeof(*entry)) < 0)
		return arena_full(d->arena, d->e);
	entry = &kept->map.at[kept->map.len++];
	entry->key = member->key;
	entry->value = text;
	return 0;
}

int json_settle(struct json_decoder *d, const struct type *t, void *o, struct json_kept *kept)
{
	struct any_list *list = (struct any_list *)&kept->map;
	size_t before = kept->map.len;

	TRY(map_settle(d->arena, list, sizeof(struct str_entry), d->e));
	*open_texts(t, o) = kept->map;
	/* Of a member that stands twice, once as what it should be, the text counts. */
	for (size_t i = 0; i < kept->map.len; i++) {
		const struct field *f = type_field(t, kept->map.at[i].key);

		if (f)
			json_forget(f, o);
	}
	if (!d->notes || kept->map.len == before)
		return 0;
	return json_note(d, "duplicate field", kept->map.at[0].key);
}

int json_decode_sorted(struct json_decoder *d, str *to, const struct json_item *item)
{
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	int result = put_sorted(d, &b, item);

	if (result == 0)
		result = buf_ok(&b, "the JSON text", d->e);
	if (result == 0)
		result = arena_str_try(d->arena, buf_str(&b), to, d->e);
	buf_free(&b);
	return result;
}

static void put_number(struct buf *b, const struct json_item *item)
{
	int64_t integer;
	double number;

	if (json_to_i64(item, &integer))
		buf_add_i64(b, integer);
	else if (json_to_f64(item, &number))
		json_put_f64(b, number);
	else
		buf_add_str(b, item->text);
}

/* By name; of equal ones the last in the text comes last. */
static int compare(const void *a, const void *b)
{
	const struct json_item *one = a, *other = b;
	int order = str_cmp(one->key, other->key);

	return order ? order : (one->key.at > other->key.at) - (one->key.at < other->key.at);
}

static int put_object(struct json_decoder *d, struct buf *b, const struct json_item *item)
{
	struct json_item *members = arena_try_array(d->arena, item->count + 1, sizeof(*members));
	struct json_walk walk = json_enter(item);
	struct step step = {.up = d->at};
	size_t count = 0;

	if (!members)
		return arena_full(d->arena, d->e);
	while (json_next(&walk, &members[count]))
		count++;
	qsort(members, count, sizeof(*members), compare);
	buf_add_char(b, '{');
	for (size_t i = 0, put = 0; i < count; i++) {
		if (i + 1 < count && str_eq(members[i].key, members[i + 1].key)) {
			if (d->notes)
				TRY(json_note(d, "duplicate field", members[i].key));
			continue;
		}
		if (put++)
			buf_add_char(b, ',');
		json_put_str(b, members[i].key);
		buf_add_char(b, ':');
		step.key = members[i].key;
		d->at = &step;
		TRY(put_sorted(d, b, &members[i]));
		d->at = step.up;
	}
	buf_add_char(b, '}');
	return 0;
}

static int put_array(struct json_decoder *d, struct buf *b, const struct json_item *item)
{
	struct json_walk walk = json_enter(item);
	struct step step = {.up = d->at};

	buf_add_char(b, '[');
	for (struct json_item element; json_next(&walk, &element); step.index++) {
		if (step.index)
			buf_add_char(b, ',');
		d->at = &step;
		TRY(put_sorted(d, b, &element));
		d->at = step.up;
	}
	buf_add_char(b, ']');
	return 0;
}

static int put_sorted(struct json_decoder *d, struct buf *b, const struct json_item *item)
{
	switch (item->kind) {
	case JSON_NUMBER: put_number(b, item); return 0;
	case JSON_OBJECT: return put_object(d, b, item);
	case JSON_ARRAY: return put_array(d, b, item);
	default: json_put_item(b, item); return 0;
	}
}
