#include "apiserver/endpoints/openapi_custom.h"

#include "apiserver/endpoints/openapi_build.h"
#include "lib/crypto/digest.h"
#include "lib/structural/structural.h"

#include <stdlib.h>

#define META "io.k8s.apimachinery.pkg.apis.meta.v1."
#define REF  "#/components/schemas/"

static void destroy_document(struct counted *c)
{
	struct custom_document *d = CONTAINER_OF(c, struct custom_document, counted);

	for (size_t i = 0; i < d->row_count; i++)
		resource_drop(d->rows[i]);
	free(d->rows);
	free((char *)(uintptr_t)d->json.at);
	free((char *)(uintptr_t)d->path.at);
	free((char *)(uintptr_t)d->hash.at);
	free(d);
}

static void destroy(struct counted *c)
{
	struct custom_documents *all = CONTAINER_OF(c, struct custom_documents, counted);

	for (size_t i = 0; i < all->count; i++)
		counted_drop(&all->at[i]->counted);
	counted_drop(&all->catalog->counted);
	free(all->at);
	free(all);
}

/* --- schemas */

static void put_schema(const struct crd_json_schema_props *s, struct buf *to)
{
	struct err e;

	if (struct_encode(api_type(API_CRD_JSON_SCHEMA_PROPS), s, FORMAT_JSON, to, &e) < 0)
		to->overflowed = true;
}

static bool is_head(str name)
{
	return str_eq(name, STR("apiVersion")) || str_eq(name, STR("kind")) ||
		str_eq(name, STR("metadata"));
}

/* The properties of any object in front of the schema's own. */
static void put_properties(const struct crd_json_schema_props *s, struct buf *to)
{
	buf_add_str(to,
		STR("\"properties\":{\"apiVersion\":{\"type\":\"string\"},\"kind\":{\"type\":"
		    "\"string\"},\"metadata\":{\"allOf\":[{\"$ref\":\"" REF META
		    "ObjectMeta\"}]}"));
	for (size_t i = 0; s && i < s->properties.len; i++) {
		if (is_head(s->properties.at[i].key))
			continue;
		buf_add_char(to, ',');
		json_put_str(to, s->properties.at[i].key);
		buf_add_char(to, ':');
		put_schema(&s->properties.at[i].value, to);
	}
	buf_add_char(to, '}');
}

static void put_kind(const struct resource *r, str kind, struct buf *to)
{
	buf_add_fmt(to,
		",\"x-kubernetes-group-version-kind\":[{\"group\":\"%.*s\",\"kind\":\"%.*s\","
		"\"version\":\"%.*s\"}]}",
		STR_ARG(r->group), STR_ARG(kind), STR_ARG(r->version));
}

static void put_definition(const struct resource *r, struct buf *to)
{
	const struct crd_json_schema_props *s = r->custom->schema;
	struct crd_json_schema_props root;
	bool *yes = &(bool){true};

	memset(&root, 0, sizeof(root));
	if (s)
		root = *s;
	else
		root.x_kubernetes_preserve_unknown_fields = yes;
	root.type = STR("object");
	root.properties.at = NULL;
	root.properties.len = 0;
	buf_add_char(to, '"');
	openapi_put_custom_name(r->custom_type, r->kind, to);
	buf_add_str(to, STR("\":"));
	put_schema(&root, to);
	to->len--; /* the brace, since there is more */
	buf_add_char(to, ',');
	put_properties(s, to);
	put_kind(r, r->kind, to);
}

static void put_list(const struct resource *r, struct buf *to)
{
	buf_add_str(to, STR(",\""));
	openapi_put_custom_name(r->custom_type, r->list_kind, to);
	buf_add_fmt(to,
		"\":{\"description\":\"%.*s is a list of %.*s\",\"type\":\"object\",\"required\":["
		"\"items\"],\"properties\":{\"apiVersion\":{\"type\":\"string\"},\"items\":{"
		"\"type\":\"array\",\"items\":{\"$ref\":\"" REF,
		STR_ARG(r->list_kind), STR_ARG(r->kind));
	openapi_put_custom_name(r->custom_type, r->kind, to);
	buf_add_str(to,
		STR("\"}},\"kind\":{\"type\":\"string\"},\"metadata\":{\"allOf\":[{\"$ref\":\"" REF
				META "ListMeta\"}]}}"));
	put_kind(r, r->list_kind, to);
}

static void put_document(const struct custom_document *d, struct buf *to)
{
	static const enum api_type needed[] = {
		API_DELETE_OPTIONS, API_OBJECT_META, API_LIST_META, API_STATUS};
	struct definitions definitions;
	struct arena scratch;
	size_t count = 0;

	arena_init(&scratch, ARENA_NO_LIMIT);
	definitions_init(&definitions, &scratch);
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		definitions_add(&definitions, api_type(needed[i]));
	openapi_put_head(to);
	for (size_t i = 0; i < d->row_count; i++)
		openapi_put_resource(&definitions, d->rows[i], &count, to);
	buf_add_str(to, STR("},\"components\":{\"schemas\":{"));
	definitions_put(&definitions, to);
	for (size_t i = 0; i < d->row_count; i++) {
		buf_add_char(to, ',');
		put_definition(d->rows[i], to);
		put_list(d->rows[i], to);
	}
	openapi_put_tail(to);
	arena_free(&scratch);
}

/* --- documents */

static str own(const char *at, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		abort();
	memcpy(copy, at, len);
	return str_span(copy, len);
}

static struct custom_document *make(const struct resource *const *rows, size_t count)
{
	struct custom_document *d = calloc(1, sizeof(*d));
	uint8_t digest[DIGEST_SHA256_BYTES];
	char hash[2 * DIGEST_SHA256_BYTES + 1];
	struct buf b;

	if (d)
		d->rows = calloc(count, sizeof(*d->rows));
	if (!d || !d->rows)
		abort();
	counted_init(&d->counted, destroy_document);
	for (size_t i = 0; i < count; i++) {
		resource_take(rows[i]);
		d->rows[d->row_count++] = rows[i];
	}
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_fmt(&b, "apis/%.*s/%.*s", STR_ARG(rows[0]->group), STR_ARG(rows[0]->version));
	d->path = own(b.at, b.len);
	buf_reset(&b);
	put_document(d, &b);
	d->json = own(b.at, b.len);
	buf_free(&b);
	digest_sha256(d->json, digest);
	for (size_t i = 0; i < DIGEST_SHA256_BYTES; i++)
		snprintf(hash + 2 * i, 3, "%02X", digest[i]);
	d->hash = own(hash, sizeof(hash) - 1);
	return d;
}

/* A document of the same rows; a reference. */
static struct custom_document *find_same(
	const struct custom_documents *before, const struct resource *const *rows, size_t count)
{
	for (size_t i = 0; before && i < before->count; i++) {
		struct custom_document *d = before->at[i];

		if (d->row_count == count && memcmp(d->rows, rows, count * sizeof(*rows)) == 0) {
			counted_take(&d->counted);
			return d;
		}
	}
	return NULL;
}

struct custom_documents *custom_documents_new(
	struct catalog *c, const struct custom_documents *before)
{
	struct custom_documents *all = calloc(1, sizeof(*all));

	if (all)
		all->at = calloc(c->count + 1, sizeof(struct custom_document *));
	if (!all || !all->at)
		abort();
	counted_init(&all->counted, destroy);
	all->catalog = c;
	for (size_t i = 0, end; i < c->count; i = end) {
		struct custom_document *d;

		for (end = i + 1; end < c->count; end++)
			if (!str_eq(c->rows[end]->group, c->rows[i]->group) ||
				!str_eq(c->rows[end]->version, c->rows[i]->version))
				break;
		d = find_same(before, &c->rows[i], end - i);
		all->at[all->count++] = d ? d : make(&c->rows[i], end - i);
	}
	return all;
}
