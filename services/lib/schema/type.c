#include "lib/schema/walk.h"

#include "lib/schema/name_hash.h"
#include "lib/schema/open.h"

const char object_empty[16];

const uint8_t kind_bytes[KIND_COUNT] = {
	[KIND_BOOL] = sizeof(bool),
	[KIND_INT32] = sizeof(int32_t),
	[KIND_INT64] = sizeof(int64_t),
	[KIND_FLOAT64] = sizeof(double),
	[KIND_STRING] = sizeof(str),
	[KIND_BYTES] = sizeof(str),
	[KIND_QUANTITY] = sizeof(struct quantity),
	[KIND_TIME] = sizeof(struct time_value),
	[KIND_MICROTIME] = sizeof(struct time_value),
	[KIND_DURATION] = sizeof(struct duration),
	[KIND_INT_OR_STRING] = sizeof(struct int_or_string),
	[KIND_RAW] = sizeof(str),
	[KIND_FIELDS] = sizeof(str),
	[KIND_JSON] = sizeof(str),
	[KIND_ANY] = sizeof(str),
};

static int compare_kind(
	const struct schema *s, const struct kind *k, str group, str version, str kind)
{
	int order = str_cmp(group, str_of(s->text + k->group));

	if (order == 0)
		order = str_cmp(version, str_of(s->text + k->version));
	return order ? order : str_cmp(kind, str_of(s->text + k->name));
}

const struct type *type_find(const struct schema *s, str group, str version, str kind)
{
	for (size_t low = 0, high = s->kind_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = compare_kind(s, &s->kinds[middle], group, version, kind);

		if (order == 0)
			return &s->types[s->kinds[middle].type];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct type *type_find_api_version(const struct schema *s, str api_version, str kind)
{
	str rest = api_version, group = str_cut(&rest, '/');

	if (!rest.at)
		return type_find(s, STR(""), api_version, kind);
	return type_find(s, group, rest, kind);
}

const struct kind *type_kind(const struct type *t)
{
	return t->kind ? &t->schema->kinds[t->kind - 1] : NULL;
}

const struct field *type_field(const struct type *t, str json_name)
{
	const uint16_t *slots = &t->schema->lookup[t->lookup];
	size_t mask = ((size_t)1 << t->lookup_bits) - 1;

	for (size_t at = name_slot(json_name, t->lookup_bits); slots[at]; at = (at + 1) & mask) {
		const struct field *f = json_fields(t) + slots[at] - 1;

		if (f->name_len == json_name.len &&
			memcmp(t->schema->text + f->name, json_name.at, json_name.len) == 0)
			return f;
	}
	return NULL;
}

const struct type *field_type(const struct type *owner, const struct field *f)
{
	return f->kind == KIND_STRUCT ? row_type(owner, f) : NULL;
}

size_t field_value_bytes(const struct type *owner, const struct field *f)
{
	return value_bytes(owner, f);
}

void *object_new(struct arena *a, const struct type *t)
{
	struct object *o = arena_get(a, t->size_bytes);
	const struct kind *k = type_kind(t);

	o->type = t;
	if (k) {
		o->api_version = str_of(t->schema->text + k->api_version);
		o->kind = str_of(t->schema->text + k->name);
	}
	return o;
}

static bool struct_is_zero(const struct type *t, const void *o)
{
	if ((t->flags & TYPE_OPEN) && open_texts(t, o)->len)
		return false;
	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++)
		if (!field_is_zero(t, f, field_at(o, f)))
			return false;
	return true;
}

bool field_is_zero(const struct type *owner, const struct field *f, const void *at)
{
	if (f->shape != SHAPE_VALUE)
		return !((const struct any_pointer *)at)->at;
	switch ((enum field_kind)f->kind) {
	case KIND_BOOL: return !*(const bool *)at;
	case KIND_INT32: return *(const int32_t *)at == 0;
	case KIND_INT64: return *(const int64_t *)at == 0;
	case KIND_FLOAT64: return *(const double *)at == 0;
	case KIND_STRING: return ((const str *)at)->len == 0;
	case KIND_BYTES:
	case KIND_RAW:
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY: return !((const str *)at)->at;
	case KIND_QUANTITY: return quantity_sign(at) == 0;
	case KIND_TIME:
	case KIND_MICROTIME: return !((const struct time_value *)at)->set;
	case KIND_DURATION: return ((const struct duration *)at)->ns == 0;
	case KIND_INT_OR_STRING: {
		const struct int_or_string *v = at;

		return !v->is_text && v->number == 0;
	}
	case KIND_STRUCT: return struct_is_zero(row_type(owner, f), at);
	}
	__builtin_unreachable();
}

static int compare_keys(const void *a, const void *b)
{
	const str *one = *(const str *const *)a, *other = *(const str *const *)b;
	int order = str_cmp(*one, *other);

	return order ? order : (one > other) - (one < other);
}

static bool is_sorted(const struct any_list *map, size_t entry)
{
	const char *at = map->at;

	for (size_t i = 1; i < map->len; i++, at += entry)
		if (str_cmp(*(const str *)at, *(const str *)(at + entry)) >= 0)
			return false;
	return true;
}

int map_settle(struct arena *a, struct any_list *map, size_t entry, struct err *e)
{
	if (is_sorted(map, entry))
		return 0;
	const char **order = arena_try_array(a, map->len, sizeof(char *));
	char *sorted = arena_try_array(a, map->len, entry);
	size_t kept = 0;

	if (!order || !sorted)
		return arena_full(a, e);
	for (size_t i = 0; i < map->len; i++)
		order[i] = (const char *)map->at + i * entry;
	qsort(order, map->len, sizeof(char *), compare_keys);
	for (size_t i = 0; i < map->len; i++) {
		bool again = i + 1 < map->len &&
			str_eq(*(const str *)order[i], *(const str *)order[i + 1]);

		if (!again)
			memcpy(sorted + kept++ * entry, order[i], entry);
	}
	map->at = sorted;
	map->len = kept;
	return 0;
}
