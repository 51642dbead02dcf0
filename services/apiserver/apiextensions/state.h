/*
 * The inside of apiextensions: apiextensions.c has the thread and the catalog, sync.c what is done
 * for one definition, names.c which names are accepted.
 */
#pragma once

#include "apiserver/apiextensions/apiextensions.h"
#include "apiserver/apiextensions/definition.h"
#include "apiserver/authentication/user.h"
#include "lib/base/map.h"

#include <pthread.h>

/* A definition by its name: "boats.example.io". */
struct entry {
	str name;                   /* allocated */
	struct definition *served;  /* a reference; NULL: nothing is */
	struct storage_watch watch; /* of its objects, while it waits for them to go */
	struct extensions *extensions;
	bool watching, dirty, gone;
	struct entry *next;
};

struct extensions {
	struct extensions_options o;
	struct user *user; /* who deletes objects of what goes */
	pthread_t thread;
	struct loop loop;
	struct storage_io *io;
	struct storage_watch watch; /* of the definitions */
	const struct resource *resource;
	struct entry *entries;
	struct loop_task work, stop;
	struct loop_timer again;
	bool watching;

	pthread_mutex_t lock;
	struct extensions_listener *listener;
	struct catalog *catalog; /* a reference, under the lock */
	atomic_int_least64_t serial;
};

/* sync.c: brings one definition on. Returns -1 where it is to be tried again later. */
NODISCARD int definition_sync(struct extensions *x, struct entry *n, struct err *e);
void definition_end(struct extensions *x, struct entry *n);

/* apiextensions.c */
void catalog_publish(struct extensions *x);
void entry_mark(struct extensions *x, struct entry *n);
void entries_mark_group(struct extensions *x, str group);

/* names.c: the names and both conditions that follow from what others have. True if anything
 * changed. */
bool names_accept(
	struct arena *a, struct extensions *x, struct crd_custom_resource_definition *crd);
bool approval_check(
	struct arena *a, const struct clock *clock, struct crd_custom_resource_definition *crd);
