/*
 * Frames of a watch: one event, encoded for the wire, shared by all watchers of one loop that want
 * the same.
 */
#pragma once

#include "apiserver/endpoints/request.h"

enum watch_word { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

struct frame {
	struct counted counted;
	str bytes;
};

/* An object that is at hand decoded, of the request's version or a Status. A new reference. */
NODISCARD int frame_of_object(
	struct request *r, enum watch_word word, void *object, struct frame **to, struct err *e);

/* An object as it is stored; `first` is the frame that shows a Table's columns. */
NODISCARD int frame_of_stored(struct request *r, enum watch_word word, const struct stored *o,
	bool first, struct frame **to, struct err *e);

/* The frame of an event, said in this word; kept for the next watcher of this loop. */
NODISCARD int frame_of_event(struct request *r, enum watch_word word, struct storage_event *ev,
	bool first, struct frame **to, struct err *e);

void frames_forget(struct endpoints_io *io);
