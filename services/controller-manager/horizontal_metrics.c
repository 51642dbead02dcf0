#include "controller-manager/horizontal_metrics.h"

#include "controller-manager/horizontal_scale.h"
#include "lib/codec/json.h"
#include "lib/http/url.h"

#define CUSTOM_GROUP   "custom.metrics.k8s.io"
#define EXTERNAL_GROUP "external.metrics.k8s.io"

/* What the API server answers where nothing is registered has no Status; upstream's client puts it
 * into words. */
static void put_into_words(struct err *e, str resource)
{
	const char *what = e->kind == ERR_NOT_FOUND
		? "the server could not find the requested resource"
		: e->kind == ERR_UNAVAILABLE
		? "the server is currently unable to handle the request"
		: NULL;

	if (what && !e->detail)
		err_write(e, e->kind, "%s (get %.*s)", what, STR_ARG(resource));
}

static int ask(struct pass *p, str path, str resource, str *to, struct err *e)
{
	const struct client_request r = {.method = STR("GET"), .path = path, .accept = MEDIA_JSON};

	if (client_raw(p->run->env.client, p->arena, &r, to, e) == 0)
		return 0;
	put_into_words(e, resource);
	return -1;
}

static void add_segment(struct buf *b, str text)
{
	buf_add_char(b, '/');
	url_add_encoded(b, text, URL_PATH_SEGMENT);
}

static void add_param(struct buf *b, const char *name, str value, bool *any)
{
	if (value.len == 0)
		return;
	buf_add_fmt(b, "%c%s=", *any ? '&' : '?', name);
	url_add_encoded(b, value, URL_QUERY_VALUE);
	*any = true;
}

static str take(struct pass *p, struct buf *b)
{
	str text = arena_str(p->arena, buf_str(b));

	buf_free(b);
	return text;
}

/* The readers' arena bounds what an answer may cost; what is kept goes into the pass's. */
static void keep(struct pass *p, const struct hpa_samples *from, struct hpa_samples *to)
{
	*to = (struct hpa_samples){0};
	to->at = arena_get(p->arena, (from->len + 1) * sizeof(*to->at));
	for (size_t i = 0; i < from->len; i++) {
		to->at[i] = from->at[i];
		to->at[i].name = arena_str(p->arena, from->at[i].name);
	}
	to->len = to->cap = from->len;
}

/* What is asked of one of the APIs. */
struct question {
	str path;
	str subject; /* of upstream's words: "pods.metrics.k8s.io" */
	const char *api;
	str resource, container; /* of pod metrics; absent: a list of values */
};

static int read_answer(struct arena *a, const struct question *q, str answer,
	struct hpa_samples *to, size_t *count, struct err *e)
{
	if (q->resource.at)
		return hpa_read_pod_metrics(a, answer, q->resource, q->container, to, count, e);
	TRY(hpa_read_values(a, answer, to, e));
	*count = to->len;
	return 0;
}

static int fetch(struct pass *p, const struct question *q, struct hpa_samples *to, struct err *e)
{
	struct hpa_samples read = {0};
	size_t count = 0;
	struct arena a;
	str answer;

	if (ask(p, q->path, q->subject, &answer, e) < 0)
		return err_context(e, "unable to fetch metrics from %s metrics API", q->api);
	arena_init(&a, METRICS_BYTES);
	int done = read_answer(&a, q, answer, &read, &count, e);

	if (done == 0)
		keep(p, &read, to);
	arena_free(&a);
	if (done < 0)
		return err_context(e, "unable to fetch metrics from %s metrics API", q->api);
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "no metrics returned from %s metrics API", q->api);
	return 0;
}

int hpa_fetch_resource(struct pass *p, str selector, str resource, str container,
	struct hpa_samples *to, struct err *e)
{
	struct question q = {.subject = STR("pods.metrics.k8s.io"),
		.api = "resource",
		.resource = resource,
		.container = container};
	bool any = false;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("/apis/metrics.k8s.io/v1beta1/namespaces"));
	add_segment(&b, p->ns);
	buf_add_str(&b, STR("/pods"));
	add_param(&b, "labelSelector", selector, &any);
	q.path = take(p, &b);
	return fetch(p, &q, to, e);
}

/* --- custom.metrics.k8s.io */

/* The newer of the two versions that is registered. */
static int custom_version(struct pass *p, str *to, struct err *e)
{
	static const str known[] = {STR_INIT("v1beta2"), STR_INIT("v1beta1")};
	struct json_item root, versions, one, name;
	size_t best = COUNT_OF(known);
	struct err why;
	str answer;

	if (ask(p, STR("/apis/" CUSTOM_GROUP), STR(CUSTOM_GROUP), &answer, &why) == 0) {
		TRY(json_parse(p->arena, answer, &root, e));
		if (!json_member(&root, STR("versions"), &versions))
			versions = (struct json_item){0};
		struct json_walk w = json_enter(&versions);

		while (json_next(&w, &one))
			for (size_t i = 0; i < best; i++)
				if (json_member(&one, STR("version"), &name) &&
					str_eq(name.text, known[i]))
					best = i;
	} else if (why.kind != ERR_NOT_FOUND) {
		*e = why;
		return -1;
	}
	if (best == COUNT_OF(known))
		return err_set(
			e, ERR_NOT_FOUND, "no custom metrics API (" CUSTOM_GROUP ") registered");
	*to = known[best];
	return 0;
}

static int begin_custom(struct pass *p, struct buf *b, struct err *e)
{
	str version;

	if (custom_version(p, &version, e) < 0)
		return err_context(e, "unable to fetch metrics from custom metrics API");
	buf_init(b, BUF_NO_LIMIT);
	buf_add_fmt(b, "/apis/" CUSTOM_GROUP "/%.*s/namespaces", STR_ARG(version));
	add_segment(b, p->ns);
	return 0;
}

static int fetch_custom(
	struct pass *p, struct buf *b, str subject, struct hpa_samples *to, struct err *e)
{
	const struct question q = {.path = take(p, b),
		.subject = arena_fmt(p->arena, "%.*s." CUSTOM_GROUP, STR_ARG(subject)),
		.api = "custom"};

	return fetch(p, &q, to, e);
}

int hpa_fetch_pods(struct pass *p, str selector, const struct hpa_metric *m, struct hpa_samples *to,
	struct err *e)
{
	bool any = false;
	struct buf b;

	TRY(begin_custom(p, &b, e));
	buf_add_str(&b, STR("/pods/*"));
	add_segment(&b, m->name);
	add_param(&b, "labelSelector", selector, &any);
	add_param(&b, "metricLabelSelector", m->selector, &any);
	return fetch_custom(p, &b, STR("pods"), to, e);
}

/* Of the namespace it stands below "metrics", of others below their resource and name. */
static int add_object(struct pass *p, struct buf *b, const struct cross_version_object_reference *o,
	str *subject, struct err *e)
{
	const struct resource *r;

	if (str_eq(o->kind, STR("Namespace")) && str_eq(o->api_version, STR("v1"))) {
		*subject = STR("metrics");
		add_segment(b, STR("metrics"));
		return 0;
	}
	TRY(hpa_find_resource(p, o->api_version, o->kind, &r, e));
	*subject = r->group.len > 0
		? arena_fmt(p->arena, "%.*s.%.*s", STR_ARG(r->plural), STR_ARG(r->group))
		: r->plural;
	add_segment(b, *subject);
	add_segment(b, o->name);
	return 0;
}

int hpa_fetch_object(struct pass *p, const struct cross_version_object_reference *of,
	const struct hpa_metric *m, int64_t *to, struct err *e)
{
	struct hpa_samples s;
	bool any = false;
	struct buf b;
	str subject;

	TRY(begin_custom(p, &b, e));
	if (add_object(p, &b, of, &subject, e) < 0) {
		buf_free(&b);
		return err_context(e, "unable to fetch metrics from custom metrics API");
	}
	add_segment(&b, m->name);
	add_param(&b, "metricLabelSelector", m->selector, &any);
	TRY(fetch_custom(p, &b, subject, &s, e));
	*to = s.at[0].value;
	return 0;
}

/* --- external.metrics.k8s.io */

int hpa_fetch_external(struct pass *p, const struct hpa_metric *m, int64_t *to, struct err *e)
{
	struct question q = {.api = "external"};
	struct hpa_samples s;
	int64_t sum = 0;
	bool any = false;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("/apis/" EXTERNAL_GROUP "/v1beta1/namespaces"));
	add_segment(&b, p->ns);
	add_segment(&b, m->name);
	add_param(&b, "labelSelector", m->selector, &any);
	q.path = take(p, &b);
	q.subject = arena_fmt(p->arena, "%.*s." EXTERNAL_GROUP, STR_ARG(m->name));
	TRY(fetch(p, &q, &s, e));
	for (size_t i = 0; i < s.len; i++)
		if (__builtin_add_overflow(sum, s.at[i].value, &sum))
			sum = INT64_MAX;
	*to = sum;
	return 0;
}
