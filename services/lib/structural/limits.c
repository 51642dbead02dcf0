/*
 * One value by what its schema says of it alone.
 */
#include "lib/regex/regex.h"
#include "lib/structural/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static str type_of(const struct json_item *v)
{
	int64_t integer;

	switch (v->kind) {
	case JSON_NULL: return STR("null");
	case JSON_BOOL: return STR("boolean");
	case JSON_STRING: return STR("string");
	case JSON_ARRAY: return STR("array");
	case JSON_OBJECT: return STR("object");
	case JSON_NUMBER: return json_to_i64(v, &integer) ? STR("integer") : STR("number");
	}
	__builtin_unreachable();
}

static bool is_integral(const struct json_item *v)
{
	double number;

	return json_to_f64(v, &number) && isfinite(number) && floor(number) == number;
}

/* Formats that nobody knows for the type are as none. */
static str format_of(const struct crd_json_schema_props *s)
{
	static const struct {
		const char *type, *format;
	} numeric[] = {{"integer", "int32"}, {"integer", "int64"}, {"number", "float"},
		{"number", "double"}};

	if (s->type.len == 0 || str_eq(s->type, STR("string")))
		return format_check(s->format, STR("")) < 0 ? STR("") : s->format;
	for (size_t i = 0; i < COUNT_OF(numeric); i++)
		if (str_eq(s->type, str_of(numeric[i].type)) &&
			str_eq(s->format, str_of(numeric[i].format)))
			return s->format;
	return STR("");
}

static void wrong_type(struct check *k, str path, str wanted, str is)
{
	check_fail(k, CAUSE_TYPE_INVALID, path, cause_text(is), "must be of type %.*s: \"%.*s\"",
		STR_ARG(wanted), STR_ARG(is));
}

bool check_type(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	str is = type_of(v), format = format_of(s);
	bool either = s->x_kubernetes_int_or_string;
	str wanted = either ? STR("integer,string") : s->type;
	bool fits = either ? str_eq(is, STR("integer")) || str_eq(is, STR("string"))
			   : str_eq(is, s->type);
	bool number = either || str_eq(s->type, STR("number")) || str_eq(s->type, STR("integer"));

	if (wanted.len == 0 && format.len == 0)
		return true;
	if (v->kind == JSON_NULL) {
		if (wanted.len == 0 || s->nullable)
			return true;
		wrong_type(k, path, wanted, is);
		return false;
	}
	if (v->kind == JSON_NUMBER)
		fits |= (str_eq(is, STR("integer")) && str_eq(s->type, STR("number"))) ||
			(is_integral(v) && (either || str_eq(s->type, STR("integer"))));
	bool text = v->kind == JSON_STRING || v->kind == JSON_ARRAY;

	if (!fits && format.len && !text) {
		wrong_type(k, path, format,
			v->kind != JSON_NUMBER               ? STR("")
				: str_eq(is, STR("integer")) ? STR("int64")
							     : STR("float64"));
		return false;
	}
	if (fits || (format.len && text && !number))
		return true;
	wrong_type(k, path, wanted, is);
	return false;
}

static size_t count_characters(str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += ((unsigned char)s.at[i] & 0xc0) != 0x80;
	return count;
}

static bool matches(struct check *k, str pattern, str text)
{
	const struct regex *r = k->structural ? map_get(&k->structural->patterns, pattern) : NULL;

	return r && regex_matches(r, text);
}

static void check_string(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	int64_t length = (int64_t)count_characters(v->text);
	str format = format_of(s);

	if (s->max_length && length > *s->max_length) {
		if (k->causes->len < VALUE_CAUSES_MAX)
			causes_too_long(k->causes, check_path(k, path), (size_t)*s->max_length);
	} else if (s->min_length && length < *s->min_length) {
		check_fail(k, CAUSE_INVALID, path, cause_text(v->text),
			"should be at least %lld chars long", (long long)*s->min_length);
	} else if (s->pattern.len && !matches(k, s->pattern, v->text)) {
		check_fail(k, CAUSE_INVALID, path, cause_text(v->text), "should match '%.*s'",
			STR_ARG(s->pattern));
	} else {
		k->matched++;
	}
	if (format.len && format_check(format, v->text) == 0)
		check_fail(k, CAUSE_TYPE_INVALID, path, cause_text(v->text),
			"must be of type %.*s: \"%.*s\"", STR_ARG(format), STR_ARG(v->text));
}

/* As Go's %v shows a limit: as the integer that an integer is compared with, else the shortest text
 * of the double. */
static str show_limit(struct check *k, double limit, bool integer)
{
	char text[40];

	if (integer)
		return arena_fmt(k->arena, "%lld", (long long)limit);
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, limit);
		if (strtod(text, NULL) == limit)
			break;
	}
	return arena_str(k->arena, str_of(text));
}

static void check_range(struct check *k, const struct crd_json_schema_props *s, double number,
	bool integer, str path)
{
	str format = format_of(s);

	if (!str_eq(s->type, STR("integer")))
		return;
	bool narrow = str_eq(format, STR("int32"));

	if ((narrow && (number < INT32_MIN || number > INT32_MAX)) ||
		(!integer && (number < -0x1p63 || number >= 0x1p63))) {
		if (format.len)
			causes_invalid(k->causes, k->base, cause_text(STR("")),
				"Checked value must be of type integer with format %.*s in %.*s",
				STR_ARG(format), STR_ARG(path));
		else
			causes_invalid(k->causes, k->base, cause_text(STR("")),
				"Checked value must be of type integer (default format) in %.*s",
				STR_ARG(path));
	}
}

static bool is_multiple(double number, double factor)
{
	double times = factor < 1 ? 1 / factor * number : number / factor;

	return fabs(times - round(times)) < 1e-9 * fmax(1, fabs(times));
}

static void check_number(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	int64_t exact;
	bool integer = json_to_i64(v, &exact);
	double number = 0;

	if (!json_to_f64(v, &number))
		return;
	check_range(k, s, number, integer, path);
	if (s->multiple_of &&
		!(integer && *s->multiple_of >= 1 ? exact % (int64_t)*s->multiple_of == 0
						  : is_multiple(number, *s->multiple_of)))
		check_fail(k, CAUSE_INVALID, path, check_show(k, v), "should be a multiple of %.*s",
			STR_ARG(show_limit(k, *s->multiple_of, integer)));
	if (s->maximum && (s->exclusive_maximum ? number >= *s->maximum : number > *s->maximum))
		check_fail(k, CAUSE_INVALID, path, check_show(k, v), "should be less than %s%.*s",
			s->exclusive_maximum ? "" : "or equal to ",
			STR_ARG(show_limit(k, *s->maximum, integer)));
	if (s->minimum && (s->exclusive_minimum ? number <= *s->minimum : number < *s->minimum))
		check_fail(k, CAUSE_INVALID, path, check_show(k, v),
			"should be greater than %s%.*s", s->exclusive_minimum ? "" : "or equal to ",
			STR_ARG(show_limit(k, *s->minimum, integer)));
	k->matched++;
}

static void check_count(struct check *k, const int64_t *min, const int64_t *max, size_t count,
	const char *what, str path)
{
	if (min && (int64_t)count < *min)
		check_fail(k, CAUSE_INVALID, path, cause_i64(k->arena, (int64_t)count),
			"should have at least %lld %s", (long long)*min, what);
	if (max && (int64_t)count > *max && k->causes->len < VALUE_CAUSES_MAX)
		causes_too_many(k->causes, check_path(k, path), count, (size_t)*max);
}

void check_limits(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	switch (v->kind) {
	case JSON_STRING: check_string(k, s, v, path); break;
	case JSON_NUMBER: check_number(k, s, v, path); break;
	case JSON_ARRAY:
		check_count(k, s->min_items, s->max_items, v->count, "items", path);
		k->matched++;
		break;
	case JSON_OBJECT:
		check_count(k, s->min_properties, s->max_properties, v->count, "properties", path);
		break;
	default: break;
	}
}

void check_enum(
	struct check *k, const struct crd_json_schema_props *s, const struct json_item *v, str path)
{
	struct json_item allowed;
	str *texts;
	struct err e;

	if (s->enum_.len == 0)
		return;
	texts = arena_get(k->arena, s->enum_.len * sizeof(str));
	for (size_t i = 0; i < s->enum_.len; i++) {
		texts[i] = s->enum_.at[i];
		if (json_parse(k->arena, s->enum_.at[i], &allowed, &e) < 0)
			continue;
		if (v->kind != JSON_NULL && item_equal(k->arena, v, &allowed))
			return;
		if (allowed.kind == JSON_STRING)
			texts[i] = allowed.text;
	}
	if (k->causes->len < VALUE_CAUSES_MAX)
		causes_not_supported(
			k->causes, check_path(k, path), check_show(k, v), texts, s->enum_.len);
}

static bool numbers_equal(const struct json_item *x, const struct json_item *y)
{
	double a, b;

	return str_eq(x->text, y->text) || (json_to_f64(x, &a) && json_to_f64(y, &b) && a == b);
}

bool item_equal(struct arena *a, const struct json_item *x, const struct json_item *y)
{
	struct json_walk one = json_enter(x), other = json_enter(y);
	struct json_item m, n;

	if (x->kind != y->kind || x->count != y->count)
		return false;
	switch (x->kind) {
	case JSON_NULL: return true;
	case JSON_BOOL: return x->truth == y->truth;
	case JSON_STRING: return str_eq(x->text, y->text);
	case JSON_NUMBER: return numbers_equal(x, y);
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	while (json_next(&one, &m)) {
		if (!json_next(&other, &n))
			return false;
		if (x->kind == JSON_OBJECT && !str_eq(m.key, n.key) && !json_member(y, m.key, &n))
			return false;
		if (!item_equal(a, &m, &n))
			return false;
	}
	return true;
}
