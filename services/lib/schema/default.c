/*
 * Defaults: a struct's own function first, then field by field what the rules hold and what lies
 * below, the order of upstream's generated code. Types without defaults below are not entered.
 */
#include "lib/schema/open.h"
#include "lib/schema/walk.h"

void object_default(struct arena *a, void *o)
{
	struct_default(a, object_type(o), o);
}

/* What a peer gave in a field's place stays, but for a null that may not be. */
static bool is_given(const struct type *t, const struct field *f, void *o)
{
	const str *text = open_text(t, o, field_name(t, f));

	if (!text)
		return false;
	if ((f->flags & FIELD_NULLABLE) || !str_eq(*text, STR("null")))
		return true;
	open_drop(t, o, field_name(t, f));
	return false;
}

/* The value is a pointer or list, which all objects share: nobody changes one in place. */
static void share_default(const struct type *t, const struct field *f, void *o)
{
	size_t bytes = f->shape == SHAPE_POINTER ? sizeof(void *) : sizeof(struct any_list);

	if (!is_given(t, f, o))
		memcpy(field_at(o, f), t->schema->default_values[f->rules], bytes);
}

/* The text is the schema's own, which a test reads whole, so that it always decodes. */
static void set_default(struct arena *a, const struct type *t, const struct field *f, void *o)
{
	struct err e;
	str text = type_text(t, field_rules(t, f)->default_json);

	if (json_decode_field(a, t, f, text, o, &e) < 0) {
		fprintf(stderr, "default of %s: %s\n", type_go_name(t), e.text);
		abort();
	}
}

static void round_quantities(struct quantity_map *map)
{
	for (size_t i = 0; i < map->len; i++)
		quantity_round_up(&map->at[i].value, QUANTITY_MILLI);
}

void struct_default(struct arena *a, const struct type *t, void *o)
{
	if (!(t->flags & TYPE_DEFAULTS))
		return;
	if (t->default_rules)
		t->schema->functions[t->default_rules - 1](a, o);
	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++) {
		void *at = field_at(o, f);

		if ((f->flags & FIELD_DEFAULT) && field_is_zero(t, f, at)) {
			if (!(t->flags & TYPE_OPEN)) {
				set_default(a, t, f, o);
			} else {
				share_default(t, f, o);
				continue;
			}
		}
		if (f->flags & FIELD_MILLI)
			round_quantities(at);
		if (f->kind == KIND_STRUCT)
			field_default(a, t, f, at);
	}
}

void field_default(struct arena *a, const struct type *t, const struct field *f, void *at)
{
	const struct type *below = row_type(t, f);
	struct any_list *list = at;
	size_t value = f->shape == SHAPE_MAP ? ENTRY_VALUE : 0;

	if (!(below->flags & TYPE_DEFAULTS))
		return;
	if (f->shape == SHAPE_VALUE) {
		struct_default(a, below, at);
	} else if (f->shape == SHAPE_POINTER) {
		if (((struct any_pointer *)at)->at)
			struct_default(a, below, ((struct any_pointer *)at)->at);
	} else {
		for (size_t i = 0; i < list->len; i++)
			struct_default(a, below, (char *)list->at + i * stride(t, f) + value);
	}
}
