#include "lib/schema/open.h"
#include "lib/schema/walk.h"

struct copier {
	struct arena *arena;
	bool deep_text;
};

static void copy_below(struct copier *c, const struct type *t, void *o);

void *object_copy(struct arena *a, const void *o, bool deep_text)
{
	const struct type *t = object_type(o);
	void *copy = arena_get(a, t->size_bytes);

	struct_copy(a, t, o, copy, deep_text);
	return copy;
}

void struct_copy(struct arena *a, const struct type *t, const void *from, void *to, bool deep_text)
{
	struct copier c = {.arena = a, .deep_text = deep_text};

	memcpy(to, from, t->size_bytes);
	copy_below(&c, t, to);
}

static void copy_text(struct copier *c, str *s)
{
	if (c->deep_text && s->at)
		*s = arena_str(c->arena, *s);
}

/* The value was copied as bytes; what it points to follows. */
static void copy_value(struct copier *c, const struct type *t, const struct field *f, void *at)
{
	switch ((enum field_kind)f->kind) {
	case KIND_STRING:
	case KIND_BYTES:
	case KIND_RAW:
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY: copy_text(c, at); break;
	case KIND_QUANTITY: copy_text(c, &((struct quantity *)at)->text); break;
	case KIND_INT_OR_STRING: copy_text(c, &((struct int_or_string *)at)->text); break;
	case KIND_STRUCT: copy_below(c, row_type(t, f), at); break;
	case KIND_BOOL:
	case KIND_INT32:
	case KIND_INT64:
	case KIND_FLOAT64:
	case KIND_TIME:
	case KIND_MICROTIME:
	case KIND_DURATION: break;
	}
}

static void *copy_bytes(struct copier *c, const void *from, size_t bytes)
{
	return memcpy(arena_get(c->arena, bytes), from, bytes);
}

static void copy_elements(
	struct copier *c, const struct type *t, const struct field *f, struct any_list *list)
{
	size_t size = stride(t, f);

	if (list->len == 0)
		return;
	list->at = copy_bytes(c, list->at, list->len * size);
	for (size_t i = 0; i < list->len; i++) {
		char *at = (char *)list->at + i * size;

		if (f->shape == SHAPE_MAP)
			copy_text(c, (str *)at);
		copy_value(c, t, f, f->shape == SHAPE_MAP ? at + ENTRY_VALUE : at);
	}
}

static void copy_texts(struct copier *c, struct str_map *texts)
{
	if (texts->len == 0)
		return;
	texts->at = copy_bytes(c, texts->at, texts->len * sizeof(*texts->at));
	for (size_t i = 0; i < texts->len; i++) {
		copy_text(c, &texts->at[i].key);
		copy_text(c, &texts->at[i].value);
	}
}

static void copy_below(struct copier *c, const struct type *t, void *o)
{
	if (t->flags & TYPE_OPEN)
		copy_texts(c, open_texts(t, o));
	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++) {
		void *at = field_at(o, f);
		struct any_pointer *p = at;

		if (f->shape == SHAPE_VALUE) {
			copy_value(c, t, f, at);
		} else if (f->shape != SHAPE_POINTER) {
			copy_elements(c, t, f, at);
		} else if (p->at) {
			p->at = copy_bytes(c, p->at, value_bytes(t, f));
			copy_value(c, t, f, p->at);
		}
	}
}
