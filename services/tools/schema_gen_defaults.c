/*
 * Reads .defaults files: defaults that upstream keeps in code,
 * laid onto the types of the schema text.
 */
#include "tools/schema_gen.h"

struct reader {
	struct model *model;
	struct module *module; /* that of the last `for` */
	const char *path;
	int line;
};

static int fail(const struct reader *r, struct err *e, str what, const char *why)
{
	return err_set(e, ERR_INVALID, "%s:%d: %.*s %s", r->path, r->line, STR_ARG(what), why);
}

static int set_value(struct reader *r, struct decl *d, str field, str json, struct err *e)
{
	for (size_t i = 0; i < d->member_count; i++) {
		if (str_eq(d->members[i].json, field)) {
			d->members[i].default_json = json;
			d->members[i].flags |= FIELD_DEFAULT;
			return 0;
		}
	}
	return fail(r, e, field, "is no field of this type");
}

static int read_line(struct reader *r, str line, struct err *e)
{
	str rest = line, word = line_word(&rest), what = line_word(&rest), value = str_trim(rest);

	if (str_eq(word, STR("for"))) {
		r->module = what.at ? map_get(&r->model->by_id, what) : NULL;
		return r->module ? 0 : fail(r, e, what, "is no file of the schema text");
	}
	if (!r->module || !what.at)
		return fail(r, e, line,
			"is not: for MODULE, set TYPE.FIELD JSON, call TYPE FUNCTION, "
			"milli TYPE");
	str field = what, type = str_cut(&field, '.');
	struct decl *d = map_get(&r->module->by_name, type);

	if (!d)
		return fail(r, e, type, "is not declared there");
	if (str_eq(word, STR("set")))
		return set_value(r, d, field, value, e);
	if (str_eq(word, STR("call")))
		d->default_call = value;
	else if (str_eq(word, STR("milli")))
		d->milli = true;
	else
		return fail(r, e, word, "is not one of for, set, call, milli");
	return 0;
}

int defaults_parse(struct model *m, const char *path, str text, struct err *e)
{
	struct reader r = {.model = m, .path = path};

	for (str rest = text; rest.at;) {
		str line = str_trim(str_cut(&rest, '\n'));

		r.line++;
		if (line.len > 0 && line.at[0] != '#')
			TRY(read_line(&r, line, e));
	}
	return 0;
}
