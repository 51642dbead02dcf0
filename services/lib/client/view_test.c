#include "lib/base/test.h"
#include "lib/client/view.h"

#include <pthread.h>
#include <stdatomic.h>

static bool by_node(const void *object, size_t nth, str *key)
{
	*key = ((const struct pod *)object)->spec.node_name;
	return nth == 0;
}

static view_key *const indexes[] = {by_node};

static struct entry *pod(struct test *t, str ns, str name, str node)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	struct pod *p = object_new(&a, api_type(API_POD));

	p->metadata.namespace = ns;
	p->metadata.name = name;
	p->spec.node_name = node;
	struct entry *e = entry_new(p);

	arena_free(&a);
	(void)t;
	return e;
}

static void put(struct test *t, struct view_writer *w, str ns, str name, str node)
{
	struct entry *before = view_put(w, pod(t, ns, name, node));

	if (before)
		entry_drop(before);
}

static void drop(struct view_writer *w, str ns, str name)
{
	struct entry *before = view_remove(w, ns, name);

	if (before)
		entry_drop(before);
}

/* "a/x b/y" of what a walk gives. */
static str names(struct test *t, struct view_walk w)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	view_each(const struct pod *, p, &w) buf_add_fmt(&b, "%s%.*s/%.*s", b.len ? " " : "",
		STR_ARG(p->metadata.namespace), STR_ARG(p->metadata.name));
	return test_take(t, &b);
}

static const str any = {NULL, 0};

TEST(view_walks_in_order_and_by_index)
{
	struct view_writer w;

	view_writer_init(&w, indexes, COUNT_OF(indexes));
	put(t, &w, STR("b"), STR("2"), STR("n1"));
	put(t, &w, STR("a"), STR("9"), STR("n2"));
	put(t, &w, STR("b"), STR("1"), STR("n1"));
	put(t, &w, STR("a"), STR("10"), STR(""));
	struct view *v = view_publish(&w);

	CHECK_STR(names(t, view_all(v, any)), "a/10 a/9 b/1 b/2");
	CHECK_STR(names(t, view_all(v, STR("b"))), "b/1 b/2");
	CHECK_STR(names(t, view_all(v, STR("c"))), "");
	CHECK_STR(names(t, view_by(v, 0, STR("n1"), any)), "b/1 b/2");
	CHECK_STR(names(t, view_by(v, 0, STR(""), any)), "a/10");
	CHECK_STR(names(t, view_by(v, 0, STR("n2"), STR("b"))), "");
	CHECK_INT(v->len, 4);
	CHECK(view_get(v, STR("a"), STR("9")) != NULL);
	CHECK(view_get(v, STR("a"), STR("8")) == NULL);
	view_drop(v);
	view_writer_free(&w);
}

TEST(view_stays_what_it_was_when_the_cache_goes_on)
{
	struct view_writer w;

	view_writer_init(&w, indexes, COUNT_OF(indexes));
	put(t, &w, STR("a"), STR("1"), STR("n1"));
	put(t, &w, STR("a"), STR("2"), STR("n1"));
	struct view *before = view_publish(&w);

	put(t, &w, STR("a"), STR("1"), STR("n2"));
	drop(&w, STR("a"), STR("2"));
	drop(&w, STR("a"), STR("nobody"));
	struct view *after = view_publish(&w);

	view_writer_free(&w);
	CHECK_STR(names(t, view_all(before, any)), "a/1 a/2");
	CHECK_STR(names(t, view_by(before, 0, STR("n1"), any)), "a/1 a/2");
	CHECK_STR(names(t, view_all(after, any)), "a/1");
	CHECK_STR(names(t, view_by(after, 0, STR("n1"), any)), "");
	CHECK_STR(names(t, view_by(after, 0, STR("n2"), any)), "a/1");
	view_drop(before);
	view_drop(after);
}

enum { MANY = 2000 };

TEST(view_holds_many_whatever_their_order)
{
	struct view_writer w;
	bool there[MANY] = {false};
	struct random r;
	size_t count = 0;

	random_repeatable(&r, 1);
	view_writer_init(&w, indexes, COUNT_OF(indexes));
	for (int i = 0; i < 5 * MANY; i++) {
		size_t which = (size_t)random_below(&r, MANY);
		str name = arena_fmt(&t->arena, "%05zu", which);

		if (random_below(&r, 3) == 0) {
			drop(&w, STR("a"), name);
			count -= there[which];
			there[which] = false;
		} else {
			put(t, &w, STR("a"), name, STR("n"));
			count += !there[which];
			there[which] = true;
		}
	}
	struct view *v = view_publish(&w);
	struct view_walk all = view_all(v, any), on = view_by(v, 0, STR("n"), any);
	size_t seen = 0, last = 0;

	view_each(const struct pod *, p, &all)
	{
		int64_t which;

		REQUIRE(str_to_i64(p->metadata.name, &which));
		CHECK(there[which] && (seen == 0 || (size_t)which > last));
		CHECK(view_next(&on) == p);
		last = (size_t)which;
		seen++;
	}
	CHECK_INT(seen, count);
	CHECK_INT(v->len, count);
	view_drop(v);
	view_writer_free(&w);
}

/* --- readers on other threads, while the cache changes */

struct shared {
	pthread_mutex_t lock;
	struct view *view;
	atomic_bool over;
	atomic_int wrong;
};

static struct view *pin(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
	struct view *v = s->view;

	view_take(v);
	pthread_mutex_unlock(&s->lock);
	return v;
}

static void *read_all(void *shared)
{
	struct shared *s = shared;

	while (!atomic_load(&s->over)) {
		struct view *v = pin(s);
		struct view_walk all = view_all(v, any);
		size_t seen = 0;

		view_each(const struct pod *, p, &all) seen += p->metadata.name.len > 0;
		if (seen != v->len)
			atomic_fetch_add(&s->wrong, 1);
		view_drop(v);
	}
	return NULL;
}

enum { READERS = 3, CHANGES = 300 };

TEST(view_is_read_by_many_while_it_changes)
{
	struct shared s = {.wrong = 0};
	pthread_t readers[READERS];
	struct view_writer w;

	pthread_mutex_init(&s.lock, NULL);
	view_writer_init(&w, indexes, COUNT_OF(indexes));
	s.view = view_publish(&w);
	for (size_t i = 0; i < READERS; i++)
		REQUIRE(pthread_create(&readers[i], NULL, read_all, &s) == 0);
	for (int i = 0; i < CHANGES; i++) {
		str name = arena_fmt(&t->arena, "%d", i % 50);

		if (i % 7 == 3)
			drop(&w, STR("a"), name);
		else
			put(t, &w, STR("a"), name, STR("n"));
		struct view *now = view_publish(&w), *before;

		pthread_mutex_lock(&s.lock);
		before = s.view;
		s.view = now;
		pthread_mutex_unlock(&s.lock);
		view_drop(before);
	}
	atomic_store(&s.over, true);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	CHECK_INT(s.wrong, 0);
	view_drop(s.view);
	view_writer_free(&w);
	pthread_mutex_destroy(&s.lock);
}
