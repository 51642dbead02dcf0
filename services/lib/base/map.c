#include "lib/base/map.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 8 };

static size_t slot_of(const struct map *m, str key, uint64_t hash);
static void enlarge(struct map *m);

void map_init(struct map *m)
{
	*m = (struct map){.hash_key = hash_key_random()};
}

void map_free(struct map *m)
{
	free(m->slots);
	m->slots = NULL;
	m->cap = m->len = 0;
}

void *map_get(const struct map *m, str key)
{
	if (m->len == 0)
		return NULL;
	return m->slots[slot_of(m, key, hash_keyed(m->hash_key, key))].value;
}

void *map_put(struct map *m, str key, void *value)
{
	if ((m->len + 1) * 4 > m->cap * 3)
		enlarge(m);
	uint64_t hash = hash_keyed(m->hash_key, key);
	struct map_entry *slot = &m->slots[slot_of(m, key, hash)];
	void *before = slot->value;

	if (!before) {
		slot->key = key;
		slot->hash = hash;
		m->len++;
	}
	slot->value = value;
	return before;
}

/* Moves back what follows, so that no probe ends early at the hole and no tombstones pile up. */
static void close_gap(struct map *m, size_t hole)
{
	size_t mask = m->cap - 1;

	for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
		size_t home = m->slots[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct map_entry){0};
}

void *map_remove(struct map *m, str key)
{
	if (m->len == 0)
		return NULL;
	size_t at = slot_of(m, key, hash_keyed(m->hash_key, key));
	void *before = m->slots[at].value;

	if (before) {
		close_gap(m, at);
		m->len--;
	}
	return before;
}

struct map_entry *map_next(const struct map *m, size_t *at)
{
	while (*at < m->cap) {
		struct map_entry *entry = &m->slots[(*at)++];

		if (entry->value)
			return entry;
	}
	return NULL;
}

/* Where the key is, or the free slot where it belongs; the table is never full. */
static size_t slot_of(const struct map *m, str key, uint64_t hash)
{
	size_t mask = m->cap - 1, at = hash & mask;

	while (m->slots[at].value) {
		if (m->slots[at].hash == hash && str_eq(m->slots[at].key, key))
			break;
		at = (at + 1) & mask;
	}
	return at;
}

static void enlarge(struct map *m)
{
	struct map larger = *m;

	larger.cap = m->cap ? m->cap * 2 : FIRST_SLOTS;
	larger.slots = calloc(larger.cap, sizeof(*larger.slots));
	if (!larger.slots) {
		fprintf(stderr, "out of memory: map of %zu entries\n", larger.cap);
		abort();
	}
	for (size_t i = 0; i < m->cap; i++) {
		const struct map_entry *entry = &m->slots[i];

		if (entry->value)
			larger.slots[slot_of(&larger, entry->key, entry->hash)] = *entry;
	}
	free(m->slots);
	*m = larger;
}
