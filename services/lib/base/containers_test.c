#include "lib/base/buf.h"
#include "lib/base/counted.h"
#include "lib/base/map.h"
#include "lib/base/test.h"

#include <stdlib.h>

TEST(buf_takes_bytes_numbers_and_formats)
{
	struct buf b;
	struct err e;

	buf_init(&b, 1000);
	buf_add_str(&b, STR("pods="));
	buf_add_i64(&b, INT64_MIN);
	buf_add_char(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_add_fmt(&b, " %s", "end");
	CHECK_BYTES(buf_str(&b), STR("pods=-9223372036854775808 18446744073709551615 end"));
	buf_drop(&b, 5);
	CHECK(str_starts(buf_str(&b), STR("-9223")));
	CHECK_OK(buf_ok(&b, "the answer", &e), &e);
	buf_free(&b);
}

TEST(buf_remembers_that_it_overflowed)
{
	struct buf b;
	struct err e;

	buf_init(&b, 10);
	buf_add(&b, "123456789", 9);
	buf_add(&b, "ab", 2);
	buf_add(&b, "c", 1);
	CHECK_BYTES(buf_str(&b), STR("123456789c"));
	CHECK_FAILS(
		buf_ok(&b, "the answer", &e), &e, ERR_LIMIT, "the answer is larger than 10 bytes");
	buf_reset(&b);
	CHECK_OK(buf_ok(&b, "the answer", &e), &e);
	buf_free(&b);
}

TEST(map_agrees_with_a_plain_array)
{
	enum { KEYS = 400, STEPS = 20000 };

	static char names[KEYS][16];
	int *values[KEYS] = {0}, numbers[KEYS];
	struct map m;
	size_t live = 0;
	uint32_t random = 1;

	map_init(&m);
	for (int i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof(names[i]), "k%d", i);
	for (int step = 0; step < STEPS; step++) {
		random = random * 1664525 + 1013904223;
		size_t i = (random >> 8) % KEYS;
		str key = str_of(names[i]);

		if (random >> 31) {
			CHECK(map_put(&m, key, &numbers[i]) == values[i]);
			live += values[i] == NULL;
			values[i] = &numbers[i];
		} else {
			CHECK(map_remove(&m, key) == values[i]);
			live -= values[i] != NULL;
			values[i] = NULL;
		}
		REQUIRE(m.len == live);
	}
	for (int i = 0; i < KEYS; i++)
		CHECK(map_get(&m, str_of(names[i])) == values[i]);
	size_t seen = 0;

	map_each (&m, entry) {
		CHECK(map_get(&m, entry->key) == entry->value);
		seen++;
	}
	CHECK_INT(seen, live);
	map_free(&m);
	CHECK(map_get(&m, STR("k1")) == NULL);
}

/* First values of the reference vectors for SipHash-1-3 with key 00 01 .. 0f and input 00 01 .. */
TEST(hash_keyed_is_siphash_1_3)
{
	static const uint64_t wanted[] = {0xabac0158050fc4dc, 0xc9f49bf37d57ca93,
		0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb, 0xcf75576088d38328, 0xdef9d52f49533b67,
		0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e};
	const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	char input[16];

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (char)i;
	for (size_t len = 0; len < COUNT_OF(wanted); len++)
		CHECK(hash_keyed(key, str_span(input, len)) == wanted[len]);
}

TEST(hash_fnv32a_is_the_known_one)
{
	CHECK_INT(hash_fnv32a(HASH_FNV32A_START, STR("")), 0x811c9dc5);
	CHECK_INT(hash_fnv32a(HASH_FNV32A_START, STR("foobar")), 0xbf9cf968);
}

struct thing {
	struct counted counted;
	int *destroyed;
};

static void destroy(struct counted *c)
{
	struct thing *thing = CONTAINER_OF(c, struct thing, counted);

	++*thing->destroyed;
	free(thing);
}

TEST(counted_object_goes_with_its_last_reference)
{
	struct thing *thing = malloc(sizeof(*thing));
	int destroyed = 0;

	REQUIRE(thing != NULL);
	thing->destroyed = &destroyed;
	counted_init(&thing->counted, destroy);
	counted_take(&thing->counted);
	counted_drop(&thing->counted);
	CHECK_INT(destroyed, 0);
	counted_drop(&thing->counted);
	CHECK_INT(destroyed, 1);
}
