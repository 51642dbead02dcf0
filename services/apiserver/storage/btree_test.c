#include "apiserver/storage/btree.h"
#include "lib/base/clock.h"
#include "lib/base/test.h"

#include <stdio.h>
#include <stdlib.h>

/* The tree against a plain array, by random operations, with snapshots held meanwhile. */

enum {
	KEYS = 700,
	OPERATIONS = 30000,
	SNAPSHOTS = 8,
	KEY_BYTES = 32,
};

struct keyed {
	struct stored stored;
	char text[KEY_BYTES];
};

struct model {
	struct btree_node *root;
	int64_t present[KEYS]; /* revision; 0: absent */
};

static _Atomic int living;

static void destroy(struct counted *c)
{
	living--;
	free(CONTAINER_OF(c, struct keyed, stored.counted));
}

/* Namespaces whose names continue each other's, where the order of keys is not that of pairs. */
static void name_key(int i, char to[KEY_BYTES])
{
	static const char *const namespaces[] = {"a", "a-b", "a.b", "a0", "ab"};

	snprintf(to, KEY_BYTES, "%s/n%04d", namespaces[i % 5], i / 5);
}

static struct stored *make(int i, int64_t revision)
{
	struct keyed *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	name_key(i, o->text);
	o->stored.name = str_of(o->text);
	o->stored.ns = str_cut(&o->stored.name, '/');
	o->stored.revision = revision;
	counted_init(&o->stored.counted, destroy);
	living++;
	return &o->stored;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The keys that are there, in their order. */
static size_t sorted_keys(const int64_t present[KEYS], char to[KEYS][KEY_BYTES])
{
	size_t len = 0;

	for (int i = 0; i < KEYS; i++)
		if (present[i])
			name_key(i, to[len++]);
	qsort(to, len, KEY_BYTES, by_key);
	return len;
}

static void check_same(struct test *t, const struct btree_node *root, const int64_t present[KEYS])
{
	static char keys[KEYS][KEY_BYTES];
	size_t len = sorted_keys(present, keys);
	struct snapshot_walk w = {0};
	bool same = true;

	CHECK_INT(btree_count(root), len);
	btree_walk(root, STR(""), &w);
	for (size_t i = 0; i < len; i++) {
		const struct stored *o = btree_next(&w);

		same &= o && str_eq(stored_key(o), str_of(keys[i]));
		same &= btree_rank(root, str_of(keys[i])) == i;
	}
	CHECK(same);
	CHECK(!btree_next(&w));
	for (int i = 0; i < KEYS; i++) {
		char key[KEY_BYTES];

		name_key(i, key);

		const struct stored *o = btree_find(root, str_of(key));

		same &= (o ? o->revision : 0) == present[i];
	}
	CHECK(same);
}

static void operate(struct model *m, int i, bool remove, int64_t revision, struct test *t)
{
	struct stored *before;
	char key[KEY_BYTES];

	name_key(i, key);
	before = remove ? btree_remove(&m->root, str_of(key))
			: btree_put(&m->root, make(i, revision));
	CHECK_INT(before ? before->revision : 0, m->present[i]);
	if (before)
		counted_drop(&before->counted);
	m->present[i] = remove ? 0 : revision;
}

TEST(btree_agrees_with_a_plain_array_and_its_snapshots_stay)
{
	struct model m = {0}, kept[SNAPSHOTS] = {0};
	struct random r;

	random_repeatable(&r, 7);
	for (int64_t n = 1; n <= OPERATIONS; n++) {
		/* Phases that grow, and phases that shrink to nothing. */
		bool shrinks = n / (OPERATIONS / 6) % 2;

		operate(&m, (int)random_below(&r, KEYS), random_below(&r, 10) < (shrinks ? 9 : 3),
			n, t);
		if (n % 500 == 0) {
			struct model *k = &kept[n / 500 % SNAPSHOTS];

			check_same(t, k->root, k->present);
			btree_drop(k->root);
			*k = m;
			btree_take(k->root);
			check_same(t, m.root, m.present);
		}
	}
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		check_same(t, kept[i].root, kept[i].present);
		btree_drop(kept[i].root);
	}
	btree_drop(m.root);
	CHECK_INT(living, 0);
}

TEST(btree_filled_in_order_and_emptied_from_either_end)
{
	for (int backwards = 0; backwards < 2; backwards++) {
		static char keys[KEYS][KEY_BYTES];
		struct model m = {0};
		int64_t all[KEYS];

		for (int i = 0; i < KEYS; i++)
			operate(&m, i, false, i + 1, t);
		memcpy(all, m.present, sizeof(all));
		check_same(t, m.root, m.present);
		sorted_keys(all, keys);
		for (int i = 0; i < KEYS; i++) {
			struct stored *o = btree_remove(
				&m.root, str_of(keys[backwards ? KEYS - 1 - i : i]));

			REQUIRE(o);
			counted_drop(&o->counted);
			CHECK_INT(btree_count(m.root), KEYS - 1 - i);
		}
		CHECK(!m.root);
	}
	CHECK_INT(living, 0);
}

TEST(btree_walk_begins_anywhere)
{
	struct model m = {0};
	struct snapshot_walk w = {0};

	for (int i = 0; i < KEYS; i++)
		operate(&m, i, false, i + 1, t);
	btree_walk(m.root, STR("a.b/"), &w);
	CHECK_BYTES(stored_key(btree_next(&w)), STR("a.b/n0000"));
	btree_walk(m.root, str_span("a.b/n0000\0", 10), &w);
	CHECK_BYTES(stored_key(btree_next(&w)), STR("a.b/n0001"));
	btree_walk(m.root, STR("b"), &w);
	CHECK(!btree_next(&w));
	btree_walk(NULL, STR(""), &w);
	CHECK(!btree_next(&w));
	/* Of one namespace: from its slash up to the character behind that. */
	CHECK_INT(btree_rank(m.root, STR("a0")) - btree_rank(m.root, STR("a/")), KEYS / 5);
	btree_drop(m.root);
}
