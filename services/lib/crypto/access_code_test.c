#include "lib/crypto/access_code.h"

#include "lib/base/test.h"

TEST(access_code_is_read_as_it_was_shown)
{
	uint8_t hash[ACCESS_CODE_HASH_BYTES] = {
		0x00, 0xff, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 1};
	struct access_code made, back;
	struct random r;
	char text[ACCESS_CODE_CHARS + 1];

	random_repeatable(&r, 7);
	access_code_make(&r, hash, &made);
	access_code_text(&made, text);
	CHECK_INT((int64_t)strlen(text), ACCESS_CODE_CHARS);
	REQUIRE(access_code_read(str_of(text), &back));
	CHECK(memcmp(&made, &back, sizeof(made)) == 0);
	for (char *c = text; *c; c++)
		*c = *c == '-' ? ' ' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	REQUIRE(access_code_read(str_of(text), &back));
	CHECK(memcmp(&made, &back, sizeof(made)) == 0);
}

TEST(access_code_refuses_what_is_none)
{
	static const char *const texts[] = {"", "abcd", "2222-2222-2222-2222-2222-222",
		"2222-2222-2222-2222-2222-22222", "2222-2222-2222-2222-2222-2220",
		"2222-2222-2222-2222-2222-222l", "2222-2222-2222-2222-2222-222\xc3"};
	struct access_code back;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		test_note(t, "%s", texts[i]);
		CHECK(!access_code_read(str_of(texts[i]), &back));
	}
}
