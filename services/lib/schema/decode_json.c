/*
 * JSON text to structs, with the leniency and the words of sigs.k8s.io/json: names are
 * case-sensitive, null leaves a plain value alone and unsets a pointer, list or map, of equal keys
 * the last one counts.
 */
#include "lib/schema/decode_json.h"

#include "lib/base/map.h"

struct seen {
	uint64_t few;
	uint64_t *many;
};

static int decode_struct(struct json_decoder *d, const struct type *t, void *o,
	const struct place *p, const struct json_item *item);
static int decode_members(
	struct json_decoder *d, const struct type *t, void *o, const struct json_item *item);
static int decode_either(
	struct json_decoder *d, const struct type *t, void *o, const struct json_item *item);
static int decode_field(struct json_decoder *d, const struct type *t, const struct field *f,
	void *o, const struct json_item *item);

int json_decode_struct(
	struct arena *a, const struct type *t, str in, void *o, struct notes *n, struct err *e)
{
	struct json_decoder d = {.arena = a, .notes = n, .e = e};
	struct json_item root;

	TRY(json_parse(a, in, &root, e));
	return decode_struct(&d, t, o, NULL, &root);
}

int json_decode_field(struct arena *a, const struct type *t, const struct field *f, str in, void *o,
	struct err *e)
{
	struct json_decoder d = {.arena = a, .e = e};
	struct json_item root;

	TRY(json_parse(a, in, &root, e));
	return decode_field(&d, t, f, o, &root);
}

static int decode_value(struct json_decoder *d, const struct place *p, const struct json_item *item)
{
	if (p->field->kind == KIND_STRUCT)
		return decode_struct(d, row_type(p->owner, p->field), p->at, p, item);
	return json_decode_scalar(d, p, item);
}

static enum json_kind list_kind(const struct type *t)
{
	return own_fields(t)->shape == SHAPE_MAP ? JSON_OBJECT : JSON_ARRAY;
}

/* `p` is NULL for the root. */
static int decode_struct(struct json_decoder *d, const struct type *t, void *o,
	const struct place *p, const struct json_item *item)
{
	begin_struct(t, o);
	if (LIKELY(item->kind == JSON_OBJECT && t->form == FORM_STRUCT))
		return decode_members(d, t, o, item);
	if (t->form == FORM_EITHER)
		return decode_either(d, t, o, item);
	if (t->form == FORM_LIST && (item->kind == list_kind(t) || item->kind == JSON_NULL))
		return decode_field(d, t, own_fields(t), o, item);
	if (item->kind == JSON_NULL)
		return 0;
	if (p)
		return json_mismatch(d, p, json_kind_name(item->kind));
	return err_set(d->e, ERR_INVALID, "json: cannot unmarshal %.*s into Go value of type %s",
		STR_ARG(json_kind_name(item->kind)), type_go_name(t));
}

/* Notes a member that came before in the same object. */
static int note_again(
	struct json_decoder *d, const struct type *t, const struct field *f, struct seen *seen)
{
	size_t index = (size_t)(f - json_fields(t));
	uint64_t *words = &seen->few, bit = (uint64_t)1 << (index % 64);

	if (t->json_count > 64) {
		if (!seen->many)
			seen->many = arena_try_array(
				d->arena, t->json_count / 64 + 1, sizeof(uint64_t));
		if (!seen->many)
			return arena_full(d->arena, d->e);
		words = seen->many;
	}
	if (words[index / 64] & bit)
		return json_note(d, "duplicate field", field_name(t, f));
	words[index / 64] |= bit;
	return 0;
}

/* Members mostly come in the order of the rows, so the next row is tried first. */
static const struct field *find_member(const struct type *t, const struct field *next, str key)
{
	if (LIKELY(next < json_fields_end(t) && next->name_len == key.len &&
		    memcmp(t->schema->text + next->name, key.at, key.len) == 0))
		return next;
	return type_field(t, key);
}

static int decode_members(
	struct json_decoder *d, const struct type *t, void *o, const struct json_item *item)
{
	const struct field *next = json_fields(t);
	struct json_walk walk = json_enter(item);
	struct seen seen = {0};
	struct json_kept kept = {0};

	for (struct json_item member; json_next(&walk, &member);) {
		const struct field *f = find_member(t, next, member.key);

		if (UNLIKELY(t->flags & TYPE_OPEN) && json_keeps(t, f, &member)) {
			if (f && d->notes)
				TRY(note_again(d, t, f, &seen));
			TRY(json_keep(d, &kept, &member));
			continue;
		}
		if (UNLIKELY(!f)) {
			if (d->notes)
				TRY(json_note(d, "unknown field", member.key));
			continue;
		}
		next = f + 1;
		if (UNLIKELY(d->notes))
			TRY(note_again(d, t, f, &seen));
		if (UNLIKELY(t->flags & TYPE_OPEN) && field_present(o, f))
			json_forget(f, o);
		TRY(decode_field(d, t, f, o, &member));
		field_set_present(o, f, member.kind == JSON_NULL);
	}
	return kept.map.len ? json_settle(d, t, o, &kept) : 0;
}

static int decode_list(struct json_decoder *d, struct place *p, const struct json_item *item)
{
	struct any_list *list = p->at;
	size_t size = value_bytes(p->owner, p->field);
	struct json_walk walk = json_enter(item);
	struct step step = {.up = d->at};
	struct json_item element;

	if (item->count == 0) {
		*list = empty_list();
		return 0;
	}
	char *at = arena_try_array(d->arena, item->count, size);

	if (!at)
		return arena_full(d->arena, d->e);
	*list = (struct any_list){at, item->count};
	d->at = &step;
	for (; json_next(&walk, &element); at += size, step.index++) {
		p->at = at;
		TRY(decode_value(d, p, &element));
	}
	d->at = step.up;
	return 0;
}

/* Fills the entries at `at`; `seen` is NULL if nobody asks for keys that come twice. */
static int decode_entries(struct json_decoder *d, struct place *p, const struct json_item *item,
	char *at, struct map *seen)
{
	size_t size = entry_bytes(p->owner, p->field);
	struct json_walk walk = json_enter(item);
	struct step step = {.up = d->at};

	for (struct json_item element; json_next(&walk, &element); at += size) {
		if (seen && map_put(seen, element.key, at))
			TRY(json_note(d, "duplicate field", element.key));
		memcpy(at, &element.key, sizeof(str));
		step.key = element.key;
		d->at = &step;
		p->at = at + ENTRY_VALUE;
		TRY(decode_value(d, p, &element));
		d->at = step.up;
	}
	return 0;
}

static int decode_noting(
	struct json_decoder *d, struct place *p, const struct json_item *item, char *at)
{
	struct map seen;

	map_init(&seen);
	int result = decode_entries(d, p, item, at, &seen);

	map_free(&seen);
	return result;
}

/* Where an object stands twice in the text, the second adds to what the map has. */
static int decode_map(struct json_decoder *d, struct place *p, const struct json_item *item)
{
	struct any_list *map = p->at;
	size_t size = entry_bytes(p->owner, p->field), before = map->len,
	       count = before + item->count;

	if (count == 0) {
		*map = empty_list();
		return 0;
	}
	char *at = arena_try_array(d->arena, count, size);

	if (!at)
		return arena_full(d->arena, d->e);
	if (before)
		memcpy(at, map->at, before * size);
	*map = (struct any_list){at, count};
	at += before * size;
	if (d->notes)
		TRY(decode_noting(d, p, item, at));
	else
		TRY(decode_entries(d, p, item, at, NULL));
	return map_settle(d->arena, map, size, d->e);
}

static int decode_pointer(struct json_decoder *d, struct place *p, const struct json_item *item)
{
	struct any_pointer *pointer = p->at;

	if (!pointer->at) {
		void *at = arena_try(d->arena, value_bytes(p->owner, p->field));

		if (!at)
			return arena_full(d->arena, d->e);
		pointer->at = at;
	}
	p->at = pointer->at;
	return decode_value(d, p, item);
}

static int decode_shape(struct json_decoder *d, struct place *p, const struct json_item *item)
{
	enum field_shape shape = p->field->shape;

	if (shape == SHAPE_VALUE)
		return decode_value(d, p, item);
	if (item->kind == JSON_NULL) {
		if (shape == SHAPE_POINTER)
			((struct any_pointer *)p->at)->at = NULL;
		else
			*(struct any_list *)p->at = (struct any_list){NULL, 0};
		return 0;
	}
	if (shape == SHAPE_POINTER)
		return decode_pointer(d, p, item);
	if (item->kind != (shape == SHAPE_LIST ? JSON_ARRAY : JSON_OBJECT))
		return json_mismatch(d, p, json_kind_name(item->kind));
	p->in_element = true;
	return shape == SHAPE_LIST ? decode_list(d, p, item) : decode_map(d, p, item);
}

static int decode_field(struct json_decoder *d, const struct type *t, const struct field *f,
	void *o, const struct json_item *item)
{
	struct step step = {.up = d->at, .owner = t, .field = f};
	struct place p = {.owner = t, .field = f, .at = field_at(o, f)};

	d->at = &step;
	TRY(decode_shape(d, &p, item));
	d->at = step.up;
	return 0;
}

static const struct field *field_for(const struct type *t, enum json_kind kind)
{
	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++)
		if ((f->shape == SHAPE_LIST && kind == JSON_ARRAY) ||
			(f->shape == SHAPE_POINTER && kind == JSON_OBJECT) ||
			(f->shape == SHAPE_VALUE && kind == JSON_BOOL))
			return f;
	return NULL;
}

/*
 * JSONSchemaPropsOrBool with a schema allows; the other two take what does not fit for nothing.
 * Below, upstream decodes afresh, without notes.
 */
static int decode_either(
	struct json_decoder *d, const struct type *t, void *o, const struct json_item *item)
{
	const struct field *allows = field_for(t, JSON_BOOL), *f = field_for(t, item->kind);

	memset(o, 0, t->size_bytes);
	if (!f)
		return allows ? err_set(d->e, ERR_INVALID, "boolean or JSON schema expected") : 0;
	if (allows)
		*(bool *)field_at(o, allows) = true;

	struct json_decoder afresh = {.arena = d->arena, .at = d->at, .e = d->e};

	return decode_field(&afresh, t, f, o, item);
}
