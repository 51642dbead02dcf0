#include "apiserver/endpoints/options.h"
#include "apiserver/endpoints/request_info.h"
#include "lib/base/arena.h"

/* A request line, "METHOD path?query": what it asks for, and its options. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_options(
	struct arena *a, const struct request_info *info, const struct url_query *q)
{
	const struct resource *r = resource_find(info->group, info->version, info->resource);
	struct list_options *list;
	struct delete_options *delete;
	struct selection s;
	struct err e;

	if (options_from_query(a, &api_schema.types[API_LIST_OPTIONS], q, (void **)&list, &e) ==
			0 &&
		list_options_check(a, list, &e) == 0 && r &&
		selection_read(a, r, list, info->ns, info->name, &s, &e) == 0 && s.fields.len > 0 &&
		!s.fields.at[0].key.at)
		__builtin_trap();
	if (options_from_query(a, &api_schema.types[API_DELETE_OPTIONS], q, (void **)&delete, &e) ==
			0 &&
		delete_options_check(a, delete, &e) == 0 && delete->propagation_policy &&
		delete->orphan_dependents)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 4 << 20 };
	str rest = str_span((const char *)data, size), path, method;
	struct request_info info;
	struct url_query q = {.len = 0};
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_BYTES);
	method = str_cut(&rest, ' ');
	path = str_cut(&rest, '?');
	if (url_decode(&a, path, false, &path, &e) == 0 &&
		(!rest.at || url_query_parse(&a, rest, &q, &e) == 0) &&
		request_info_read(&a, method, path, &q, &info, &e) == 0) {
		if (info.is_resource && info.resource.len == 0 && info.name.len > 0 &&
			!info.prefix.at)
			__builtin_trap();
		read_options(&a, &info, &q);
	}
	arena_free(&a);
	return 0;
}
