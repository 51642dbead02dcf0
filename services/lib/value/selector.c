#include "lib/value/selector.h"

#include "lib/value/name.h"
#include "lib/value/quote.h"

#include <stdlib.h>

enum { FAULT_TEXT_MAX = 4096 };

/* What upstream's field.ErrorList becomes: one message as it is, several in brackets. */
struct faults {
	struct buf text;
	int count;
};

static const str op_texts[] = {
	[SELECTOR_IN] = STR_INIT(" in "),
	[SELECTOR_NOT_IN] = STR_INIT(" notin "),
	[SELECTOR_EQUALS] = STR_INIT("="),
	[SELECTOR_DOUBLE_EQUALS] = STR_INIT("=="),
	[SELECTOR_NOT_EQUALS] = STR_INIT("!="),
	[SELECTOR_GREATER] = STR_INIT(">"),
	[SELECTOR_LESS] = STR_INIT("<"),
	[SELECTOR_EXISTS] = STR_INIT(""),
	[SELECTOR_NOT_EXISTS] = STR_INIT(""),
};

static bool requirement_matches(const struct selector_requirement *r, const struct str_map *labels);
static void put_requirement(struct buf *b, const struct selector_requirement *r);
static void check_key(struct faults *f, str path, str key);
static void check_count(struct faults *f, str path, enum selector_op op, struct str_list values);
static void check_values(struct faults *f, str path, str key, struct str_list values);
static int finish(struct faults *f, struct err *e);

int selector_require(str key, enum selector_op op, struct str_list values, str path,
	struct selector_requirement *to, struct err *e)
{
	struct faults f = {.count = 0};

	buf_init(&f.text, FAULT_TEXT_MAX);
	check_key(&f, path, key);
	check_count(&f, path, op, values);
	check_values(&f, path, key, values);
	TRY(finish(&f, e));
	selector_sort(&values);
	*to = (struct selector_requirement){.key = key, .values = values, .op = op};
	return 0;
}

void selector_put(struct buf *b, const struct selector *s)
{
	for (size_t i = 0; i < s->len; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		put_requirement(b, &s->at[i]);
	}
}

bool selector_matches(const struct selector *s, const struct str_map *labels)
{
	for (size_t i = 0; i < s->len; i++) {
		if (!requirement_matches(&s->at[i], labels))
			return false;
	}
	return true;
}

bool selector_exact(const struct selector *s, str key, str *value)
{
	for (size_t i = 0; i < s->len; i++) {
		const struct selector_requirement *r = &s->at[i];
		bool exact = r->op == SELECTOR_EQUALS || r->op == SELECTOR_DOUBLE_EQUALS ||
			r->op == SELECTOR_IN;

		if (!str_eq(r->key, key))
			continue;
		if (!exact || r->values.len != 1)
			return false;
		*value = r->values.at[0];
		return true;
	}
	return false;
}

static int compare_values(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

void selector_sort(struct str_list *values)
{
	size_t kept = 0;

	if (values->len > 1)
		qsort(values->at, values->len, sizeof(*values->at), compare_values);
	for (size_t i = 0; i < values->len; i++) {
		if (kept == 0 || !str_eq(values->at[kept - 1], values->at[i]))
			values->at[kept++] = values->at[i];
	}
	values->len = kept;
}

static bool has_value(const struct selector_requirement *r, str value)
{
	return r->values.len > 0 &&
		bsearch(&value, r->values.at, r->values.len, sizeof(value), compare_values);
}

static bool requirement_matches(const struct selector_requirement *r, const struct str_map *labels)
{
	str value = str_map_get(labels, r->key);
	int64_t have, bound;

	switch (r->op) {
	case SELECTOR_IN:
	case SELECTOR_EQUALS:
	case SELECTOR_DOUBLE_EQUALS: return value.at && has_value(r, value);
	case SELECTOR_NOT_IN:
	case SELECTOR_NOT_EQUALS: return !value.at || !has_value(r, value);
	case SELECTOR_EXISTS: return value.at;
	case SELECTOR_NOT_EXISTS: return !value.at;
	case SELECTOR_GREATER:
	case SELECTOR_LESS:
		if (!str_to_i64(value, &have) || !str_to_i64(r->values.at[0], &bound))
			return false;
		return r->op == SELECTOR_GREATER ? have > bound : have < bound;
	}
	return false;
}

static void put_requirement(struct buf *b, const struct selector_requirement *r)
{
	bool set = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;

	if (r->op == SELECTOR_NOT_EXISTS)
		buf_add_char(b, '!');
	buf_add_str(b, r->key);
	buf_add_str(b, op_texts[r->op]);
	if (set)
		buf_add_char(b, '(');
	for (size_t i = 0; i < r->values.len; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		buf_add_str(b, r->values.at[i]);
	}
	if (set)
		buf_add_char(b, ')');
}

/* Begins a message about a part of the requirement, "PATH.part". */
static struct buf *begin(struct faults *f, str path, const char *part)
{
	if (f->count++ > 0)
		buf_add_str(&f->text, STR(", "));
	if (path.at)
		buf_add_fmt(&f->text, "%.*s.", STR_ARG(path));
	buf_add_str(&f->text, str_of(part));
	return &f->text;
}

static void add_names(struct buf *b, const struct name_faults *names)
{
	for (size_t i = 0; i < names->len; i++)
		buf_add_fmt(b, "%s%s", i > 0 ? "; " : "", names->at[i]);
}

static void check_key(struct faults *f, str path, str key)
{
	struct name_faults names;
	char quoted[QUOTE_MAX];

	if (name_check(NAME_QUALIFIED, key, &names))
		return;
	struct buf *b = begin(f, path, "key");

	buf_add_fmt(b, ": Invalid value: %s: ", quote(quoted, key));
	add_names(b, &names);
}

static void wrong_count(struct faults *f, str path, struct str_list values, const char *why)
{
	struct buf *b = begin(f, path, "values: Invalid value: ");
	char quoted[QUOTE_MAX];

	if (values.len == 0)
		buf_add_str(b, STR("null"));
	for (size_t i = 0; i < values.len; i++)
		buf_add_fmt(b, "%c%s", i > 0 ? ',' : '[', quote(quoted, values.at[i]));
	buf_add_fmt(b, "%s: %s", values.len > 0 ? "]" : "", why);
}

static void check_integers(struct faults *f, str path, struct str_list values)
{
	char quoted[QUOTE_MAX];
	int64_t value;

	for (size_t i = 0; i < values.len; i++) {
		if (!str_to_i64(values.at[i], &value))
			buf_add_fmt(begin(f, path, "values"),
				"[%zu]: Invalid value: %s: for 'Gt', 'Lt' operators, the value "
				"must be an integer",
				i, quote(quoted, values.at[i]));
	}
}

static void check_count(struct faults *f, str path, enum selector_op op, struct str_list values)
{
	switch (op) {
	case SELECTOR_IN:
	case SELECTOR_NOT_IN:
		if (values.len == 0)
			wrong_count(f, path, values,
				"for 'in', 'notin' operators, values set can't be empty");
		break;
	case SELECTOR_EQUALS:
	case SELECTOR_DOUBLE_EQUALS:
	case SELECTOR_NOT_EQUALS:
		if (values.len != 1)
			wrong_count(f, path, values,
				"exact-match compatibility requires one single value");
		break;
	case SELECTOR_EXISTS:
	case SELECTOR_NOT_EXISTS:
		if (values.len != 0)
			wrong_count(f, path, values,
				"values set must be empty for exists and does not exist");
		break;
	case SELECTOR_GREATER:
	case SELECTOR_LESS:
		if (values.len != 1)
			wrong_count(f, path, values,
				"for 'Gt', 'Lt' operators, exactly one value is required");
		check_integers(f, path, values);
		break;
	}
}

static void check_values(struct faults *f, str path, str key, struct str_list values)
{
	struct name_faults names;
	char quoted[QUOTE_MAX];

	for (size_t i = 0; i < values.len; i++) {
		if (name_check(NAME_LABEL_VALUE, values.at[i], &names))
			continue;
		struct buf *b = begin(f, path, "values");

		buf_add_fmt(b, "[%zu][%.*s]: Invalid value: %s: ", i, STR_ARG(key),
			quote(quoted, values.at[i]));
		add_names(b, &names);
	}
}

static int finish(struct faults *f, struct err *e)
{
	int result = 0;

	if (f->count > 0)
		result = err_set(e, ERR_INVALID, f->count > 1 ? "[%.*s]" : "%.*s",
			STR_ARG(buf_str(&f->text)));
	buf_free(&f->text);
	return result;
}
