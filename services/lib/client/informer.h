/*
 * Informers: caches of resources, kept up to date by reflectors, read as views (view.h) by any
 * number of threads; handlers hear of every change and put keys into queues.
 *
 * Ownership: a set owns its informers. Threading: views from any thread; handlers are called on the
 * I/O thread after the view that they hear of can be had, and must not block.
 *
 * A handler hears (NULL, now) of what is new, (before, now) of what changed, (before, NULL) of what
 * is gone; objects live until it returns. An object may be gone and new again, or changed twice,
 * and be heard of once. Objects come without managedFields, as upstream's controllers hold them:
 * the server keeps its own when an update has none.
 */
#pragma once

#include "lib/client/client.h"
#include "lib/client/view.h"

struct informer;
struct informers;

struct informer_handler {
	void (*changed)(struct informer_handler *h, const void *before, const void *now);
	struct informer_handler *next; /* the informer's own */
};

/* A key that objects of a type are found by, beside namespace and name. */
struct informer_index {
	enum api_type type;
	view_key *key;
};

/* The client's own token must not need a call: the I/O thread asks for it. */
struct informers_options {
	struct client *client;
	const struct informer_index *indexes;
	size_t index_count;
};

struct informers *informers_new(const struct informers_options *o);

/* With the transport's thread still running. */
void informers_free(struct informers *s);

/* The informer of a kind, made when first asked for. */
struct informer *informers_of(struct informers *s, enum api_type type);

/* The same if there is one already, else NULL. */
struct informer *informers_find(struct informers *s, enum api_type type);

/* One more, of metadata alone: its objects are PartialObjectMetadata. `resource` outlives it. */
struct informer *informers_add_metadata(struct informers *s, const struct resource *resource);

/* Ends and frees one that was added so; returns when nothing of it can be heard any more. */
void informers_remove(struct informers *s, struct informer *i);

/* One that comes after the start hears of all that is there first. */
void informer_handle(struct informer *i, struct informer_handler *h);
void informer_start(struct informer *i);   /* once; again: nothing */
void informers_start(struct informers *s); /* all */

/* Until every one that was started is filled. ERR_CLOSED when the transport is interrupted. */
NODISCARD int informers_wait(struct informers *s, struct err *e);
bool informer_synced(const struct informer *i);

/* This moment: a reference. */
struct view *informer_view(struct informer *i);
const struct resource *informer_resource(const struct informer *i);

/* Which of the view's indexes has this key; there is one. */
size_t informer_index_of(const struct informer *i, view_key *key);

/* Keys that suit every kind: the uid of the controller, or "" where there is none. */
view_key informer_by_controller;
