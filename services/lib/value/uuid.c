#include "lib/value/uuid.h"

str uuid_new(struct random *r, struct arena *a)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[16];
	char *text = arena_get(a, UUID_CHARS + 1);
	char *to = text;

	r->fill(r, bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = hex[bytes[i] >> 4];
		*to++ = hex[bytes[i] & 15];
	}
	return str_span(text, UUID_CHARS);
}
