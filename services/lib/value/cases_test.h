/*
 * Tables of upstream's answers in tests/data, as tests/oracle/value writes them: tab-separated, the
 * first line naming the columns, \t \n \r \\ and \xNN for what would not show.
 */
#pragma once

#include "lib/base/test.h"

enum { CASES_COLUMNS_MAX = 16 };

struct cases {
	str rest;
	size_t columns;
};

/* Ends the test if the file cannot be read. */
struct cases cases_open(struct test *t, const char *path);

/* The next row, unescaped, in the test's arena; its first cell becomes the test's note. */
bool cases_next(struct test *t, struct cases *c, str row[static CASES_COLUMNS_MAX]);

int64_t cases_number(struct test *t, str cell);
