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
