/*
 * What the recorder remembers of events that it sent, to count instead of sending again: the
 * EventCorrelator of client-go/tools/record. Threading: the recorder's thread.
 */
#pragma once

#include "api/kinds.h"
#include "lib/base/clock.h"

struct events_similar;

struct occurrence {
	str component, type, reason, action, message;
	struct object_reference about, *related;
	int64_t wall_ns;
};

/* What is known of an occurrence; texts live until the next look. */
struct similar {
	str name; /* of the Event that counts it; empty: there is none yet */
	str message;
	int32_t count;
	int64_t first_ns;
};

struct events_similar *events_similar_new(const struct clock *c);
void events_similar_free(struct events_similar *s);

/*
 * False if nothing is to be sent: the object has had its share (25 events, then one in five
 * minutes), or a series has been told of within six minutes.
 */
bool events_similar_look(
	struct events_similar *s, const struct occurrence *o, bool series, struct similar *to);

/* The Event that stands for the occurrence looked at last is called so. */
void events_similar_name(struct events_similar *s, str name);
