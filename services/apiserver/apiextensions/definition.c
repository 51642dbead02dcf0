#include "apiserver/apiextensions/definition.h"

#include <stdlib.h>

enum { DEFINITION_MEMORY_MAX = 256 << 20 };

static void destroy(struct counted *c)
{
	struct definition *d = CONTAINER_OF(c, struct definition, counted);

	for (size_t i = 0; i < d->count; i++) {
		storage_let_go(&d->rows[i]);
		structural_free(&d->versions[i]);
	}
	arena_free(&d->arena);
	free(d);
}

static str *list_of(struct arena *a, const struct str_list *texts)
{
	str *list = arena_get(a, (texts->len + 1) * sizeof(str));

	if (texts->len)
		memcpy(list, texts->at, texts->len * sizeof(str));
	return list;
}

/* ".spec.color" is the field label spec.color. */
static struct field_label *labels_of(
	struct arena *a, const struct crd_custom_resource_definition_version *v)
{
	struct field_label *labels = arena_get(a, (v->selectable_fields.len + 1) * sizeof(*labels));

	for (size_t i = 0; i < v->selectable_fields.len; i++) {
		str path = v->selectable_fields.at[i].json_path;

		if (str_starts(path, STR(".")))
			path = str_slice(path, 1, path.len);
		labels[i] = (struct field_label){path, path};
	}
	return labels;
}

static struct subresource *subresources_of(
	struct arena *a, const struct crd_custom_resource_definition_version *v)
{
	struct subresource *subs = arena_get(a, 3 * sizeof(*subs));
	const unsigned verbs = VERB_GET | VERB_PATCH | VERB_UPDATE;
	size_t count = 0;

	if (v->subresources && v->subresources->scale)
		subs[count++] = (struct subresource){STR("scale"), API_AUTOSCALING_V1_SCALE, verbs};
	if (v->subresources && v->subresources->status)
		subs[count++] = (struct subresource){
			STR("status"), API_PARTIAL_OBJECT_METADATA, verbs};
	return subs;
}

static void make_row(struct definition *d, size_t i, str stored_version)
{
	const struct crd_custom_resource_definition *crd = d->crd;
	const struct crd_custom_resource_definition_version *v = &crd->spec.versions.at[i];
	const struct crd_custom_resource_definition_names *n = &crd->status.accepted_names;
	struct arena *a = &d->arena;

	d->rows[i] = (struct resource){
		.group = crd->spec.group,
		.version = v->name,
		.plural = crd->spec.names.plural,
		.singular = n->singular,
		.kind = n->kind,
		.list_kind = n->list_kind,
		.type = API_PARTIAL_OBJECT_METADATA,
		.verbs = VERB_STD,
		.namespaced = str_eq(crd->spec.scope, STR("Namespaced")),
		.stored_as = STORED_JSON,
		.etcd_prefix = arena_fmt(a, "/registry/%.*s/%.*s", STR_ARG(crd->spec.group),
			STR_ARG(crd->spec.names.plural)),
		.stored_version = arena_fmt(
			a, "%.*s/%.*s", STR_ARG(crd->spec.group), STR_ARG(stored_version)),
		.short_names = list_of(a, &n->short_names),
		.categories = list_of(a, &n->categories),
		.labels = labels_of(a, v),
		.subresources = subresources_of(a, v),
		.owner = &d->counted,
		.custom_type = d->versions[i].type,
		.custom = &d->versions[i],
	};
	if (v->storage)
		d->stored = &d->rows[i];
}

static int make(struct definition *d, struct err *e)
{
	const struct crd_custom_resource_definition *crd = d->crd;
	size_t count = crd->spec.versions.len;
	str stored = {NULL, 0};

	d->versions = arena_get(&d->arena, (count + 1) * sizeof(*d->versions));
	d->rows = arena_get(&d->arena, (count + 1) * sizeof(*d->rows));
	for (size_t i = 0; i < count; i++)
		if (crd->spec.versions.at[i].storage)
			stored = crd->spec.versions.at[i].name;
	if (!stored.at)
		return err_set(e, ERR_INVALID, "it has no storage version");
	for (; d->count < count; d->count++) {
		struct structural *s = &d->versions[d->count];

		if (structural_init(s, &d->arena, crd, &crd->spec.versions.at[d->count], e) < 0) {
			structural_free(s);
			return -1;
		}
		s->terminating = &d->terminating;
		make_row(d, d->count, stored);
	}
	return 0;
}

int definition_new(
	const struct crd_custom_resource_definition *crd, struct definition **to, struct err *e)
{
	struct definition *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(e, ERR_SYSTEM, "no memory for a definition");
	counted_init(&d->counted, destroy);
	arena_init(&d->arena, DEFINITION_MEMORY_MAX);
	d->crd = object_copy(&d->arena, crd, true);
	if (make(d, e) < 0) {
		counted_drop(&d->counted);
		return -1;
	}
	*to = d;
	return 0;
}

bool definition_is_of(const struct definition *d, const struct crd_custom_resource_definition *crd)
{
	const struct type *names = api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION_NAMES);

	return str_eq(d->crd->metadata.uid, crd->metadata.uid) &&
		struct_equal(api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION_SPEC), &d->crd->spec,
			&crd->spec) &&
		struct_equal(names, &d->crd->status.accepted_names, &crd->status.accepted_names);
}

/* "v1", "v2beta3": false for other names. */
static bool read_version(str s, int *level, int64_t *major, int64_t *minor)
{
	static const struct {
		const char *word;
		int level;
	} words[] = {{"alpha", 0}, {"beta", 1}};
	size_t at = 1;

	if (!str_starts(s, STR("v")))
		return false;
	while (at < s.len && s.at[at] >= '0' && s.at[at] <= '9')
		at++;
	if (!str_to_i64(str_slice(s, 1, at - 1), major) || at == 1)
		return false;
	*level = 2;
	*minor = 0;
	str rest = str_slice(s, at, s.len);

	if (rest.len == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		str word = str_of(words[i].word);

		if (!str_starts(rest, word))
			continue;
		*level = words[i].level;
		return str_to_i64(str_slice(rest, word.len, rest.len), minor);
	}
	return false;
}

int version_compare(str a, str b)
{
	int level[2];
	int64_t major[2], minor[2];
	bool one = read_version(a, &level[0], &major[0], &minor[0]);
	bool other = read_version(b, &level[1], &major[1], &minor[1]);

	if (!one || !other)
		return one != other ? (int)other - (int)one : str_cmp(a, b);
	if (level[0] != level[1])
		return level[0] > level[1] ? -1 : 1;
	if (major[0] != major[1])
		return major[0] > major[1] ? -1 : 1;
	return minor[0] == minor[1] ? 0 : minor[0] > minor[1] ? -1 : 1;
}
