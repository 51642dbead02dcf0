#include "lib/schema/open.h"
#include "lib/schema/walk.h"

static bool fields_equal(const struct type *t, const struct field *f, const void *a, const void *b);

bool object_equal(const void *a, const void *b)
{
	return struct_equal(object_type(a), a, b);
}

static bool texts_equal(const struct str_map *a, const struct str_map *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (!str_eq(a->at[i].key, b->at[i].key) || !str_eq(a->at[i].value, b->at[i].value))
			return false;
	return true;
}

bool struct_equal(const struct type *t, const void *a, const void *b)
{
	if ((t->flags & TYPE_OPEN) && !texts_equal(open_texts(t, a), open_texts(t, b)))
		return false;
	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++)
		if (!fields_equal(t, f, field_at(a, f), field_at(b, f)))
			return false;
	return true;
}

static bool times_equal(const struct time_value *a, const struct time_value *b)
{
	return time_compare(a, b) == 0;
}

static bool int_or_strings_equal(const struct int_or_string *a, const struct int_or_string *b)
{
	return a->is_text == b->is_text && a->number == b->number && str_eq(a->text, b->text);
}

static bool values_equal(const struct type *t, const struct field *f, const void *a, const void *b)
{
	switch ((enum field_kind)f->kind) {
	case KIND_BOOL: return *(const bool *)a == *(const bool *)b;
	case KIND_INT32: return *(const int32_t *)a == *(const int32_t *)b;
	case KIND_INT64: return *(const int64_t *)a == *(const int64_t *)b;
	case KIND_FLOAT64: return *(const double *)a == *(const double *)b;
	case KIND_STRING:
	case KIND_BYTES:
	case KIND_RAW:
	case KIND_FIELDS:
	case KIND_JSON:
	case KIND_ANY: return str_eq(*(const str *)a, *(const str *)b);
	case KIND_QUANTITY: return quantity_equal(a, b);
	case KIND_TIME:
	case KIND_MICROTIME: return times_equal(a, b);
	case KIND_DURATION:
		return ((const struct duration *)a)->ns == ((const struct duration *)b)->ns;
	case KIND_INT_OR_STRING: return int_or_strings_equal(a, b);
	case KIND_STRUCT: return struct_equal(row_type(t, f), a, b);
	}
	__builtin_unreachable();
}

static bool lists_equal(const struct type *t, const struct field *f, const struct any_list *a,
	const struct any_list *b)
{
	size_t size = stride(t, f), value = f->shape == SHAPE_MAP ? ENTRY_VALUE : 0;

	if (a->len != b->len || (t->schema->sorted && !a->at != !b->at))
		return false;
	for (size_t i = 0; i < a->len; i++) {
		const char *one = (const char *)a->at + i * size,
			   *other = (const char *)b->at + i * size;

		if (value && !str_eq(*(const str *)one, *(const str *)other))
			return false;
		if (!values_equal(t, f, one + value, other + value))
			return false;
	}
	return true;
}

static bool fields_equal(const struct type *t, const struct field *f, const void *a, const void *b)
{
	const struct any_pointer *one = a, *other = b;

	if (f->shape == SHAPE_VALUE)
		return values_equal(t, f, a, b);
	if (f->shape != SHAPE_POINTER)
		return lists_equal(t, f, a, b);
	if (!one->at || !other->at)
		return one->at == other->at;
	return values_equal(t, f, one->at, other->at);
}
