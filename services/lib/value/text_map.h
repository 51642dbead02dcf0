/*
 * Lists of texts, and maps of text to text sorted by key: how objects hold labels, annotations and
 * string lists. nil has at == NULL.
 */
#pragma once

#include "lib/base/str.h"

struct str_list {
	str *at;
	size_t len;
};

struct str_entry {
	str key, value;
};

struct str_map {
	struct str_entry *at;
	size_t len;
};

/* The value of a key; absent (at == NULL) if there is none. */
static inline str str_map_get(const struct str_map *m, str key)
{
	for (size_t low = 0, high = m->len; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(key, m->at[middle].key);

		if (order == 0)
			return m->at[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (str){NULL, 0};
}
