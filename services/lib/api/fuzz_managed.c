/* {"live":…,"applied":…}: a ConfigMap, Service or Pod by its kind, with managedFields of whatever
 * kind; updated and applied to. */
#include "api/kinds.h"
#include "lib/api/managed.h"
#include "lib/schema/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *read_object(struct arena *a, const struct type *t, const struct tree *tree)
{
	struct err e;
	struct buf b;
	void *o = NULL;
	str json;

	buf_init(&b, 16 << 20);
	tree_put(&b, tree);
	if (arena_str_try(a, buf_str(&b), &json, &e) < 0 ||
		object_decode(a, t, FORMAT_JSON, json, &o, NULL, &e) < 0)
		o = NULL;
	buf_free(&b);
	return o;
}

static void try_writes(struct arena *a, const struct tree *live, const struct tree *applied)
{
	const struct tree *kind = tree_get(applied, STR("kind"));
	struct managed_write w = {
		.arena = a,
		.type = type_find_api_version(&api_schema, STR("v1"), kind ? kind->text : STR("")),
		.api_version = STR("v1"),
		.manager = STR("kubectl"),
	};
	void *to;
	struct err e;

	if (!w.type ||
		(w.type != api_type(API_POD) && w.type != api_type(API_SERVICE) &&
			w.type != api_type(API_CONFIG_MAP)))
		return;
	void *before = live ? read_object(a, w.type, live) : NULL;
	void *now = read_object(a, w.type, applied);

	if (managed_apply(&w, before, applied, false, &to, &e) == 0)
		managed_keep_times(to, to);
	if (now)
		managed_update(&w, before, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree *all;
	struct arena a;
	struct err e;

	arena_init(&a, 16 << 20);
	if (tree_read(&a, str_span((const char *)data, size), &all, &e) == 0 &&
		all->kind == JSON_OBJECT) {
		const struct tree *live = tree_get(all, STR("live")),
				  *applied = tree_get(all, STR("applied"));

		if (applied && applied->kind == JSON_OBJECT)
			try_writes(&a, live && live->kind == JSON_OBJECT ? live : NULL, applied);
	}
	arena_free(&a);
	return 0;
}
