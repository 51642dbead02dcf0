#include "apiserver/endpoints/openapi.h"

#include "apiserver/endpoints/openapi_build.h"
#include "apiserver/endpoints/openapi_custom.h"
#include "lib/crypto/digest.h"
#include "lib/daemon/version.h"

#include <pthread.h>
#include <stdlib.h>

enum { DOCUMENTS_MAX = 64 };

struct document {
	str group, version;
	str path; /* "apis/apps/v1" */
	str json; /* absent: not made yet */
	str hash;
};

struct openapi {
	pthread_mutex_t lock;
	struct custom_documents *custom; /* a reference; NULL: not made yet */
	struct arena arena;
	struct document documents[DOCUMENTS_MAX];
	size_t count;
};

static void find_documents(struct openapi *o);
static int make(struct openapi *o, struct document *d, struct err *e);
static void serve_index(struct request *r);
static void serve_made(struct request *r, struct document *d);
static bool serve_custom(struct request *r, str path);
static void serve(struct request *r, str path, str json, str hash);

int openapi_new(struct openapi **to, struct err *e)
{
	struct openapi *o = calloc(1, sizeof(*o));

	if (!o)
		return err_set(e, ERR_SYSTEM, "no memory for OpenAPI");
	pthread_mutex_init(&o->lock, NULL);
	arena_init(&o->arena, ARENA_NO_LIMIT);
	find_documents(o);
	*to = o;
	return 0;
}

void openapi_free(struct openapi *o)
{
	if (!o)
		return;
	if (o->custom)
		counted_drop(&o->custom->counted);
	arena_free(&o->arena);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

bool openapi_handle(struct request *r, str path)
{
	struct openapi *o = r->endpoints->openapi;

	if (str_eq(path, STR("/openapi/v3"))) {
		serve_index(r);
		return true;
	}
	if (!str_starts(path, STR("/openapi/v3/")))
		return false;
	path = str_slice(path, sizeof("/openapi/v3/") - 1, path.len);
	for (size_t i = 0; i < o->count; i++) {
		if (str_eq(o->documents[i].path, path)) {
			serve_made(r, &o->documents[i]);
			return true;
		}
	}
	return serve_custom(r, path);
}

/* Those of custom resources as they are now; a reference. */
static struct custom_documents *take_custom(struct request *r)
{
	struct openapi *o = r->endpoints->openapi;
	struct extensions *x = r->endpoints->extensions;
	struct custom_documents *now;

	pthread_mutex_lock(&o->lock);
	if (!o->custom || o->custom->catalog->serial != extensions_serial(x)) {
		now = custom_documents_new(extensions_catalog(x), o->custom);
		if (o->custom)
			counted_drop(&o->custom->counted);
		o->custom = now;
	}
	now = o->custom;
	counted_take(&now->counted);
	pthread_mutex_unlock(&o->lock);
	return now;
}

static bool serve_custom(struct request *r, str path)
{
	struct custom_documents *all = take_custom(r);
	bool found = false;

	for (size_t i = 0; i < all->count && !found; i++) {
		const struct custom_document *d = all->at[i];

		found = str_eq(d->path, path);
		if (found)
			serve(r, d->path, d->json, d->hash);
	}
	counted_drop(&all->counted);
	return found;
}

static void find_documents(struct openapi *o)
{
	for (size_t i = 0; i < api_resource_count; i++) {
		const struct resource *r = &api_resources[i];
		size_t k = 0;

		if (!registry_serves(r))
			continue;
		while (k < o->count &&
			(!str_eq(o->documents[k].group, r->group) ||
				!str_eq(o->documents[k].version, r->version)))
			k++;
		if (k < o->count || k == DOCUMENTS_MAX)
			continue;
		o->documents[o->count++] = (struct document){
			.group = r->group,
			.version = r->version,
			.path = r->group.len
				? arena_fmt(&o->arena, "apis/%.*s/%.*s", STR_ARG(r->group),
					  STR_ARG(r->version))
				: arena_fmt(&o->arena, "api/%.*s", STR_ARG(r->version)),
		};
	}
}

static void put_document(struct arena *a, const struct document *d, struct buf *to)
{
	struct definitions definitions;

	definitions_init(&definitions, a);
	definitions_add(&definitions, &api_schema.types[API_DELETE_OPTIONS]);
	definitions_add(&definitions, &api_schema.types[API_API_RESOURCE_LIST]);
	openapi_put_head(to);
	openapi_put_paths(&definitions, d->group, d->version, to);
	buf_add_str(to, STR("},\"components\":{\"schemas\":{"));
	definitions_put(&definitions, to);
	openapi_put_tail(to);
}

void openapi_put_head(struct buf *to)
{
	buf_add_str(to,
		STR("{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":"
		    "\"" VERSION_GIT "\"},\"paths\":{"));
}

void openapi_put_tail(struct buf *to)
{
	buf_add_str(to,
		STR(",\"io.k8s.apimachinery.pkg.apis.meta.v1.Patch\":{\"type\":\"object\"}},"
		    "\"securitySchemes\":{\"BearerToken\":{\"type\":\"apiKey\",\"name\":"
		    "\"authorization\",\"in\":\"header\"}}}}"));
}

static int make(struct openapi *o, struct document *d, struct err *e)
{
	uint8_t digest[DIGEST_SHA256_BYTES];
	char hash[2 * DIGEST_SHA256_BYTES + 1];
	struct arena scratch;
	struct buf b;

	if (d->json.at)
		return 0;
	arena_init(&scratch, ARENA_NO_LIMIT);
	buf_init(&b, BUF_NO_LIMIT);
	put_document(&scratch, d, &b);
	int result = buf_ok(&b, "the OpenAPI document", e);

	if (result == 0) {
		digest_sha256(buf_str(&b), digest);
		for (size_t i = 0; i < DIGEST_SHA256_BYTES; i++)
			snprintf(hash + 2 * i, 3, "%02X", digest[i]);
		d->hash = arena_fmt(&o->arena, "%s", hash);
		d->json = arena_str(&o->arena, buf_str(&b));
	}
	buf_free(&b);
	arena_free(&scratch);
	return result;
}

static int make_locked(struct openapi *o, struct document *d, struct err *e)
{
	pthread_mutex_lock(&o->lock);
	int result = make(o, d, e);

	pthread_mutex_unlock(&o->lock);
	return result;
}

/* JSON is all there is; what asks for nothing else is told so. */
static bool negotiated(struct request *r)
{
	struct err e;

	if (negotiate_answer(
		    &r->arena, &r->x->request.headers, &r->query, ACCEPT_PLAIN, &r->form, &e) < 0 ||
		r->form.format != FORMAT_JSON) {
		r->form.format = FORMAT_JSON;
		status_fail(&r->arena, &e, STATUS_NOT_ACCEPTABLE,
			"only the following media types are accepted: application/json");
		request_fail(r, &e);
		return false;
	}
	return true;
}

/* Their servers have the documents, and the hashes. */
static void put_remote(struct request *r, struct buf *to)
{
	struct aggregation *n = aggregator_take(r->endpoints->aggregator);

	for (size_t i = 0; i < n->count; i++) {
		const struct aggregated *s = &n->at[i];

		if (s->remote && s->available)
			buf_add_fmt(to,
				",\"apis/%.*s/%.*s\":{\"serverRelativeURL\":"
				"\"/openapi/v3/apis/%.*s/%.*s\"}",
				STR_ARG(s->group), STR_ARG(s->version), STR_ARG(s->group),
				STR_ARG(s->version));
	}
	counted_drop(&n->counted);
}

static void serve_index(struct request *r)
{
	struct openapi *o = r->endpoints->openapi;
	struct buf *to = &r->answer.body;
	struct err e;

	if (!negotiated(r))
		return;
	buf_reset(to);
	buf_add_str(to, STR("{\"paths\":{"));
	for (size_t i = 0; i < o->count; i++) {
		struct document *d = &o->documents[i];

		if (make_locked(o, d, &e) < 0) {
			request_fail(r, &e);
			return;
		}
		buf_add_fmt(to, "%s\"%.*s\":{\"serverRelativeURL\":\"/openapi/v3/%.*s?hash=%.*s\"}",
			i ? "," : "", STR_ARG(d->path), STR_ARG(d->path), STR_ARG(d->hash));
	}
	struct custom_documents *all = take_custom(r);

	for (size_t i = 0; i < all->count; i++)
		buf_add_fmt(to, ",\"%.*s\":{\"serverRelativeURL\":\"/openapi/v3/%.*s?hash=%.*s\"}",
			STR_ARG(all->at[i]->path), STR_ARG(all->at[i]->path),
			STR_ARG(all->at[i]->hash));
	counted_drop(&all->counted);
	put_remote(r, to);
	buf_add_str(to, STR("}}"));
	r->answer.code = 200;
	request_send(r);
}

static void serve_made(struct request *r, struct document *d)
{
	struct err e;

	if (make_locked(r->endpoints->openapi, d, &e) < 0)
		request_fail(r, &e);
	else
		serve(r, d->path, d->json, d->hash);
}

/* A document under its hash never changes. */
static void serve(struct request *r, str path, str json, str current)
{
	str hash = url_query_get(&r->query, STR("hash"));

	if (!negotiated(r))
		return;
	str tag = arena_fmt(&r->arena, "\"%.*s\"", STR_ARG(current));

	request_add_header(r, "ETag", tag);
	request_add_header(r, "Vary", STR("Accept"));
	if (hash.len && !str_eq(hash, current)) {
		request_add_header(r, "Location",
			arena_fmt(&r->arena, "/openapi/v3/%.*s?hash=%.*s", STR_ARG(path),
				STR_ARG(current)));
		request_send_text(r, 301, STR(""), STR(""));
		return;
	}
	if (hash.len)
		request_add_header(r, "Cache-Control", STR("public, immutable"));
	if (str_eq(http_header(&r->x->request.headers, STR("if-none-match")), tag)) {
		request_send_text(r, 304, STR(""), STR(""));
		return;
	}
	request_send_text(r, 200, STR("application/json"), json);
}
