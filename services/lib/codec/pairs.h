/*
 * Text of KEY=VALUE lines: config disks, services' run files, what programs of the machine leave
 * for one another. Blank lines and lines that begin with # are skipped; blanks around key and value
 * are cut, the value is otherwise taken as it stands, so that it may hold = and # and quotes. A key
 * may come more than once.
 *
 * A key is letters, digits, dots, dashes and underscores. Control characters (tabs aside) and bytes
 * that are no UTF-8 are refused, so that a value can be shown on a console.
 *
 * Ownership: pairs borrow from the text. Threading: any.
 */
#pragma once

#include "lib/base/arena.h"

struct pair {
	str key, value;
	int line; /* from 1 */
};

struct pair_list {
	struct pair *at;
	size_t len;
};

enum { PAIRS_MAX = 512 };

/* ERR_INVALID names the line. */
NODISCARD int pairs_read(struct arena *a, str text, struct pair_list *to, struct err *e);

/* The last value of the key; absent if there is none. */
str pairs_get(const struct pair_list *p, str key) PURE;
