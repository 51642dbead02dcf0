#include "lib/base/test.h"
#include "lib/os/file.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *scratch_folder(struct test *t)
{
	const char *root = getenv("TMPDIR");
	char *path = arena_get(&t->arena, 4096);

	snprintf(path, 4096, "%s/coracle-file-XXXXXX", root ? root : "/tmp");
	REQUIRE(mkdtemp(path) != NULL);
	return path;
}

static int count_entries(const char *path)
{
	DIR *folder = opendir(path);
	int count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2;
}

TEST(file_comes_back_as_written_with_its_mode)
{
	const char *folder = scratch_folder(t);
	const char *path = arena_fmt(&t->arena, "%s/a", folder).at;
	struct err e;
	struct stat st;
	str back;

	umask(077);
	REQUIRE_OK(file_write(path, 0644, STR("one"), &e), &e);
	REQUIRE_OK(file_write(path, 0640, STR("two\0more"), &e), &e);
	REQUIRE_OK(file_read(&t->arena, path, 100, &back, &e), &e);
	CHECK_BYTES(back, STR("two\0more"));
	CHECK(stat(path, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0640);
	CHECK_INT(count_entries(folder), 1);
	unlink(path);
	rmdir(folder);
}

TEST(file_read_keeps_its_limit)
{
	const char *folder = scratch_folder(t);
	const char *path = arena_fmt(&t->arena, "%s/a", folder).at;
	struct err e;
	str back = STR("untouched");

	REQUIRE_OK(file_write(path, 0644, STR("12345"), &e), &e);
	CHECK_FAILS(file_read(&t->arena, path, 4, &back, &e), &e, ERR_LIMIT, "more than 4 bytes");
	CHECK_STR(back, "untouched");
	CHECK_OK(file_read(&t->arena, path, 5, &back, &e), &e);
	CHECK_STR(back, "12345");
	CHECK_FAILS(file_read(&t->arena, folder, 5, &back, &e), &e, ERR_SYSTEM, "directory");
	unlink(path);
	CHECK_FAILS(file_read(&t->arena, path, 5, &back, &e), &e, ERR_NOT_FOUND, "does not exist");
	rmdir(folder);
}

TEST(file_of_unknown_size_is_read_whole)
{
	struct err e;
	str back;

	REQUIRE_OK(file_read(&t->arena, "/proc/self/status", 1 << 20, &back, &e), &e);
	CHECK(str_find(back, STR("VmRSS")) > 0);
}

TEST(file_that_cannot_be_replaced_leaves_nothing_behind)
{
	const char *folder = scratch_folder(t);
	const char *path = arena_fmt(&t->arena, "%s/taken", folder).at;
	struct err e;

	REQUIRE(mkdir(path, 0755) == 0);
	CHECK_FAILS(file_write(path, 0644, STR("x"), &e), &e, ERR_SYSTEM, "rename");
	CHECK_INT(count_entries(folder), 1);
	CHECK_FAILS(
		file_write("/nonexistent/folder/x", 0644, STR("x"), &e), &e, ERR_SYSTEM, "No such");
	rmdir(path);
	rmdir(folder);
}
