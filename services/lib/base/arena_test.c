#include "lib/base/arena.h"
#include "lib/base/test.h"

TEST(arena_gives_zeroed_aligned_memory_of_its_own)
{
	struct arena a;
	char *at[200];

	arena_init(&a, ARENA_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(at); i++) {
		size_t size = i * 37;

		at[i] = arena_get(&a, size);
		CHECK_INT((uintptr_t)at[i] % 16, 0);
		for (size_t k = 0; k < size; k++)
			REQUIRE(at[i][k] == 0);
		memset(at[i], (int)i, size);
	}
	for (size_t i = 0; i < COUNT_OF(at); i++)
		CHECK(i == 0 || at[i][i * 37 - 1] == (char)i);
	arena_free(&a);
}

TEST(arena_reset_hands_out_zeroes_again)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	for (int round = 0; round < 3; round++) {
		char *at = arena_get(&a, 3000);

		CHECK_INT(at[0] | at[2999], 0);
		memset(at, 0xff, 3000);
		arena_get(&a, 100000);
		arena_reset(&a);
		CHECK_INT(a.used_bytes, 0);
	}
	arena_free(&a);
}

TEST(arena_try_stops_at_the_limit_and_arena_get_does_not)
{
	struct arena a;

	arena_init(&a, 64);
	CHECK(arena_try(&a, 48) != NULL);
	CHECK(arena_try(&a, 32) == NULL);
	CHECK(arena_try(&a, 16) != NULL);
	CHECK(arena_try(&a, 1) == NULL);
	CHECK(arena_get(&a, 100) != NULL);
	CHECK(arena_try_array(&a, SIZE_MAX / 2, 3) == NULL);
	arena_free(&a);
}

TEST(arena_grow_keeps_what_was_there)
{
	struct arena a;
	int *numbers = NULL;
	size_t cap = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	for (int i = 0; i < 1000; i++) {
		REQUIRE(arena_grow(&a, (void **)&numbers, (size_t)i, &cap, sizeof(*numbers)) == 0);
		numbers[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		CHECK_INT(numbers[i], i);
	a.limit_bytes = a.used_bytes;
	CHECK_INT(arena_grow(&a, (void **)&numbers, cap, &cap, sizeof(*numbers)), -1);
	CHECK_INT(numbers[999], 999);
	arena_free(&a);
}

TEST(arena_copies_text_with_a_nul_behind)
{
	struct arena a;
	struct err e;
	str copy;

	arena_init(&a, 16);
	CHECK_OK(arena_str_try(&a, STR("seven"), &copy, &e), &e);
	CHECK_STR(copy, "seven");
	CHECK_INT(copy.at[5], 0);
	CHECK_FAILS(arena_str_try(&a, STR("x"), &copy, &e), &e, ERR_LIMIT, "more than 16 bytes");
	CHECK_STR(copy, "seven");
	CHECK_STR(arena_fmt(&a, "%s-%d", "pod", 7), "pod-7");
	arena_free(&a);
}
