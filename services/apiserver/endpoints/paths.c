/*
 * What is no resource: discovery, OpenAPI, health, metrics, version, the issuer's documents.
 */
#include "apiserver/endpoints/discovery.h"
#include "apiserver/endpoints/openapi.h"
#include "apiserver/endpoints/request.h"
#include "apiserver/endpoints/request_metrics.h"
#include "lib/daemon/version.h"

static void version(struct request *r);
static void metrics(struct request *r);
static void index_of_paths(struct request *r);
static void issuer(struct request *r);
static void keys(struct request *r);

static const struct {
	const char *path;
	void (*handle)(struct request *r);
} paths[] = {
	{"/", index_of_paths},
	{"/version", version},
	{"/metrics", metrics},
	{"/.well-known/openid-configuration", issuer},
	{"/openid/v1/jwks", keys},
};

static bool reads(const struct request *r)
{
	str method = r->x->request.method;

	return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD"));
}

static bool is_health(str path)
{
	static const char *const roots[] = {"/healthz", "/livez", "/readyz"};

	for (size_t i = 0; i < COUNT_OF(roots); i++) {
		size_t len = strlen(roots[i]);

		if (str_starts(path, str_of(roots[i])) && (path.len == len || path.at[len] == '/'))
			return true;
	}
	return false;
}

bool handle_path(struct request *r)
{
	str path = r->info.path;

	if (is_health(path)) {
		const struct health *h = r->endpoints->o.health;
		struct http_exchange *x = r->x;

		request_release(r, 0); /* the library answers; these are not counted */
		if (!health_respond(h, x))
			http_respond(x, 404, NULL, STR("404 page not found\n"));
		return true;
	}
	if (!reads(r))
		return false;
	if (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (str_eq(path, str_of(paths[i].path))) {
			paths[i].handle(r);
			return true;
		}
	}
	return discovery_handle(r, path) || openapi_handle(r, path);
}

static void send_json(struct request *r, str json)
{
	r->form.format = FORMAT_JSON;
	request_send_text(r, 200, STR("application/json"), json);
}

static void version(struct request *r)
{
	send_json(r,
		STR("{\n"
		    "  \"major\": \"" VERSION_MAJOR "\",\n"
		    "  \"minor\": \"" VERSION_MINOR "\",\n"
		    "  \"emulationMajor\": \"" VERSION_MAJOR "\",\n"
		    "  \"emulationMinor\": \"" VERSION_MINOR "\",\n"
		    "  \"minCompatibilityMajor\": \"" VERSION_MAJOR "\",\n"
		    "  \"minCompatibilityMinor\": \"35\",\n"
		    "  \"gitVersion\": \"" VERSION_GIT "\",\n"
		    "  \"gitCommit\": \"\",\n"
		    "  \"gitTreeState\": \"clean\",\n"
		    "  \"buildDate\": \"" VERSION_BUILD_DATE "\",\n"
		    "  \"goVersion\": \"\",\n"
		    "  \"compiler\": \"gcc\",\n"
		    "  \"platform\": \"" VERSION_PLATFORM "\"\n"
		    "}"));
}

static void metrics(struct request *r)
{
	request_metrics_inflight(r->endpoints);
	buf_reset(&r->answer.body);
	metrics_write(r->endpoints->o.metrics, &r->answer.body);
	r->answer.code = 200;
	r->answer.content_type = STR("text/plain; version=0.0.4; charset=utf-8");
	request_send(r);
}

static void index_of_paths(struct request *r)
{
	struct discovery *d;
	struct buf b;
	struct err e;

	if (discovery_take(r->endpoints, &d, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\n  \"paths\": ["));
	discovery_put_paths(d, &b);
	discovery_drop(d);
	for (size_t i = 1; i < COUNT_OF(paths); i++)
		buf_add_fmt(&b, ",\n    \"%s\"", paths[i].path);
	buf_add_str(&b,
		STR(",\n    \"/healthz\",\n    \"/livez\",\n    \"/openapi/v3\",\n    "
		    "\"/readyz\"\n  ]\n}"));
	send_json(r, buf_str(&b));
	buf_free(&b);
}

static void issuer(struct request *r)
{
	send_json(r, authenticator_openid_configuration(r->endpoints->o.authenticator));
}

static void keys(struct request *r)
{
	request_send_text(r, 200, STR("application/jwk-set+json"),
		authenticator_jwks(r->endpoints->o.authenticator));
}
