#include "apiserver/storage/world_test.h"

#include <stdio.h>

TEST(storage_snapshots_are_moments)
{
	struct snapshot *first, *second, *again;
	struct world w;
	int64_t revision;
	struct err e;

	world_begin_filled(t, &w);
	world_put_pod(&w, "a", "x", "");
	world_put_pod(&w, "a-b", "x", "");
	world_change(&w, &(struct world_change){.name = "node"});
	first = storage_snapshot(w.storage, w.pods, &revision);
	CHECK_INT(revision, 13);
	snapshot_keep(first);
	world_remove_pod(&w, "a", "x");
	world_put_pod(&w, "b", "y", "");
	second = storage_snapshot(w.storage, w.pods, &revision);
	CHECK_INT(revision, 15);
	CHECK_INT(snapshot_count(first, (str){NULL, 0}), 2);
	CHECK_INT(snapshot_count(first, STR("a")), 1);
	CHECK_INT(snapshot_count(second, STR("a")), 0);
	CHECK_INT(snapshot_count(second, STR("b")), 1);
	CHECK_INT(snapshot_count(second, STR("none")), 0);

	struct snapshot_walk walk = snapshot_walk(first, (str){NULL, 0}, STR("a-b/x"));

	CHECK_BYTES(snapshot_next(&walk)->ns, STR("a"));
	CHECK(!snapshot_next(&walk));
	walk = snapshot_walk(first, STR("a-b"), (str){NULL, 0});
	CHECK_BYTES(snapshot_next(&walk)->ns, STR("a-b"));
	CHECK(!snapshot_next(&walk));

	/* What was kept is found again by any revision at which nothing had changed yet. */
	REQUIRE_OK(storage_snapshot_at(w.storage, w.pods, 12, &again, &e), &e);
	CHECK(again == first);
	snapshot_drop(again);
	REQUIRE_OK(storage_snapshot_at(w.storage, w.pods, 15, &again, &e), &e);
	CHECK_INT(snapshot_count(again, (str){NULL, 0}), 2);
	snapshot_drop(again);
	snapshot_drop(first);
	snapshot_drop(second);
	world_end(&w);
}

TEST(storage_entries_hold_what_selectors_ask_for)
{
	struct stored *o;
	struct stored_json *json, *again;
	struct world w;
	struct err e;
	void *pod;

	world_begin_filled(t, &w);
	world_put_pod(&w, "a", "x", "n1");
	CHECK(!storage_get(w.storage, w.pods, STR("a"), STR("none")));
	o = storage_get(w.storage, w.pods, STR("a"), STR("x"));
	REQUIRE(o);
	CHECK_INT(o->revision, 11);
	CHECK_BYTES(o->ns, STR("a"));
	CHECK_BYTES(str_map_get(o->labels, STR("app")), STR("x"));
	for (size_t i = 0; o->resource->labels[i].name.at; i++) {
		if (str_eq(o->resource->labels[i].name, STR("spec.nodeName")))
			CHECK_BYTES(o->fields[i], STR("n1"));
		if (str_eq(o->resource->labels[i].name, STR("spec.restartPolicy")))
			CHECK_BYTES(o->fields[i], STR("Always"));
	}
	REQUIRE_OK(stored_decode(&t->arena, o, &pod, &e), &e);
	CHECK_BYTES(((struct pod *)pod)->metadata.resource_version, STR("11"));
	REQUIRE_OK(stored_json(w.storage, o, READER_OF_ONE, &json, &e), &e);
	CHECK(str_starts(json->with_kind,
		STR("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",")));
	CHECK(str_starts(json->rest, STR("\"metadata\":{\"name\":\"x\",")));
	REQUIRE_OK(stored_json(w.storage, o, READER_OF_ONE, &again, &e), &e);
	CHECK(again == json);
	counted_drop(&json->counted);
	counted_drop(&again->counted);
	counted_drop(&o->counted);
	world_end(&w);
}

TEST(storage_json_that_is_kept_is_bounded)
{
	struct json_cache *j = json_cache_new(64 << 10, &clock_system);
	struct stored_json *json, *found;
	size_t kept = 0;
	struct world w;
	struct err e;

	world_begin_filled(t, &w);
	for (int i = 0; i < 400; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);
		world_put_pod(&w, "a", name, "n1");

		struct stored *o = storage_get(w.storage, w.pods, STR("a"), str_of(name));

		REQUIRE_OK(stored_json(w.storage, o, READER_OF_ONE, &json, &e), &e);
		json_cache_put(j, o, READER_OF_ONE, json);
		json_cache_put(j, o, READER_OF_ONE, json);
		counted_drop(&json->counted);
		counted_drop(&o->counted);
	}
	for (int i = 0; i < 400; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);

		struct stored *o = storage_get(w.storage, w.pods, STR("a"), str_of(name));

		found = json_cache_get(j, o);
		if (found) {
			kept += found->with_kind.len;
			CHECK(str_find(found->with_kind, str_of(name)) > 0);
			counted_drop(&found->counted);
		}
		counted_drop(&o->counted);
	}
	CHECK(kept > 16 << 10);
	CHECK(kept < 64 << 10);
	json_cache_free(j);
	world_end(&w);
}

/* How many of the pods' texts were kept from the time before. */
static int read_list(struct test *t, struct world *w, struct json_cache *j, int from, int to)
{
	struct stored_json *json;
	int kept = 0;
	struct err e;

	for (int i = from; i < to; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);

		struct stored *o = storage_get(w->storage, w->pods, STR("a"), str_of(name));

		json = json_cache_get(j, o);
		kept += json != NULL;
		if (!json) {
			REQUIRE_OK(stored_json(w->storage, o, READER_OF_LIST, &json, &e), &e);
			json_cache_put(j, o, READER_OF_LIST, json);
		}
		counted_drop(&json->counted);
		counted_drop(&o->counted);
	}
	return kept;
}

TEST(storage_a_list_larger_than_the_cache_finds_a_part_of_itself)
{
	struct clock_fake clock;
	struct json_cache *j;
	struct world w;
	int kept;

	clock_fake_init(&clock, 0);
	j = json_cache_new(64 << 10, &clock.clock);
	world_begin_filled(t, &w);
	for (int i = 0; i < 800; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);
		world_put_pod(&w, "a", name, "n1");
	}
	CHECK_INT(read_list(t, &w, j, 0, 400), 0);
	kept = read_list(t, &w, j, 0, 400);
	CHECK(kept > 40);
	CHECK(kept < 400);
	CHECK_INT(read_list(t, &w, j, 400, 800), 0);
	CHECK_INT(read_list(t, &w, j, 0, 400), kept);
	clock_fake_advance(&clock, 11 * NS_PER_S);
	CHECK_INT(read_list(t, &w, j, 400, 800), 0);
	CHECK(read_list(t, &w, j, 400, 800) > 40);
	json_cache_free(j);
	world_end(&w);
}

TEST(storage_counts_what_it_holds)
{
	struct buf text;
	struct world w;

	world_begin_filled(t, &w);
	world_put_pod(&w, "a", "x", "");
	world_put_pod(&w, "a", "y", "");
	world_remove_pod(&w, "a", "x");
	buf_init(&text, BUF_NO_LIMIT);
	metrics_write(w.metrics, &text);

	str all = test_take(t, &text);

	CHECK(str_find(all, STR("apiserver_storage_objects{resource=\"pods\"} 1\n")) > 0);
	CHECK(str_find(all, STR("apiserver_storage_objects{resource=\"deployments.apps\"} 0\n")) >
		0);
	CHECK(str_find(all,
		      STR("apiserver_storage_events_received_total{group=\"\","
			  "resource=\"pods\"} 3\n")) > 0);
	world_end(&w);
}

/* --- waits */

struct waiting {
	struct storage_wait wait;
	struct err error;
	bool done;
};

static void wait_done(struct storage_wait *w, const struct err *e)
{
	struct waiting *g = CONTAINER_OF(w, struct waiting, wait);

	g->done = true;
	g->error.kind = ERR_NONE;
	if (e)
		g->error = *e;
}

static void wait_for(struct world *w, struct waiting *g, int64_t revision)
{
	*g = (struct waiting){.wait = {.done = wait_done, .loop = &w->loop, .revision = revision}};
	storage_wait(w->storage, &g->wait);
}

static void turn_until_done(struct world *w, const struct waiting *g)
{
	while (!g->done)
		loop_turn(&w->loop, true);
}

TEST(storage_waits_end_with_the_revision_or_the_time)
{
	int64_t by_ns = 4 * NS_PER_S;
	struct waiting present, soon, never, unasked;
	struct world w;

	world_begin_filled(t, &w);
	wait_for(&w, &present, WORLD_FIRST);
	turn_until_done(&w, &present);
	CHECK_INT(present.error.kind, ERR_NONE);

	wait_for(&w, &soon, 11);
	wait_for(&w, &never, 99);
	wait_for(&w, &unasked, 0);
	world_put_pod(&w, "a", "x", "");
	turn_until_done(&w, &soon);
	CHECK_INT(soon.error.kind, ERR_NONE);
	CHECK(!never.done);
	world_pass(&w, by_ns);
	turn_until_done(&w, &never);
	CHECK_INT(never.error.kind, ERR_TIMEOUT);
	CHECK_STR(str_of(never.error.text), "Too large resource version: 99, current: 11");
	turn_until_done(&w, &unasked);
	CHECK_INT(unasked.error.kind, ERR_UNAVAILABLE);

	/* What waits when the storage is closed hears so. */
	wait_for(&w, &never, 99);
	storage_io_close(w.io);
	storage_close(w.storage);
	turn_until_done(&w, &never);
	CHECK_INT(never.error.kind, ERR_CLOSED);
	loop_free(&w.loop);
	metrics_free(w.metrics);
}

TEST(storage_that_is_not_filled_says_so)
{
	struct storage_watch early = {.resource = resource_find(STR(""), STR("v1"), STR("pods"))};
	int64_t revision = 0, by_ns = 4 * NS_PER_S;
	struct waiting waiting;
	struct world w;
	struct err e;

	world_begin(t, &w);
	CHECK_FAILS(storage_watch_start(w.io, &early, &revision, NULL, &e), &e, ERR_UNAVAILABLE,
		"initializing");
	CHECK_FAILS(storage_ready(w.storage, &e), &e, ERR_UNAVAILABLE, "etcd");
	wait_for(&w, &waiting, 5);
	world_pass(&w, by_ns);
	turn_until_done(&w, &waiting);
	CHECK_INT(waiting.error.kind, ERR_UNAVAILABLE);
	world_end(&w);
}
