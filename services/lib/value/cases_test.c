#include "lib/value/cases_test.h"

static str unescape(struct test *t, str cell)
{
	char *to = arena_get(&t->arena, cell.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < cell.len; i++) {
		char c = cell.at[i];

		if (c == '\\') {
			c = cell.at[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
			if (c == 'x') {
				char hex[3] = {cell.at[i + 1], cell.at[i + 2], 0};

				c = (char)strtol(hex, NULL, 16);
				i += 2;
			}
		}
		to[len++] = c;
	}
	return str_span(to, len);
}

struct cases cases_open(struct test *t, const char *path)
{
	struct cases c = {.rest = test_file(t, path)};

	for (str header = str_cut(&c.rest, '\n'); header.at; c.columns++)
		str_cut(&header, '\t');
	REQUIRE(c.columns > 1 && c.columns <= CASES_COLUMNS_MAX);
	return c;
}

bool cases_next(struct test *t, struct cases *c, str row[static CASES_COLUMNS_MAX])
{
	str line = str_cut(&c->rest, '\n');

	if (!c->rest.at)
		return false;
	test_note(t, "%.*s", STR_ARG(line));
	for (size_t i = 0; i < c->columns; i++)
		row[i] = unescape(t, str_cut(&line, '\t'));
	return true;
}

int64_t cases_number(struct test *t, str cell)
{
	int64_t value = 0;

	REQUIRE(str_to_i64(cell, &value));
	return value;
}
