/*
 * Lists of texts, and maps of text to text sorted by key: how objects hold labels, annotations and
 * string lists. nil has at == NULL.
 */
#pragma once

#include "lib/base/arena.h"
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
str str_map_get(const struct str_map *m, str key) PURE;

/* Adds or replaces, in new memory: other maps that share the entries stay as they are. */
void str_map_set(struct arena *a, struct str_map *m, str key, str value);

/* Takes a key away, if it is there, from entries that nobody else shares. */
void str_map_remove(struct str_map *m, str key);
