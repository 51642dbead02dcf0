/*
 * Event recorder: what happened to an object, told to people as Event objects. Similar ones are
 * counted in one Event instead of many, more than ten that differ in their text alone become one
 * "(combined from similar events)", and an object that makes too many is not heard.
 *
 * Recording never blocks: a thread sends; what comes faster than it can send is dropped.
 *
 * Ownership: texts are copied. Threading: any.
 * Source: client-go/tools/record (core/v1), tools/events (events.k8s.io/v1).
 */
#pragma once

#include "lib/client/client.h"

struct events;

enum events_kind {
	EVENTS_CORE,   /* core/v1, as controllers write it */
	EVENTS_SERIES, /* events.k8s.io/v1, as the scheduler writes it */
};

struct events_options {
	struct client *client;
	const struct clock *clock;
	enum events_kind kind;
	str host; /* reportingInstance of a series: "default-scheduler-HOST" */
};

NODISCARD int events_open(const struct events_options *o, struct events **to, struct err *e);

/* Sends what waits first, unless the transport is interrupted. */
void events_close(struct events *v);

struct event_note {
	const char *component; /* "deployment-controller" */
	const char *type;      /* "Normal", "Warning" */
	const char *reason;
	const char *action;                       /* of a series */
	const void *about, *related;              /* objects; related may be NULL */
	const struct object_reference *reference; /* instead of `about` */
};

void events_note(struct events *v, const struct event_note *n, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* What an object is called in a reference. */
struct object_reference events_reference(const void *object);
