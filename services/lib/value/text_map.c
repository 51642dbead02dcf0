#include "lib/value/text_map.h"

/* Where the key is or belongs. */
static size_t place(const struct str_map *m, str key, bool *found)
{
	size_t low = 0, high = m->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(key, m->at[middle].key);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*found = false;
	return low;
}

str str_map_get(const struct str_map *m, str key)
{
	bool found;
	size_t at = place(m, key, &found);

	return found ? m->at[at].value : (str){NULL, 0};
}

void str_map_set(struct arena *a, struct str_map *m, str key, str value)
{
	bool found;
	size_t at = place(m, key, &found);
	struct str_entry *entries = arena_get(a, (m->len + 1) * sizeof(*entries));
	size_t behind = m->len - at - found;

	if (at > 0)
		memcpy(entries, m->at, at * sizeof(*entries));
	entries[at] = (struct str_entry){key, value};
	if (behind > 0)
		memcpy(&entries[at + 1], &m->at[at + found], behind * sizeof(*entries));
	*m = (struct str_map){entries, at + 1 + behind};
}

void str_map_remove(struct str_map *m, str key)
{
	bool found;
	size_t at = place(m, key, &found);

	if (!found)
		return;
	m->len--;
	memmove(&m->at[at], &m->at[at + 1], (m->len - at) * sizeof(*m->at));
}
