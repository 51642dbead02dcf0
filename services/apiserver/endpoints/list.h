/*
 * Between the files of LIST: which objects (list.c), how they are written (list_write.c), and how a
 * long list goes out as fast as its reader takes it (list_stream.c).
 */
#pragma once

#include "apiserver/endpoints/request.h"

struct gzip;

struct listing {
	struct request *r;
	struct list_options *options;
	struct selection selection;
	struct snapshot *snapshot;
	int64_t revision;
	int64_t limit; /* 0: none */
	str after;
	bool from_token;
	const struct stored **items; /* borrowed from the snapshot */
	void **objects;              /* in their place: decoded, of the stored version */
	size_t count, cap;
	struct list_meta meta;
	size_t written; /* items that a stream has sent */
	struct gzip *gzip;
};

/* Fills r->answer with all of it. */
NODISCARD int list_write(struct listing *l, struct err *e);

/* The parts of a list: what stands before the items, one item, the end. */
NODISCARD int list_put_head(struct listing *l, struct buf *to, struct err *e);
NODISCARD int list_put_item(struct listing *l, size_t i, struct buf *to, struct err *e);
void list_put_tail(const struct listing *l, struct buf *to);

/* Whether it is long, and in a form whose parts can be written one after the other. */
bool list_streams(const struct listing *l);

/* Answers on the loop's thread; drops the snapshot when all is sent or the peer is gone. */
void list_stream(struct listing *l);
