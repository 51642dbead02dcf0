/*
 * Answers that are no object: meta/v1 Status, in the words of apimachinery/pkg/api/errors. Each
 * function fills `e` with the kind, the message and, as its detail, the Status; all return -1, so
 * that a function ends with `return status_...(...)`.
 *
 * Ownership: the Status lives in the arena, which must live as long as `e` is asked for it.
 */
#pragma once

#include "api/meta_v1.h"
#include "lib/base/arena.h"

struct causes;

/* What the answer is about: "deployments.apps", or a kind for an object that is invalid. */
struct status_subject {
	str group, resource, name; /* name may be absent */
};

enum status_reason {
	STATUS_BAD_REQUEST,
	STATUS_UNAUTHORIZED,
	STATUS_FORBIDDEN,
	STATUS_NOT_FOUND,
	STATUS_ALREADY_EXISTS,
	STATUS_CONFLICT,
	STATUS_INVALID,
	STATUS_METHOD_NOT_ALLOWED,
	STATUS_NOT_ACCEPTABLE,
	STATUS_UNSUPPORTED_MEDIA_TYPE,
	STATUS_REQUEST_ENTITY_TOO_LARGE,
	STATUS_EXPIRED,
	STATUS_TOO_MANY_REQUESTS,
	STATUS_INTERNAL_ERROR,
	STATUS_UNKNOWN,        /* 500 without a reason: a fault that has no name of its own */
	STATUS_SERVER_TIMEOUT, /* try again: 500 with Retry-After */
	STATUS_SERVICE_UNAVAILABLE,
	STATUS_TIMEOUT,
	STATUS_REASON_COUNT
};

/* Any Status with HTTP's code of its reason and this message. */
int status_fail(struct arena *a, struct err *e, enum status_reason reason, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* The same with details that are empty: what the server says before it knows what is asked for. */
int status_generic(struct arena *a, struct err *e, enum status_reason reason, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* pods "x" not found; pods "x" already exists; pods "x" is forbidden: why;
 * Operation cannot be fulfilled on pods "x": why. */
int status_not_found(struct arena *a, struct err *e, struct status_subject s);
int status_already_exists(struct arena *a, struct err *e, struct status_subject s);
int status_forbidden(struct arena *a, struct err *e, struct status_subject s, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
int status_conflict(struct arena *a, struct err *e, struct status_subject s, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
int status_method_not_supported(
	struct arena *a, struct err *e, struct status_subject s, str action);

/* Pod "x" is invalid: [cause, cause]; `s.resource` is the kind. */
int status_invalid(struct arena *a, struct err *e, struct status_subject s, const struct causes *c);

/* The Status under construction, to add what few answers have: causes, retryAfterSeconds. */
struct status *status_detail(const struct err *e);
void status_add_cause(struct arena *a, struct err *e, str reason, str message, str field);
void status_retry_after(struct arena *a, struct err *e, int32_t seconds);

/* The whole answer: what `e` holds as detail, else made from its kind and text. */
const struct status *status_of(struct arena *a, const struct err *e);

/* A Status that another server sent, as an error of ours: its detail is `s`. Returns -1. */
int status_received(const struct status *s, struct err *e);

/* "Success", for a deletion: details name the object. */
struct status *status_success(struct arena *a, struct status_subject s, str uid);

/* The name of a reason as clients know it: "NotFound"; false when it is none of ours. */
str status_reason_name(enum status_reason reason);
bool status_reason_of(str name, enum status_reason *to);
bool status_is(const struct err *e, enum status_reason reason);
