#include "lib/api/defaults/defaults.h"

str *default_str(struct arena *a, str value)
{
	str *to = arena_get(a, sizeof(*to));

	*to = value;
	return to;
}

struct int_or_string *default_percent(struct arena *a, str text)
{
	struct int_or_string *to = arena_get(a, sizeof(*to));

	*to = (struct int_or_string){.text = text, .is_text = true};
	return to;
}

struct int_or_string *default_number(struct arena *a, int32_t number)
{
	struct int_or_string *to = arena_get(a, sizeof(*to));

	to->number = number;
	return to;
}

void default_text(str *to, str value)
{
	if (to->len == 0)
		*to = value;
}

const struct quantity *quantity_map_get(const struct quantity_map *m, str key)
{
	for (size_t i = 0; i < m->len; i++)
		if (str_eq(m->at[i].key, key))
			return &m->at[i].value;
	return NULL;
}

/* Both are sorted, and so is what they become. */
void default_quantities(struct arena *a, struct quantity_map *to, const struct quantity_map *from)
{
	struct quantity_entry *merged = arena_get(a, (to->len + from->len + 1) * sizeof(*merged));
	size_t len = 0, mine = 0, other = 0;

	while (mine < to->len || other < from->len) {
		int order = mine == to->len  ? 1
			: other == from->len ? -1
					     : str_cmp(to->at[mine].key, from->at[other].key);

		merged[len++] = order <= 0 ? to->at[mine] : from->at[other];
		mine += order <= 0;
		other += order >= 0;
	}
	*to = (struct quantity_map){merged, len};
}
