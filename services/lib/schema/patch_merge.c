#include "lib/schema/patch.h"

static int merge_objects(struct arena *a, struct tree *target, struct tree *patch, struct err *e);

int patch_merge(
	struct arena *a, struct tree *target, struct tree *patch, struct tree **to, struct err *e)
{
	if (patch->kind != JSON_OBJECT && patch->kind != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "Invalid JSON Patch");
	if (patch->kind == JSON_ARRAY || target->kind != JSON_OBJECT) {
		tree_drop_nulls(patch);
		*to = patch;
		return 0;
	}
	TRY(merge_objects(a, target, patch, e));
	*to = target;
	return 0;
}

static int merge_objects(struct arena *a, struct tree *target, struct tree *patch, struct err *e)
{
	const struct tree_member *m;

	for (size_t i = 0; (m = tree_next(patch, &i));) {
		struct tree *value = m->value, *before = tree_get(target, m->key);

		if (value->kind == JSON_NULL) {
			tree_remove(target, m->key);
			continue;
		}
		if (before && before->kind == JSON_OBJECT && value->kind == JSON_OBJECT) {
			TRY(merge_objects(a, before, value, e));
			continue;
		}
		/* What takes an object's place keeps its nulls, as upstream's merge does. */
		if (!before || before->kind != JSON_OBJECT)
			tree_drop_nulls(value);
		TRY(tree_set(a, target, m->key, value, e));
	}
	return 0;
}
