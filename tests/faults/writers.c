#include "churn.h"

/* `body` absent: none. The call's answer is the caller's to free. */
static void ask(
	struct writer *w, struct call *c, const char *method, int nth, const char *type, str body)
{
	const char *plural = churn_plurals[w->index % KINDS];
	bool makes = strcmp(method, "POST") == 0;

	*c = (struct call){.method = str_of(method), .body = body};
	c->target = arena_fmt(&w->arena, "/api/v1/namespaces/%s/%s", w->world->ns, plural);
	if (!makes)
		c->target = arena_fmt(&w->arena, "%.*s/churn-%d-%d%s", STR_ARG(c->target), w->index,
			nth, strcmp(method, "DELETE") == 0 ? "?gracePeriodSeconds=0" : "");
	c->headers[c->header_count++] = (struct call_header){STR("accept"), MEDIA_JSON};
	if (type)
		c->headers[c->header_count++] = (struct call_header){
			STR("content-type"), str_of(type)};
	transport_call(w->transport, c);
}

static bool read_answer(struct writer *w, struct call *c, struct known *to)
{
	struct json_item o;
	struct err e;
	int key;

	if (json_parse(&w->arena, buf_str(&c->answer), &o, &e) == 0 &&
		churn_read(w->world, &o, &key, to))
		return true;
	churn_bad(w->world, "%.*s is answered by no object", STR_ARG(c->target));
	return false;
}

static void count_refusal(struct writer *w, const struct call *c)
{
	atomic_fetch_add(&w->refused, 1);
	if (c->status >= 500) {
		w->answered++;
		if (c->retry_after_s < 0)
			churn_bad(w->world, "%.*s %.*s: %d without Retry-After: %.*s",
				STR_ARG(c->method), STR_ARG(c->target), c->status,
				STR_ARG(buf_str(&c->answer)));
	}
	churn_moved(w->world);
}

/* What is there now, however long it takes to be told. */
static void read_back(struct writer *w, int nth, struct known *to)
{
	struct call c;
	struct err e;

	for (;;) {
		ask(w, &c, "GET", nth, NULL, (str){NULL, 0});
		bool found = c.status == 200 && read_answer(w, &c, to);

		if (c.status == 404)
			*to = (struct known){0};
		else if (!found)
			count_refusal(w, &c);
		buf_free(&c.answer);
		if (found || c.status == 404)
			return;
		if (transport_wait(w->transport, PAUSE_MS * NS_PER_MS, &e) < 0)
			exit(1);
	}
}

/* The write may have happened or not; nothing else may have. */
static void settle(struct writer *w, int nth, bool deletes)
{
	struct known *known = &w->known[nth], now;
	uint64_t uid = known->uid;

	read_back(w, nth, &now);
	if (now.uid && now.turn != w->turn && (now.uid != uid || now.turn != known->turn))
		churn_bad(w->world, "churn-%d-%d: turn %lld, was acknowledged %lld and tried %lld",
			w->index, nth, (long long)now.turn, (long long)known->turn,
			(long long)w->turn);
	if (now.uid && uid && now.uid == uid && now.revision < known->revision)
		churn_bad(w->world, "churn-%d-%d: revision %lld, was acknowledged %lld", w->index,
			nth, (long long)now.revision, (long long)known->revision);
	if (!now.uid && uid && !deletes)
		churn_bad(w->world, "churn-%d-%d is lost", w->index, nth);
	if (!now.uid && uid)
		churn_note(&w->log, (struct noted){0, uid, w->index * KEYS + nth, DELETED});
	*known = now;
}

static void acknowledged(struct writer *w, struct call *c, int nth, enum word word)
{
	struct known *known = &w->known[nth], now = {0};
	uint64_t uid = known->uid;

	if (word != DELETED && !read_answer(w, c, &now))
		return;
	if (word == MODIFIED && now.uid != uid)
		churn_bad(w->world, "churn-%d-%d is another object", w->index, nth);
	if (word != DELETED)
		uid = now.uid;
	churn_note(&w->log, (struct noted){now.revision, uid, w->index * KEYS + nth, word});
	if (now.revision)
		atomic_store(&w->revision, now.revision);
	*known = now;
	atomic_fetch_add(&w->acked, 1);
	churn_moved(w->world);
}

static void put_new(struct writer *w, int nth, str *body)
{
	const char *spec = w->index % KINDS == 0
		? "\"data\":{\"some\":\"data\"}"
		: "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}";

	*body = arena_fmt(&w->arena,
		"{\"metadata\":{\"name\":\"churn-%d-%d\",\"labels\":{\"turn\":\"%lld\"}},%s}",
		w->index, nth, (long long)w->turn, spec);
}

static void put_replacement(struct writer *w, int nth, str *body)
{
	*body = arena_fmt(&w->arena,
		"{\"metadata\":{\"name\":\"churn-%d-%d\",\"resourceVersion\":\"%lld\","
		"\"labels\":{\"turn\":\"%lld\"}}}",
		w->index, nth, (long long)w->known[nth].revision, (long long)w->turn);
}

/* One write of one object. True: it was acknowledged. */
static bool step(struct writer *w, int nth, bool may_delete)
{
	const struct known *known = &w->known[nth];
	enum word word = MODIFIED;
	str body = {NULL, 0};
	struct call c;

	w->turn++;
	if (!known->uid) {
		word = ADDED;
		put_new(w, nth, &body);
		ask(w, &c, "POST", nth, "application/json", body);
	} else if (may_delete && w->turn / KEYS % 5 == 4) {
		word = DELETED;
		ask(w, &c, "DELETE", nth, NULL, body);
	} else if (w->index % KINDS == 0 && w->turn / KEYS % 2) {
		put_replacement(w, nth, &body);
		ask(w, &c, "PUT", nth, "application/json", body);
	} else {
		body = arena_fmt(&w->arena, "{\"metadata\":{\"labels\":{\"turn\":\"%lld\"}}}",
			(long long)w->turn);
		ask(w, &c, "PATCH", nth, "application/merge-patch+json", body);
	}
	bool done = c.status >= 200 && c.status < 300;

	if (done) {
		acknowledged(w, &c, nth, word);
	} else if (c.status == 0 || c.status >= 500) {
		count_refusal(w, &c);
		settle(w, nth, word == DELETED);
	} else {
		churn_bad(w->world, "%.*s %.*s: %d %.*s", STR_ARG(c.method), STR_ARG(c.target),
			c.status, STR_ARG(buf_str(&c.answer)));
	}
	buf_free(&c.answer);
	return done;
}

/* In the end every object is there, and its last write acknowledged. */
void *churn_write(void *arg)
{
	struct writer *w = arg;

	for (int i = 0; !atomic_load(&w->world->stop) && churn_goes_on(w->world); i++) {
		(void)step(w, i % KEYS, true);
		arena_reset(&w->arena);
	}
	for (int i = 0; i < KEYS; i++)
		while (churn_goes_on(w->world) && !step(w, i, false))
			arena_reset(&w->arena);
	return NULL;
}
