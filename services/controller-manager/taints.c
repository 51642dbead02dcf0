#include "controller-manager/taints.h"

int node_set_taints(struct pass *p, const struct node *node, const struct taint *taints,
	size_t count, struct err *e)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_fmt(&b, "{\"metadata\":{\"resourceVersion\":\"%.*s\"},\"spec\":{\"taints\":[",
		STR_ARG(node->metadata.resource_version));
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(&b, ',');
		TRY(struct_encode(api_type(API_TAINT), &taints[i], FORMAT_JSON, &b, e));
	}
	buf_add_str(&b, STR("]}}"));
	int patched = pass_patch(p, node, STR(""), PATCH_MERGE, buf_str(&b), NULL, e);

	buf_free(&b);
	return patched;
}

const struct taint *node_taint(const struct node *n, str key, str effect)
{
	for (size_t i = 0; i < n->spec.taints.len; i++) {
		const struct taint *t = &n->spec.taints.at[i];

		if (str_eq(t->key, key) && str_eq(t->effect, effect))
			return t;
	}
	return NULL;
}

const struct node_condition *node_condition(const struct node *n, str type)
{
	for (size_t i = 0; i < n->status.conditions.len; i++) {
		if (str_eq(n->status.conditions.at[i].type, type))
			return &n->status.conditions.at[i];
	}
	return NULL;
}
