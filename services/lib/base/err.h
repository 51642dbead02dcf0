/*
 * Errors: what kind, and one line for people. A function that can fail returns 0 or -1, takes
 * `struct err *e` last and leaves its outputs untouched on failure. The message names the thing,
 * the reason and, where there is one, the way out.
 *
 * Ownership: the caller's, usually on its stack; no allocation. Never NULL.
 */
#pragma once

#include "lib/base/compiler.h"

/* The kinds that callers tell apart; the API server turns each into one HTTP status and reason. */
enum err_kind {
	ERR_NONE,
	ERR_INVALID, /* the input is malformed or breaks a rule */
	ERR_LIMIT,   /* the input is larger, deeper or longer than allowed */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_CONFLICT,     /* somebody else changed it in between */
	ERR_GONE,         /* too old: compacted, expired */
	ERR_UNAUTHORIZED, /* who are you */
	ERR_FORBIDDEN,    /* you may not */
	ERR_UNSUPPORTED,  /* a form that we do not take: media type, version, algorithm */
	ERR_TIMEOUT,
	ERR_UNAVAILABLE, /* try again: the peer is down or overloaded */
	ERR_CLOSED,      /* the peer or we have ended this connection */
	ERR_SYSTEM,      /* the kernel refused: files, sockets, memory */
	ERR_INTERNAL,    /* ours */
};

struct err {
	enum err_kind kind;
	char text[512]; /* always NUL-terminated; longer messages end in "..." */

	/* The whole answer to a client where one line is too little, in the arena of his request:
	 * lib/api/status.h. Else NULL. */
	const void *detail;
};

/*
 * Sets kind and text, returns -1, so that a function ends with `return err_set(...)`. Macros,
 * so that the compiler sees the -1 and knows that outputs are not looked at then. Who only fills in
 * an error for somebody else calls the functions below.
 */
#define err_set(e, kind, ...) (err_write(e, kind, __VA_ARGS__), -1)

/* The same with ": " and the text of `errnum` behind the message; the kind is ERR_SYSTEM. */
#define err_set_errno(e, errnum, ...) (err_write_errno(e, errnum, __VA_ARGS__), -1)

/* Puts what was being done in front: "reading /etc/x: " + text. Returns -1. */
#define err_context(e, ...) (err_prefix(e, __VA_ARGS__), -1)

void err_write(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4) COLD;
void err_write_errno(struct err *e, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4) COLD;
void err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3) COLD;

/* Ends the function with -1 when the call failed: the one macro here that returns. */
#define TRY(call) \
	do { \
		if ((call) < 0) \
			return -1; \
	} while (0)
