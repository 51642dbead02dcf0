#include "setup/volume.h"

#include "lib/base/test.h"

static char *head(struct test *t)
{
	return arena_get(&t->arena, VOLUME_HEAD_BYTES);
}

static struct volume_content look(const char *at)
{
	struct volume_content c;

	volume_content(str_span(at, VOLUME_HEAD_BYTES), &c);
	return c;
}

TEST(volume_knows_file_systems_by_their_first_bytes)
{
	char *at = head(t);

	CHECK_INT(look(at).kind, VOLUME_EMPTY);
	memcpy(at + 1080, "\x53\xef", 2);
	memcpy(at + 1144, "CORACLE-STATE", 13);
	CHECK_INT(look(at).kind, VOLUME_EXT4);
	CHECK_STR(look(at).label, "CORACLE-STATE");
	at = head(t);
	memcpy(at + 510, "\x55\xaa", 2);
	CHECK_INT(look(at).kind, VOLUME_OTHER); /* a partition table */
	memcpy(at + 82, "FAT32   ", 8);
	memcpy(at + 71, "CORACLE-CFG", 11);
	CHECK_INT(look(at).kind, VOLUME_FAT);
	CHECK_STR(look(at).label, "CORACLE-CFG");
	at = head(t);
	memcpy(at + 510, "\x55\xaa", 2);
	memcpy(at + 54, "FAT16   ", 8);
	memcpy(at + 43, "A LABEL    ", 11);
	CHECK_STR(look(at).label, "A LABEL");
	at = head(t);
	memcpy(at + 32769, "CD001", 5);
	memset(at + 32808, ' ', 32);
	memcpy(at + 32808, "CORACLE-CFG", 11);
	CHECK_INT(look(at).kind, VOLUME_ISO9660);
	CHECK_STR(look(at).label, "CORACLE-CFG");
}

TEST(volume_with_anything_on_it_is_not_empty)
{
	char *at = head(t);
	struct volume_content c;

	at[VOLUME_HEAD_BYTES - 1] = 1;
	CHECK_INT(look(at).kind, VOLUME_OTHER);
	volume_content(STR(""), &c);
	CHECK_INT(c.kind, VOLUME_OTHER);
	volume_content(STR("short"), &c);
	CHECK_INT(c.kind, VOLUME_OTHER);
}
