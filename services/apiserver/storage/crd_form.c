#include "apiserver/storage/crd_form.h"

#include "lib/codec/tree.h"

#define V1      "apiextensions.k8s.io/v1"
#define V1BETA1 "apiextensions.k8s.io/v1beta1"

enum { FORM_MEMORY_MAX = 256 << 20 };

/* What stands in each version in v1, and what may stand for all of them in v1beta1. */
static const struct {
	str version, all;
} shared[] = {
	{STR_INIT("schema"), STR_INIT("validation")},
	{STR_INIT("subresources"), STR_INIT("subresources")},
	{STR_INIT("additionalPrinterColumns"), STR_INIT("additionalPrinterColumns")},
	{STR_INIT("selectableFields"), STR_INIT("selectableFields")},
};

/* v1beta1's spec, in its order. */
static const str members[] = {STR_INIT("group"), STR_INIT("version"), STR_INIT("names"),
	STR_INIT("scope"), STR_INIT("validation"), STR_INIT("subresources"), STR_INIT("versions"),
	STR_INIT("additionalPrinterColumns"), STR_INIT("selectableFields"), STR_INIT("conversion"),
	STR_INIT("preserveUnknownFields")};

static int read_spec(struct arena *a, struct tree *spec, struct err *e);
static int write_spec(struct arena *a, struct tree *crd, struct tree *spec, struct err *e);

static int set_text(struct arena *a, struct tree *in, str key, str text, struct err *e)
{
	struct tree *t = tree_new(a, JSON_STRING);

	if (!t)
		return arena_full(a, e);
	t->text = text;
	return tree_set(a, in, key, t, e);
}

static struct tree *member(const struct tree *of, str key, enum json_kind kind)
{
	struct tree *t = of && of->kind == JSON_OBJECT ? tree_get(of, key) : NULL;

	return t && t->kind == kind ? t : NULL;
}

static bool has_text(const struct tree *of, str key, str text)
{
	const struct tree *t = member(of, key, JSON_STRING);

	return t && str_eq(t->text, text);
}

int crd_form_read(struct arena *a, str json, str *to, struct err *e)
{
	struct tree *root, *spec;

	TRY(tree_read(a, json, &root, e));
	spec = member(root, STR("spec"), JSON_OBJECT);
	if (!has_text(root, STR("apiVersion"), STR(V1BETA1)) || !spec) {
		*to = json;
		return 0;
	}
	TRY(set_text(a, root, STR("apiVersion"), STR(V1), e));
	TRY(read_spec(a, spec, e));
	return tree_text(a, root, JSON_TEXT_MAX, to, e);
}

int crd_form_write(struct buf *json, struct err *e)
{
	struct arena a;
	struct tree *root, *spec;
	int result;

	arena_init(&a, FORM_MEMORY_MAX);
	result = tree_read(&a, buf_str(json), &root, e);
	spec = result == 0 ? member(root, STR("spec"), JSON_OBJECT) : NULL;
	if (result == 0)
		result = set_text(&a, root, STR("apiVersion"), STR(V1BETA1), e);
	if (spec)
		result = write_spec(&a, root, spec, e);
	if (result == 0) {
		struct buf b;

		buf_init(&b, json->limit_bytes);
		tree_put(&b, root);
		buf_reset(json);
		buf_add_str(json, buf_str(&b));
		result = buf_ok(&b, "the definition", e);
		buf_free(&b);
	}
	arena_free(&a);
	return result < 0 ? -1 : buf_ok(json, "the definition", e);
}

/* --- from v1beta1 */

/* A definition that names one version only. */
static int make_versions(struct arena *a, struct tree *spec, struct err *e)
{
	struct tree *version = member(spec, STR("version"), JSON_STRING), *one, *list, *yes;

	if (member(spec, STR("versions"), JSON_ARRAY) || !version)
		return 0;
	one = tree_new(a, JSON_OBJECT);
	list = tree_new(a, JSON_ARRAY);
	yes = tree_new(a, JSON_BOOL);
	if (!one || !list || !yes)
		return arena_full(a, e);
	yes->truth = true;
	TRY(tree_set(a, one, STR("name"), version, e));
	TRY(tree_set(a, one, STR("served"), yes, e));
	TRY(tree_set(a, one, STR("storage"), yes, e));
	TRY(tree_insert(a, list, 0, one, e));
	return tree_set(a, spec, STR("versions"), list, e);
}

static int rename_member(struct arena *a, struct tree *in, str from, str to, struct err *e)
{
	struct tree *t = tree_get(in, from);

	if (!t)
		return 0;
	tree_remove(in, from);
	return tree_set(a, in, to, t, e);
}

static int rename_paths(struct arena *a, struct tree *version, str from, str to, struct err *e)
{
	struct tree *columns = member(version, STR("additionalPrinterColumns"), JSON_ARRAY);

	for (size_t i = 0; columns && i < columns->len; i++)
		if (columns->items[i]->kind == JSON_OBJECT)
			TRY(rename_member(a, columns->items[i], from, to, e));
	return 0;
}

static int read_conversion(struct arena *a, struct tree *conversion, struct err *e)
{
	struct tree *config = tree_get(conversion, STR("webhookClientConfig")),
		    *versions = tree_get(conversion, STR("conversionReviewVersions")), *webhook;

	if (!config && !versions)
		return 0;
	webhook = tree_new(a, JSON_OBJECT);
	if (!webhook)
		return arena_full(a, e);
	if (config)
		TRY(tree_set(a, webhook, STR("clientConfig"), config, e));
	if (versions)
		TRY(tree_set(a, webhook, STR("conversionReviewVersions"), versions, e));
	tree_remove(conversion, STR("webhookClientConfig"));
	tree_remove(conversion, STR("conversionReviewVersions"));
	return tree_set(a, conversion, STR("webhook"), webhook, e);
}

static int read_spec(struct arena *a, struct tree *spec, struct err *e)
{
	struct tree *versions, *conversion = member(spec, STR("conversion"), JSON_OBJECT), *yes;

	if (conversion)
		TRY(read_conversion(a, conversion, e));
	if (!tree_get(spec, STR("preserveUnknownFields"))) {
		yes = tree_new(a, JSON_BOOL);
		if (!yes)
			return arena_full(a, e);
		yes->truth = true;
		TRY(tree_set(a, spec, STR("preserveUnknownFields"), yes, e));
	}
	TRY(make_versions(a, spec, e));
	TRY(rename_paths(a, spec, STR("JSONPath"), STR("jsonPath"), e));
	versions = member(spec, STR("versions"), JSON_ARRAY);
	for (size_t i = 0; versions && i < versions->len; i++) {
		struct tree *v = versions->items[i];

		if (v->kind != JSON_OBJECT)
			continue;
		TRY(rename_paths(a, v, STR("JSONPath"), STR("jsonPath"), e));
		for (size_t k = 0; k < COUNT_OF(shared); k++) {
			struct tree *all = tree_get(spec, shared[k].all);

			if (all && !tree_get(v, shared[k].version))
				TRY(tree_set(a, v, shared[k].version, all, e));
		}
	}
	for (size_t k = 0; k < COUNT_OF(shared); k++)
		tree_remove(spec, shared[k].all);
	tree_remove(spec, STR("version"));
	return 0;
}

/* --- to v1beta1 */

static bool same(const struct tree *a, const struct tree *b)
{
	return a && b ? tree_equal(a, b) : a == b;
}

/* What all versions have alike is said once. */
static int hoist(struct arena *a, struct tree *spec, struct tree *versions, struct err *e)
{
	for (size_t k = 0; k < COUNT_OF(shared) && versions->len; k++) {
		struct tree *first = tree_get(versions->items[0], shared[k].version);
		bool alike = first;

		for (size_t i = 1; i < versions->len; i++)
			alike &= same(first, tree_get(versions->items[i], shared[k].version));
		if (!alike)
			continue;
		TRY(tree_set(a, spec, shared[k].all, first, e));
		for (size_t i = 0; i < versions->len; i++)
			tree_remove(versions->items[i], shared[k].version);
	}
	return 0;
}

static int write_conversion(struct arena *a, struct tree *conversion, struct err *e)
{
	struct tree *webhook = member(conversion, STR("webhook"), JSON_OBJECT);

	if (!webhook)
		return 0;
	tree_remove(conversion, STR("webhook"));
	struct tree *config = tree_get(webhook, STR("clientConfig")),
		    *versions = tree_get(webhook, STR("conversionReviewVersions"));

	if (config)
		TRY(tree_set(a, conversion, STR("webhookClientConfig"), config, e));
	return versions ? tree_set(a, conversion, STR("conversionReviewVersions"), versions, e) : 0;
}

static int write_spec(struct arena *a, struct tree *crd, struct tree *spec, struct err *e)
{
	struct tree *versions = member(spec, STR("versions"), JSON_ARRAY), *no, *ordered;
	struct tree *conversion = member(spec, STR("conversion"), JSON_OBJECT);

	for (size_t i = 0; versions && i < versions->len; i++)
		TRY(rename_paths(a, versions->items[i], STR("jsonPath"), STR("JSONPath"), e));
	if (versions) {
		struct tree *name = versions->len ? tree_get(versions->items[0], STR("name"))
						  : NULL;

		TRY(hoist(a, spec, versions, e));
		if (name)
			TRY(tree_set(a, spec, STR("version"), name, e));
	}
	if (conversion)
		TRY(write_conversion(a, conversion, e));
	if (!tree_get(spec, STR("preserveUnknownFields"))) {
		no = tree_new(a, JSON_BOOL);
		if (!no)
			return arena_full(a, e);
		TRY(tree_set(a, spec, STR("preserveUnknownFields"), no, e));
	}
	ordered = tree_new(a, JSON_OBJECT);
	if (!ordered)
		return arena_full(a, e);
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		struct tree *t = tree_get(spec, members[i]);

		if (t)
			TRY(tree_set(a, ordered, members[i], t, e));
	}
	return tree_set(a, crd, STR("spec"), ordered, e);
}
