#include "lib/client/expectations.h"

#include "lib/base/map.h"

#include <pthread.h>
#include <stdlib.h>

enum { GIVE_UP_S = 300 };

struct expected {
	int creations;
	struct map deletions; /* names that are outstanding, each in a block of its own */
	int64_t since_ns;
	char key[];
};

struct expectations {
	const struct clock *clock;
	pthread_mutex_t lock;
	struct map keys;
};

struct expectations *expectations_new(const struct clock *c)
{
	struct expectations *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	x->clock = c;
	pthread_mutex_init(&x->lock, NULL);
	map_init(&x->keys);
	return x;
}

static void empty(struct expected *w)
{
	map_each (&w->deletions, entry)
		free(entry->value);
	map_free(&w->deletions);
}

static void forget(struct expectations *x, str key)
{
	struct expected *w = map_remove(&x->keys, key);

	if (!w)
		return;
	empty(w);
	free(w);
}

void expectations_free(struct expectations *x)
{
	map_each (&x->keys, entry) {
		empty(entry->value);
		free(entry->value);
	}
	map_free(&x->keys);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

static void *copy_text(size_t head, str s)
{
	char *to = calloc(1, head + s.len + 1);

	if (!to)
		abort();
	if (s.len > 0)
		memcpy(to + head, s.at, s.len);
	return to;
}

void expectations_set(
	struct expectations *x, str key, int creations, const str *deletions, size_t deletion_count)
{
	struct expected *w = copy_text(sizeof(*w), key);

	w->creations = creations;
	w->since_ns = x->clock->monotonic_ns(x->clock);
	map_init(&w->deletions);
	for (size_t i = 0; i < deletion_count; i++) {
		if (map_get(&w->deletions, deletions[i]))
			continue;
		char *name = copy_text(0, deletions[i]);

		map_put(&w->deletions, str_span(name, deletions[i].len), name);
	}
	pthread_mutex_lock(&x->lock);
	forget(x, key);
	map_put(&x->keys, str_span(w->key, key.len), w);
	pthread_mutex_unlock(&x->lock);
}

void expectations_created(struct expectations *x, str key)
{
	pthread_mutex_lock(&x->lock);
	struct expected *w = map_get(&x->keys, key);

	if (w)
		w->creations--;
	pthread_mutex_unlock(&x->lock);
}

void expectations_deleted(struct expectations *x, str key, str name)
{
	pthread_mutex_lock(&x->lock);
	struct expected *w = map_get(&x->keys, key);

	if (w)
		free(map_remove(&w->deletions, name));
	pthread_mutex_unlock(&x->lock);
}

void expectations_forget(struct expectations *x, str key)
{
	pthread_mutex_lock(&x->lock);
	forget(x, key);
	pthread_mutex_unlock(&x->lock);
}

bool expectations_met(struct expectations *x, str key)
{
	pthread_mutex_lock(&x->lock);
	const struct expected *w = map_get(&x->keys, key);
	bool met = !w || (w->creations <= 0 && w->deletions.len == 0) ||
		x->clock->monotonic_ns(x->clock) - w->since_ns > GIVE_UP_S * NS_PER_S;

	pthread_mutex_unlock(&x->lock);
	return met;
}
