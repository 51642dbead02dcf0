#include "lib/schema/layout.h"

#include "lib/schema/name_hash.h"
#include "lib/schema/walk.h"

enum { ROWS_MAX = UINT16_MAX, TEXT_MAX = 64 << 20 };

/* NUL-terminated, so that it serves as a name too. */
static struct text put_text(struct layout *l, str s)
{
	struct text t = {(uint32_t)l->text.len, (uint32_t)s.len};

	buf_add_str(&l->text, s);
	buf_add_char(&l->text, '\0');
	return t;
}

void layout_init(struct layout *l, struct arena *a)
{
	*l = (struct layout){.arena = a, .schema = arena_get(a, sizeof(struct schema))};
	buf_init(&l->text, TEXT_MAX);
	/* What has no name of its own is named by the first text. */
	put_text(l, STR("."));
	l->schema->sorted = true;
	l->rules_cap = 4;
	l->rules_count = 1;
	l->rules = arena_get(a, l->rules_cap * sizeof(*l->rules)); /* row 0 is empty */
}

void layout_free(struct layout *l)
{
	buf_free(&l->text);
}

static int too_many(const char *what, struct err *e)
{
	return err_set(e, ERR_LIMIT, "the schema has more than %d %s", ROWS_MAX, what);
}

/* Between ,"  and ": as writers want it. */
static uint32_t put_name(struct layout *l, str name, uint16_t *flags)
{
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.at[i] < ' ' || (unsigned char)name.at[i] >= 0x7f ||
			strchr("\"\\<>&", name.at[i]))
			*flags |= FIELD_ESCAPED;
	buf_add_str(&l->text, STR(",\""));
	uint32_t at = (uint32_t)l->text.len;

	buf_add_str(&l->text, name);
	buf_add_str(&l->text, STR("\":"));
	buf_add_char(&l->text, '\0');
	return at;
}

static int add_type(struct layout *l, struct type t, uint16_t *to, struct err *e)
{
	size_t count = l->schema->type_count;

	if (count == ROWS_MAX)
		return too_many("types", e);
	if (arena_grow(l->arena, (void **)&l->types, count, &l->type_cap, sizeof(t)) < 0)
		return arena_full(l->arena, e);
	l->types[count] = t;
	*to = (uint16_t)l->schema->type_count++;
	return 0;
}

int layout_import(struct layout *l, const struct type *t, uint16_t *to, struct err *e)
{
	return add_type(l, *t, to, e);
}

static size_t bytes_of(const struct layout *l, const struct layout_field *f)
{
	if (f->shape == SHAPE_POINTER)
		return sizeof(void *);
	if (f->shape != SHAPE_VALUE)
		return sizeof(struct any_list);
	return f->kind == KIND_STRUCT ? l->types[f->type].size_bytes : kind_bytes[f->kind];
}

static int add_rules(struct layout *l, const struct layout_field *f, uint16_t *to, struct err *e)
{
	struct field_rules r = {.default_json = put_text(l, f->default_json),
		.list_keys = put_text(l, f->list_keys)};

	if (l->rules_count == ROWS_MAX)
		return too_many("defaults and keys", e);
	if (arena_grow(l->arena, (void **)&l->rules, l->rules_count, &l->rules_cap, sizeof(r)) < 0)
		return arena_full(l->arena, e);
	l->rules[l->rules_count] = r;
	*to = (uint16_t)l->rules_count++;
	return 0;
}

static int add_field(struct layout *l, const struct layout_field *from, uint32_t *size,
	uint32_t has, struct err *e)
{
	struct field f = {.has = has,
		.type = from->type,
		.name_len = (uint16_t)from->name.len,
		.flags = (uint16_t)from->flags,
		.kind = (uint8_t)from->kind,
		.shape = (uint8_t)from->shape};
	size_t n = l->field_count;

	if (from->name.len > UINT16_MAX)
		return too_many("bytes in a name", e);
	if (from->shape != SHAPE_VALUE)
		f.flags |= FIELD_OMITZERO;
	if (from->default_json.len)
		f.flags |= FIELD_DEFAULT;
	f.name = put_name(l, from->name, &f.flags);
	if (from->default_json.len || from->list_keys.len)
		TRY(add_rules(l, from, &f.rules, e));
	f.offset = *size;
	*size += (uint32_t)((bytes_of(l, from) + 7) & ~(size_t)7);
	if (arena_grow(l->arena, (void **)&l->fields, n, &l->field_cap, sizeof(f)) < 0 ||
		arena_grow(l->arena, (void **)&l->go, n, &l->go_cap, sizeof(*l->go)) < 0)
		return arena_full(l->arena, e);
	l->fields[n] = f;
	l->go[n] = (struct field_go){0, 0};
	l->field_count++;
	return 0;
}

static int add_lookup(struct layout *l, struct type *t, struct err *e)
{
	size_t slots = 2;

	t->lookup_bits = 1;
	for (; slots < 2 * (size_t)t->json_count; slots *= 2)
		t->lookup_bits++;
	while (l->lookup_cap < l->lookup_count + slots) {
		size_t len = l->lookup_cap;

		if (arena_grow(l->arena, (void **)&l->lookup, len, &l->lookup_cap,
			    sizeof(*l->lookup)) < 0)
			return arena_full(l->arena, e);
	}
	t->lookup = (uint32_t)l->lookup_count;
	memset(l->lookup + l->lookup_count, 0, slots * sizeof(*l->lookup));
	l->lookup_count += slots;
	for (size_t i = 0; i < t->json_count; i++) {
		const struct field *f = &l->fields[t->fields + i];
		str name = str_span(l->text.at + f->name, f->name_len);
		size_t at = name_slot(name, t->lookup_bits);

		while (l->lookup[t->lookup + at])
			at = (at + 1) & (slots - 1);
		l->lookup[t->lookup + at] = (uint16_t)(i + 1);
	}
	return 0;
}

static int add_struct(struct layout *l, const struct layout_field *fields, size_t count,
	struct type t, uint32_t size, struct err *e)
{
	uint32_t has = size * 8;
	uint16_t index;

	if (count >= ROWS_MAX)
		return too_many("fields in a struct", e);
	t.schema = l->schema;
	t.fields = t.json_fields = (uint32_t)l->field_count;
	t.field_count = t.json_count = (uint16_t)count;
	size = (uint32_t)((size + (2 * count + 7) / 8 + 7) & ~(size_t)7);
	for (size_t i = 0; i < count; i++)
		TRY(add_field(l, &fields[i], &size, has + 2 * (uint32_t)i, e));
	t.size_bytes = size + (t.flags & TYPE_OPEN ? (uint32_t)sizeof(struct str_map) : 0);
	TRY(buf_ok(&l->text, "the schema's text", e));
	TRY(add_lookup(l, &t, e));
	return add_type(l, t, &index, e);
}

int layout_struct(struct layout *l, const struct layout_field *fields, size_t count, unsigned flags,
	bool object, uint16_t *to, struct err *e)
{
	struct type t = {.form = FORM_STRUCT, .flags = (uint8_t)(flags | TYPE_OPEN)};

	if (object)
		t.flags |= TYPE_OBJECT;
	TRY(add_struct(l, fields, count, t, object ? sizeof(struct object) : 0, e));
	*to = (uint16_t)(l->schema->type_count - 1);
	return 0;
}

int layout_list(struct layout *l, const struct layout_field *only, uint16_t *to, struct err *e)
{
	struct type t = {.form = FORM_LIST};

	TRY(add_struct(l, only, 1, t, 0, e));
	*to = (uint16_t)(l->schema->type_count - 1);
	return 0;
}

/* --- the whole */

/* apiVersion and kind lie in the head. */
static void place_head(struct layout *l, const struct type *t)
{
	for (size_t i = 0; i < t->field_count; i++) {
		struct field *f = &l->fields[t->fields + i];
		str name = str_span(l->text.at + f->name, f->name_len);

		if (str_eq(name, STR("apiVersion")))
			f->offset = offsetof(struct object, api_version);
		else if (str_eq(name, STR("kind")))
			f->offset = offsetof(struct object, kind);
	}
}

/* Its default with the defaults below it, once for all; false if it is not of the field's kind. */
static bool make_default(struct layout *l, const struct type *t, const struct field *f)
{
	const struct field_rules *rules = &l->rules[f->rules];
	void *o = arena_get(l->arena, t->size_bytes);
	struct err e;

	if (json_decode_field(l->arena, t, f, type_text(t, rules->default_json), o, &e) < 0)
		return false;
	if (f->kind == KIND_STRUCT)
		field_default(l->arena, t, f, field_at(o, f));
	l->defaults[f->rules] = field_at(o, f);
	return true;
}

static void find_defaults(struct layout *l, struct type *t)
{
	for (size_t i = 0; i < t->field_count; i++) {
		struct field *f = &l->fields[t->fields + i];

		if ((f->flags & FIELD_DEFAULT) && !make_default(l, t, f))
			f->flags &= (uint16_t)~FIELD_DEFAULT;
		if ((f->flags & FIELD_DEFAULT) ||
			(f->kind == KIND_STRUCT && (l->types[f->type].flags & TYPE_DEFAULTS)))
			t->flags |= TYPE_DEFAULTS;
	}
}

int layout_finish(
	struct layout *l, str group, str version, str kind, const struct type **root, struct err *e)
{
	static default_function *const no_functions[1];
	struct schema *s = l->schema;
	struct type *last = &l->types[s->type_count - 1];
	struct kind *k = arena_get(l->arena, sizeof(*k));
	struct buf api_version;
	str text;

	buf_init(&api_version, BUF_NO_LIMIT);
	buf_add_fmt(&api_version, "%.*s/%.*s", STR_ARG(group), STR_ARG(version));
	k->group = put_text(l, group).at;
	k->version = put_text(l, version).at;
	k->name = put_text(l, kind).at;
	k->api_version = put_text(l, buf_str(&api_version)).at;
	k->type = (uint16_t)(s->type_count - 1);
	buf_free(&api_version);
	last->kind = 1;
	last->go_name = (uint32_t)l->text.len;
	buf_add_fmt(&l->text, "%.*s.%.*s", STR_ARG(version), STR_ARG(kind));
	buf_add_char(&l->text, '\0');
	TRY(buf_ok(&l->text, "the schema's text", e));
	TRY(arena_str_try(l->arena, buf_str(&l->text), &text, e));
	place_head(l, last);
	s->types = l->types;
	s->fields = l->fields;
	s->go = l->go;
	s->rules = l->rules;
	s->kinds = k;
	s->kind_count = 1;
	s->lookup = l->lookup;
	l->defaults = arena_try_array(l->arena, l->rules_count, sizeof(void *));
	if (!l->defaults)
		return arena_full(l->arena, e);
	s->default_values = l->defaults;
	s->functions = no_functions;
	s->text = text.at;
	for (size_t i = 0; i < s->type_count; i++)
		if (l->types[i].schema == s)
			find_defaults(l, &l->types[i]);
	*root = last;
	return 0;
}
