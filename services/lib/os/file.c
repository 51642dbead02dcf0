#include "lib/os/file.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, struct buf *to, struct err *e);
static int replace(int folder, const char *temporary, const char *name, mode_t mode, str content,
	struct err *e);

int file_read(struct arena *a, const char *path, size_t limit_bytes, str *to, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf content;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "%s does not exist", path);
	if (fd < 0)
		return err_set_errno(e, errno, "opening %s", path);
	buf_init(&content, limit_bytes + 1);
	int result = read_all(fd, &content, e);

	if (result == 0 && (content.overflowed || content.len > limit_bytes))
		result = err_set(e, ERR_LIMIT, "holds more than %zu bytes", limit_bytes);
	if (result == 0)
		result = arena_str_try(a, buf_str(&content), to, e);
	close(fd);
	buf_free(&content);
	return result < 0 ? err_context(e, "reading %s", path) : 0;
}

int file_write(const char *path, mode_t mode, str content, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct arena scratch;
	struct random random;
	uint32_t unique;

	arena_init(&scratch, ARENA_NO_LIMIT);
	random_system(&random);
	random.fill(&random, &unique, sizeof(unique));

	str temporary = arena_fmt(&scratch, ".%s.%08x.tmp", name, unique);
	str above = slash ? str_span(path, (size_t)(slash - path) + 1) : STR(".");
	int folder = open(arena_str(&scratch, above).at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (folder < 0) {
		result = err_set_errno(e, errno, "opening its folder");
	} else {
		result = replace(folder, temporary.at, name, mode, content, e);
		close(folder);
	}
	arena_free(&scratch);
	return result < 0 ? err_context(e, "writing %s", path) : 0;
}

static int read_all(int fd, struct buf *to, struct err *e)
{
	char part[16384];

	while (!to->overflowed) {
		ssize_t got = read(fd, part, sizeof(part));

		if (got == 0)
			break;
		if (got > 0)
			buf_add(to, part, (size_t)got);
		else if (errno != EINTR)
			return err_set_errno(e, errno, "read");
	}
	return 0;
}

static int write_all(int fd, str content, struct err *e)
{
	for (size_t done = 0; done < content.len;) {
		ssize_t put = write(fd, content.at + done, content.len - done);

		if (put >= 0)
			done += (size_t)put;
		else if (errno != EINTR)
			return err_set_errno(e, errno, "write");
	}
	return 0;
}

static int fill(int fd, mode_t mode, str content, struct err *e)
{
	TRY(write_all(fd, content, e));
	if (fchmod(fd, mode) < 0)
		return err_set_errno(e, errno, "setting its mode");
	if (fsync(fd) < 0)
		return err_set_errno(e, errno, "fsync");
	return 0;
}

static int replace(int folder, const char *temporary, const char *name, mode_t mode, str content,
	struct err *e)
{
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set_errno(e, errno, "creating a file beside it");
	int result = fill(fd, mode, content, e);

	if (close(fd) < 0 && result == 0)
		result = err_set_errno(e, errno, "close");
	if (result == 0 && renameat(folder, temporary, folder, name) < 0)
		result = err_set_errno(e, errno, "rename");
	if (result < 0) {
		unlinkat(folder, temporary, 0);
		return -1;
	}
	return fsync(folder) < 0 ? err_set_errno(e, errno, "fsync of its folder") : 0;
}
