#include "lib/daemon/health.h"

#include "lib/base/log.h"
#include "lib/http/url.h"

static void respond_all(
	const struct health *h, const struct health_endpoint *at, struct http_exchange *x);
static bool respond_one(const struct health *h, const struct health_endpoint *at, str name,
	struct http_exchange *x);
static int run(const struct health *h, const struct health_check *c, struct err *e);
static bool excluded(const struct url_query *q, const char *name);
static void respond(struct http_exchange *x, int status, str body);

bool health_respond(const struct health *h, struct http_exchange *x)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct health_endpoint *at = &h->endpoints[i];
		str path = str_of(at->path), rest = x->request.path;

		if (!str_starts(rest, path))
			continue;
		rest = str_slice(rest, path.len, rest.len);
		if (!rest.len || str_eq(rest, STR("/"))) {
			respond_all(h, at, x);
			return true;
		}
		if (rest.at[0] == '/')
			return respond_one(h, at, str_slice(rest, 1, rest.len), x);
	}
	return false;
}

static void respond_all(
	const struct health *h, const struct health_endpoint *at, struct http_exchange *x)
{
	struct url_query q = {0};
	struct buf b;
	struct err e;
	bool failed = false, verbose = false;

	if (x->request.query.at && url_query_parse(&x->arena, x->request.query, &q, &e) == 0)
		verbose = url_query_get(&q, STR("verbose")).at != NULL;
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < at->count; i++) {
		const struct health_check *c = &at->checks[i];

		if (excluded(&q, c->name)) {
			buf_add_fmt(&b, "[+]%s excluded: ok\n", c->name);
		} else if (run(h, c, &e) < 0) {
			log_warning("%s: check %s failed: %s", at->path + 1, c->name, e.text);
			buf_add_fmt(&b, "[-]%s failed: reason withheld\n", c->name);
			failed = true;
		} else {
			buf_add_fmt(&b, "[+]%s ok\n", c->name);
		}
	}
	buf_add_fmt(&b, "%s check %s\n", at->path + 1, failed ? "failed" : "passed");
	respond(x, failed ? 500 : 200, failed || verbose ? buf_str(&b) : STR("ok"));
	buf_free(&b);
}

static bool respond_one(
	const struct health *h, const struct health_endpoint *at, str name, struct http_exchange *x)
{
	struct err e;

	for (size_t i = 0; i < at->count; i++) {
		if (!str_eq(name, str_of(at->checks[i].name)))
			continue;
		if (run(h, &at->checks[i], &e) < 0)
			respond(x, 500,
				arena_fmt(&x->arena, "internal server error: %s\n", e.text));
		else
			respond(x, 200, STR("ok"));
		return true;
	}
	return false;
}

static int run(const struct health *h, const struct health_check *c, struct err *e)
{
	return c->check ? c->check(h->owner, e) : 0;
}

static bool excluded(const struct url_query *q, const char *name)
{
	for (size_t i = 0; i < q->len; i++)
		if (str_eq(q->params[i].name, STR("exclude")) &&
			str_eq(q->params[i].value, str_of(name)))
			return true;
	return false;
}

static void respond(struct http_exchange *x, int status, str body)
{
	http_respond(x, status,
		HTTP_HEADERS({STR("Content-Type"), STR("text/plain; charset=utf-8")},
			{STR("Cache-Control"), STR("no-cache, private")},
			{STR("X-Content-Type-Options"), STR("nosniff")}),
		body);
}
