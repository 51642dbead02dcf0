#include "lib/http/media.h"

/* The Accept header: whatever comes, the list is in order and within its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 1 << 20 };
	struct media_type *list;
	struct arena a;
	struct err e;
	size_t len;

	arena_init(&a, ARENA_BYTES);
	if (media_accept(&a, str_span((const char *)data, size), &list, &len, &e) == 0) {
		for (size_t i = 0; i < len; i++) {
			bool in_order = i == 0 || list[i - 1].q_milli >= list[i].q_milli;

			if (!in_order || list[i].q_milli > 1000 ||
				list[i].param_count > MEDIA_PARAMS_MAX || list[i].type.len == 0 ||
				list[i].subtype.len == 0)
				__builtin_trap();
		}
	}
	arena_free(&a);
	return 0;
}
