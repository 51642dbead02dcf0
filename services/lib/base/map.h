/*
 * map: from a str to a pointer, in one heap block, safe against chosen keys.
 *
 * Ownership: the map owns its table only; keys and values are borrowed and must outlive their
 * entry. Threading: one thread at a time; readers may share it while nobody writes. Order: none.
 */
#pragma once

#include "lib/base/hash.h"
#include "lib/base/str.h"

struct map_entry {
	str key;
	void *value; /* NULL: this slot is free */
	uint64_t hash;
};

struct map {
	struct map_entry *slots;
	size_t cap, len;
	struct hash_key hash_key;
};

void map_init(struct map *m);
void map_free(struct map *m);

/* NULL if there is none. */
void *map_get(const struct map *m, str key);

/* `value` is not NULL. Returns the value that it replaces, else NULL; the first key stays. */
void *map_put(struct map *m, str key, void *value);

/* Returns the value that was there, else NULL. */
void *map_remove(struct map *m, str key);

/* The first entry from slot `*at` on; NULL at the end. Start with 0;
 * do not change the map meanwhile. */
struct map_entry *map_next(const struct map *m, size_t *at);

#define map_each(m, entry) \
	for (size_t entry##_at = 0, entry##_once = 1; entry##_once; entry##_once = 0) \
		for (struct map_entry * entry; (entry = map_next(m, &entry##_at));)
