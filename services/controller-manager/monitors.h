/*
 * Monitors: every resource that the server has and that can be listed, watched and deleted, custom
 * ones too, followed by its metadata, or by the cache that other controllers use where there is
 * one. Events are left out.
 *
 * Lifetimes: the program's. Threading: any; listeners are called on the I/O thread and must not
 * block.
 * Source: the monitors of pkg/controller/garbagecollector and pkg/controller/resourcequota.
 */
#pragma once

#include "lib/client/informer.h"

struct monitors;

/* One resource that is followed. */
struct monitor {
	struct resource resource;
	str api_version;
};

/* As informer_handler's. */
struct monitor_listener {
	void (*changed)(struct monitor_listener *l, const struct monitor *m, const void *before,
		const void *now);
	struct monitor_listener *next; /* the monitors' own */
};

enum { MONITORS_AGAIN_S = 30 };

struct monitors *monitors_new(struct informers *s);

/* With nothing of the informers running. */
void monitors_free(struct monitors *m);

/* Before the first monitors_follow. */
void monitors_listen(struct monitors *m, struct monitor_listener *l);

/* Asks what the server has now, follows what is new and forgets what is gone; blocks. To be called
 * every MONITORS_AGAIN_S. */
NODISCARD int monitors_follow(struct monitors *m, struct client *c, struct arena *a, struct err *e);

/* The resource of a kind, its texts in the arena; false if it is not followed. */
bool monitors_find(
	struct monitors *m, struct arena *a, str api_version, str kind, struct resource *to);

/* This moment of a resource, as PartialObjectMetadata or whole: a reference, or NULL if it is not
 * followed. ERR_UNAVAILABLE as long as it is not filled. */
NODISCARD int monitors_view(
	struct monitors *m, str group, str plural, struct view **to, struct err *e);
