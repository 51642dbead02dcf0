#include "lib/client/watch_frame.h"

#include "lib/base/test.h"

#define BYTES(text) str_span(text, sizeof(text) - 1)

TEST(watch_frames_are_cut_when_they_are_whole)
{
	str rest = BYTES("\0\0\0\2ab\0\0\0\0\0\0\1\0x"), frame;
	struct err e;

	REQUIRE_OK(watch_frame_cut(&rest, &frame, &e), &e);
	CHECK_STR(frame, "ab");
	REQUIRE_OK(watch_frame_cut(&rest, &frame, &e), &e);
	CHECK(frame.at && frame.len == 0);
	REQUIRE_OK(watch_frame_cut(&rest, &frame, &e), &e);
	CHECK(!frame.at);
	CHECK_INT(rest.len, 5);
	rest = BYTES("\0\0\0");
	REQUIRE_OK(watch_frame_cut(&rest, &frame, &e), &e);
	CHECK(!frame.at);
	CHECK_INT(rest.len, 3);
}

TEST(watch_frames_have_a_limit)
{
	str rest = BYTES("\4\0\0\1"), frame;
	struct err e;

	CHECK_FAILS(watch_frame_cut(&rest, &frame, &e), &e, ERR_LIMIT,
		"a watch event of 67108865 bytes");
}
