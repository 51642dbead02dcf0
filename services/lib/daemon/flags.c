#include "lib/daemon/flags.h"

#include "lib/base/log.h"
#include "lib/codec/json.h"
#include "lib/value/duration.h"

#include <stdlib.h>

struct parse {
	struct arena *arena;
	const struct flag_table *tables;
	size_t table_count;
	struct str_list used; /* names of flags that were given: lists lose their preset once */
	size_t used_cap;
};

static int parse_one(struct parse *p, str name, str value, bool has_value, char ***rest,
	enum flags_ask *ask, struct err *e);
static const struct flag *find(const struct parse *p, str name, void **into);
static int set(struct parse *p, const struct flag *f, void *to, str value, struct err *e);
static int set_list(struct parse *p, const struct flag *f, struct str_list *to, str value,
	bool split, struct err *e);
static int set_map(struct parse *p, struct str_map *to, str value, struct err *e);
static bool first_use(struct parse *p, str name);
static int malformed(const struct flag *f, str value, const char *why, struct err *e);
static int compare_flags(const void *a, const void *b);

int flags_parse(struct arena *a, const struct flag_table *tables, size_t table_count, int argc,
	char **argv, enum flags_ask *ask, struct err *e)
{
	struct parse p = {.arena = a, .tables = tables, .table_count = table_count};
	char **rest = argv + (argc > 0);

	for (size_t i = 0; i < table_count; i++)
		for (const struct flag *f = tables[i].at; f < tables[i].at + tables[i].len; f++)
			if (f->preset && !(f->marks & FLAG_UNUSED))
				TRY(set(&p, f, (char *)tables[i].into + f->offset,
					str_of(f->preset), e));
	p.used.len = 0;
	*ask = FLAGS_RUN;
	while (*rest && *ask == FLAGS_RUN) {
		str word = str_of(*rest++);

		size_t dashes = str_starts(word, STR("--")) ? 2 : str_starts(word, STR("-"));

		if (!dashes || word.len == dashes)
			return err_set(e, ERR_INVALID, "unknown command \"%.*s\"; see --help",
				STR_ARG(word));
		str value = str_slice(word, dashes, word.len);
		str name = str_cut(&value, '=');
		if (dashes == 1 && name.len > 1)
			return err_set(
				e, ERR_INVALID, "unknown shorthand flag: %.*s", STR_ARG(word));
		TRY(parse_one(&p, name, value, value.at != NULL, &rest, ask, e));
	}
	return 0;
}

void flags_put_help(
	struct buf *b, const char *program, const struct flag_table *tables, size_t table_count)
{
	const struct flag *sorted[1024];
	size_t len = 0;

	for (size_t i = 0; i < table_count; i++)
		for (size_t k = 0; k < tables[i].len && len < 1024; k++)
			if (!(tables[i].at[k].marks & FLAG_UNUSED))
				sorted[len++] = &tables[i].at[k];
	qsort(sorted, len, sizeof(sorted[0]), compare_flags);
	buf_add_fmt(b, "usage: %s [flags]\n\n", program);
	for (size_t i = 0; i < len; i++) {
		buf_add_fmt(b, "  --%s", sorted[i]->name);
		if (sorted[i]->preset && sorted[i]->preset[0])
			buf_add_fmt(b, " (%s)", sorted[i]->preset);
		buf_add_fmt(b, "\n        %s\n", sorted[i]->help ? sorted[i]->help : "");
	}
	buf_add_fmt(b, "  --help\n  --version\n");
}

static int parse_one(struct parse *p, str name, str value, bool has_value, char ***rest,
	enum flags_ask *ask, struct err *e)
{
	void *into;

	if (str_eq(name, STR("help")) || str_eq(name, STR("h")) || str_eq(name, STR("version"))) {
		*ask = str_eq(name, STR("version")) ? FLAGS_VERSION : FLAGS_HELP;
		return 0;
	}
	const struct flag *f = find(p, name, &into);
	if (!f)
		return err_set(e, ERR_INVALID, "unknown flag: --%.*s", STR_ARG(name));
	if (!has_value && f->kind == FLAG_BOOL) {
		value = STR("true");
	} else if (!has_value) {
		if (!**rest)
			return err_set(e, ERR_INVALID, "flag needs an argument: --%s", f->name);
		value = str_of(*(*rest)++);
	}
	if (f->marks & FLAG_UNUSED) {
		if (first_use(p, name))
			log_warning("--%s is accepted and changes nothing here", f->name);
		return 0;
	}
	if (f->marks & FLAG_DEPRECATED)
		log_warning("--%s is deprecated", f->name);
	return set(p, f, (char *)into + f->offset, value, e);
}

static const struct flag *find(const struct parse *p, str name, void **into)
{
	for (size_t i = 0; i < p->table_count; i++)
		for (size_t k = 0; k < p->tables[i].len; k++)
			if (str_eq(name, str_of(p->tables[i].at[k].name))) {
				*into = p->tables[i].into;
				return &p->tables[i].at[k];
			}
	return NULL;
}

static int set(struct parse *p, const struct flag *f, void *to, str value, struct err *e)
{
	struct json_item number = {.kind = JSON_NUMBER, .text = value};
	struct duration d;
	struct err why;

	switch (f->kind) {
	case FLAG_BOOL:
		if (str_eq(value, STR("true")) || str_eq(value, STR("1")))
			*(bool *)to = true;
		else if (str_eq(value, STR("false")) || str_eq(value, STR("0")))
			*(bool *)to = false;
		else
			return malformed(f, value, "neither true nor false", e);
		return 0;
	case FLAG_INT:
		return str_to_i64(value, to) ? 0 : malformed(f, value, "not a whole number", e);
	case FLAG_FLOAT:
		return json_to_f64(&number, to) ? 0 : malformed(f, value, "not a number", e);
	case FLAG_DURATION:
		if (duration_parse(value, &d, &why) < 0)
			return malformed(f, value, why.text, e);
		*(int64_t *)to = d.ns;
		return 0;
	case FLAG_STRING: *(str *)to = value; return 0;
	case FLAG_STRINGS: return set_list(p, f, to, value, true, e);
	case FLAG_REPEATED: return set_list(p, f, to, value, false, e);
	case FLAG_MAP: return set_map(p, to, value, e);
	}
	__builtin_unreachable();
}

static int set_list(struct parse *p, const struct flag *f, struct str_list *to, str value,
	bool split, struct err *e)
{
	size_t more = 1;

	if (first_use(p, str_of(f->name)))
		to->len = 0;
	for (size_t i = 0; split && i < value.len; i++)
		more += value.at[i] == ',';
	str *at = arena_try_array(p->arena, to->len + more, sizeof(*at));
	if (!at)
		return arena_full(p->arena, e);
	if (to->len)
		memcpy(at, to->at, to->len * sizeof(*at));
	to->at = at;
	if (!split)
		to->at[to->len++] = value;
	for (str rest = value; split && value.len && rest.at;)
		to->at[to->len++] = str_cut(&rest, ',');
	return 0;
}

static int set_map(struct parse *p, struct str_map *to, str value, struct err *e)
{
	for (str rest = value; value.len && rest.at;) {
		str one = str_cut(&rest, ',');
		str key = str_cut(&one, '=');

		if (!one.at)
			return err_set(e, ERR_INVALID,
				"invalid argument \"%.*s\": %.*s must be formatted as key=value",
				STR_ARG(value), STR_ARG(key));
		str_map_set(p->arena, to, str_trim(key), str_trim(one));
	}
	return 0;
}

static bool first_use(struct parse *p, str name)
{
	for (size_t i = 0; i < p->used.len; i++)
		if (str_eq(p->used.at[i], name))
			return false;
	void *at = p->used.at;
	if (arena_grow(p->arena, &at, p->used.len, &p->used_cap, sizeof(str)) == 0) {
		p->used.at = at;
		p->used.at[p->used.len++] = name;
	}
	return true;
}

static int malformed(const struct flag *f, str value, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "invalid argument \"%.*s\" for \"--%s\" flag: %s",
		STR_ARG(value), f->name, why);
}

static int compare_flags(const void *a, const void *b)
{
	return strcmp(
		(*(const struct flag *const *)a)->name, (*(const struct flag *const *)b)->name);
}
