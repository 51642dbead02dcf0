/*
 * What Debian's s6 and skalibs call in glibc and musl does not have: the checked forms that
 * fortified headers put in place of the plain functions, and arc4random_buf. Each keeps glibc's
 * contract: a size that does not fit ends the process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/select.h>

void __explicit_bzero_chk(void *at, size_t len, size_t room);
long __fdelt_chk(long fd);
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __vsnprintf_chk(char *to, size_t len, int flag, size_t room, const char *fmt, va_list args);
void arc4random_buf(void *at, size_t len);

void __explicit_bzero_chk(void *at, size_t len, size_t room)
{
	if (len > room)
		abort();
	explicit_bzero(at, len);
}

long __fdelt_chk(long fd)
{
	if (fd < 0 || fd >= FD_SETSIZE)
		abort();
	return fd / (8 * (long)sizeof(long));
}

int __open_2(const char *path, int flags)
{
	if (flags & O_CREAT)
		abort();
	return open(path, flags);
}

int __openat_2(int dir, const char *path, int flags)
{
	if (flags & O_CREAT)
		abort();
	return openat(dir, path, flags);
}

int __vsnprintf_chk(char *to, size_t len, int flag, size_t room, const char *fmt, va_list args)
{
	(void)flag;
	if (len > room)
		abort();
	return vsnprintf(to, len, fmt, args);
}

void arc4random_buf(void *at, size_t len)
{
	char *next = at;
	while (len) {
		ssize_t n = getrandom(next, len, 0);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			abort();
		}
		next += n;
		len -= (size_t)n;
	}
}
