#include "lib/base/test.h"
#include "lib/value/uuid.h"

TEST(uuid_has_the_form_of_version_4)
{
	struct random r;

	random_repeatable(&r, 1);
	str first = uuid_new(&r, &t->arena), second = uuid_new(&r, &t->arena);

	CHECK(!str_eq(first, second));
	CHECK_INT(first.len, UUID_CHARS);
	for (size_t i = 0; i < first.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		CHECK(dash ? first.at[i] == '-' : str_hex_digit(first.at[i]) >= 0);
	}
	CHECK(first.at[14] == '4');
	CHECK(strchr("89ab", first.at[19]));
}
