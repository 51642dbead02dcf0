/* {"target":…,"patch":…}: all three patches, to a Pod. */
#include "api/kinds.h"
#include "lib/schema/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tree *read_part(struct arena *a, str text, str name)
{
	struct tree *all = NULL;
	struct err e;

	if (tree_read(a, text, &all, &e) < 0 || all->kind != JSON_OBJECT)
		return NULL;
	return tree_get(all, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_span((const char *)data, size);

	for (int way = 0; way < 3; way++) {
		struct tree *result = NULL;
		struct arena a;
		struct err e;
		int status = -1;

		arena_init(&a, 16 << 20);
		struct tree *target = read_part(&a, text, STR("target"));
		struct tree *patch = read_part(&a, text, STR("patch"));

		if (target && target->kind == JSON_OBJECT && patch) {
			if (way == 0)
				status = patch_json(&a, target, patch, &result, &e);
			else if (way == 1)
				status = patch_merge(&a, target, patch, &result, &e);
			else
				status = patch_strategic(
					&a, api_type(API_POD), target, patch, &result, &e);
		}
		if (status == 0) {
			struct buf b;

			buf_init(&b, 64 << 20);
			tree_put(&b, result);
			buf_free(&b);
		}
		arena_free(&a);
	}
	return 0;
}
