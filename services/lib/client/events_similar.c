#include "lib/client/events_similar.h"

#include "lib/base/buf.h"
#include "lib/base/map.h"
#include "lib/client/throttle.h"

#include <stdlib.h>

enum {
	REMEMBERED_MAX = 4096, /* of each kind of memory */
	BURST = 25,
	REFILL_S = 300,
	TEXTS_MAX = 10,
	TEXTS_S = 600,
	SERIES_S = 360,
};

/* What is remembered under one key: which fields are used depends on the memory. */
struct memory {
	struct memory *older, *newer;
	struct throttle throttle;  /* sources: what an object may still say */
	uint64_t texts[TEXTS_MAX]; /* reasons: the different texts seen */
	size_t text_count;
	int64_t last_ns, first_ns;
	int32_t count; /* events */
	char *name, *message;
	str key;
	char text[];
};

/* A bounded map: the longest unused goes. */
struct memories {
	struct map map;
	struct memory *newest, *oldest;
};

struct events_similar {
	const struct clock *clock;
	struct hash_key hash_key;
	struct memories sources, reasons, events;
	struct memory *looked_at;
	struct buf key;
};

static struct memory *recall(struct memories *m, str key, bool *is_new);
static void forget_all(struct memories *m);

struct events_similar *events_similar_new(const struct clock *c)
{
	struct events_similar *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->clock = c;
	s->hash_key = hash_key_random();
	map_init(&s->sources.map);
	map_init(&s->reasons.map);
	map_init(&s->events.map);
	buf_init(&s->key, BUF_NO_LIMIT);
	return s;
}

void events_similar_free(struct events_similar *s)
{
	forget_all(&s->sources);
	forget_all(&s->reasons);
	forget_all(&s->events);
	buf_free(&s->key);
	free(s);
}

/* Parts do not run into each other: each ends with a NUL. */
static void add_part(struct buf *b, str part)
{
	buf_add_str(b, part);
	buf_add_char(b, '\0');
}

static void add_reference(struct buf *b, const struct object_reference *r)
{
	add_part(b, r->kind);
	add_part(b, r->namespace);
	add_part(b, r->name);
	add_part(b, r->uid);
	add_part(b, r->api_version);
	add_part(b, r->field_path);
}

static bool may_speak(struct events_similar *s, const struct occurrence *o)
{
	int64_t now_ns = s->clock->monotonic_ns(s->clock);
	bool is_new;

	buf_reset(&s->key);
	add_part(&s->key, o->component);
	add_reference(&s->key, &o->about);
	struct memory *m = recall(&s->sources, buf_str(&s->key), &is_new);

	if (is_new)
		throttle_init(&m->throttle, 1.0 / REFILL_S, BURST, now_ns);
	return throttle_try(&m->throttle, now_ns);
}

/* Whether this text is one of too many different ones. Leaves the key without the text. */
static bool too_many_texts(struct events_similar *s, const struct occurrence *o)
{
	uint64_t text = hash_keyed(s->hash_key, o->message);
	bool is_new;

	add_part(&s->key, o->type);
	add_part(&s->key, o->reason);
	add_part(&s->key, o->action);
	struct memory *m = recall(&s->reasons, buf_str(&s->key), &is_new);

	if (o->wall_ns - m->last_ns > TEXTS_S * NS_PER_S)
		m->text_count = 0;
	m->last_ns = o->wall_ns;
	for (size_t i = 0; i < m->text_count; i++) {
		if (m->texts[i] == text)
			return m->text_count == TEXTS_MAX;
	}
	if (m->text_count < TEXTS_MAX)
		m->texts[m->text_count++] = text;
	return m->text_count == TEXTS_MAX;
}

static char *copy_of(str s)
{
	char *to = calloc(1, s.len + 1);

	if (!to)
		abort();
	if (s.len > 0)
		memcpy(to, s.at, s.len);
	return to;
}

static bool look_at_series(struct memory *m, const struct occurrence *o, bool is_new)
{
	if (is_new || !m->name)
		return true;
	if (m->count > 2 && o->wall_ns - m->last_ns < SERIES_S * NS_PER_S)
		return false;
	m->last_ns = o->wall_ns;
	return true;
}

bool events_similar_look(
	struct events_similar *s, const struct occurrence *o, bool series, struct similar *to)
{
	bool is_new, combined = false;

	if (!may_speak(s, o) && !series)
		return false;
	if (!series)
		combined = too_many_texts(s, o);
	else
		add_part(&s->key, o->reason);
	if (!combined)
		add_part(&s->key, o->message);
	struct memory *m = recall(&s->events, buf_str(&s->key), &is_new);

	m->count++;
	if (is_new)
		m->first_ns = o->wall_ns;
	free(m->message);
	m->message = NULL;
	if (combined) {
		struct buf b;

		buf_init(&b, BUF_NO_LIMIT);
		buf_add_str(&b, STR("(combined from similar events): "));
		buf_add_str(&b, o->message);
		m->message = copy_of(buf_str(&b));
		buf_free(&b);
	}
	s->looked_at = m;
	*to = (struct similar){
		.name = m->name ? str_of(m->name) : STR(""),
		.message = m->message ? str_of(m->message) : o->message,
		.count = m->count,
		.first_ns = m->first_ns,
	};
	return !series || look_at_series(m, o, is_new);
}

void events_similar_name(struct events_similar *s, str name)
{
	free(s->looked_at->name);
	s->looked_at->name = copy_of(name);
}

static void unlink_memory(struct memories *m, struct memory *x)
{
	*(x->newer ? &x->newer->older : &m->newest) = x->older;
	*(x->older ? &x->older->newer : &m->oldest) = x->newer;
}

static void forget(struct memories *m, struct memory *x)
{
	unlink_memory(m, x);
	map_remove(&m->map, x->key);
	free(x->name);
	free(x->message);
	free(x);
}

static struct memory *recall(struct memories *m, str key, bool *is_new)
{
	struct memory *x = map_get(&m->map, key);

	*is_new = !x;
	if (x) {
		unlink_memory(m, x);
	} else {
		if (m->map.len == REMEMBERED_MAX)
			forget(m, m->oldest);
		x = calloc(1, sizeof(*x) + key.len);
		if (!x)
			abort();
		memcpy(x->text, key.at, key.len);
		x->key = str_span(x->text, key.len);
		map_put(&m->map, x->key, x);
	}
	x->newer = NULL;
	x->older = m->newest;
	*(m->newest ? &m->newest->newer : &m->oldest) = x;
	m->newest = x;
	return x;
}

static void forget_all(struct memories *m)
{
	while (m->oldest)
		forget(m, m->oldest);
	map_free(&m->map);
}
