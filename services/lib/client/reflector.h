/*
 * Reflector: follows one resource of the API server for ever and tells its sink, in order: all
 * objects of one moment, then every change. It lists by watching (sendInitialEvents), and by pages
 * where the server refuses that; after a broken watch it goes on where it was, after 410 Gone it
 * tells all again.
 *
 * Ownership: the sink's embeds it. Threading: the I/O thread.
 * Source: client-go/tools/cache/reflector.go, KEP-3157.
 */
#pragma once

#include "lib/client/client.h"

struct reflector;

/* Objects live until the function returns. */
struct reflector_sink {
	/* All that was told before is void; what follows up to `complete` is there now. */
	void (*restart)(struct reflector *r);
	void (*complete)(struct reflector *r);

	void (*put)(struct reflector *r, void *object);
	void (*removed)(struct reflector *r, const void *object);

	/* A batch of the above is over, which may be shown to readers. */
	void (*settled)(struct reflector *r);
};

enum reflector_mode { REFLECT_WATCH_LIST, REFLECT_PAGES, REFLECT_WATCH };

struct reflector {
	struct client *client;
	const struct resource *resource;
	const struct type *type; /* of the objects told: the resource's, or PartialObjectMetadata */
	str accept;
	str selector; /* "fieldSelector=..." encoded, for every call; absent: none */
	const struct reflector_sink *sink;

	/* Its own. */
	struct call call;
	struct arena call_arena; /* texts of the call */
	struct buf frames;
	struct loop_timer again;
	enum reflector_mode mode;
	bool calling, filling, no_watch_list, gone;
	char revision[32];
	str page; /* where the next page begins, in page_arena */
	struct arena page_arena;
	int64_t started_ns;
	unsigned failures;
	unsigned random_state;
};

/* The fields above the line are set. */
void reflector_start(struct reflector *r);

/* On the I/O thread; nothing is told any more. */
void reflector_stop(struct reflector *r);
