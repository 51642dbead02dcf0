#include "apiserver/authentication/request_header.h"

/* Lines "name: value" of a request that a trusted proxy passes on. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 1 << 20, FIELDS_MAX = 64 };
	str users[] = {STR("X-Remote-User")}, groups[] = {STR("X-Remote-Group")},
	    prefixes[] = {STR("X-Remote-Extra-"), STR("X-")}, uids[] = {STR("X-Remote-Uid")};
	struct request_header_names n = {{users, 1}, {uids, 1}, {groups, 1}, {prefixes, 2}};
	struct http_field fields[FIELDS_MAX];
	struct http_headers h = {.at = fields};
	struct arena a;

	for (str rest = str_span((const char *)data, size); rest.at && h.len < FIELDS_MAX;) {
		str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');

		fields[h.len++] = (struct http_field){name, str_trim(value)};
	}
	arena_init(&a, ARENA_BYTES);
	const struct user *u = request_header_user(&a, &n, &h);

	if (u)
		counted_drop(&user_new_authenticated(u)->counted);
	arena_free(&a);
	return 0;
}
