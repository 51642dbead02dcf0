/*
 * Resources that come at run time: CustomResourceDefinitions, what of them is accepted, and the
 * rows by which their objects are stored and served (apiextensions-apiserver's controllers and the
 * upper half of its handler).
 *
 * One thread follows the definitions: it accepts names, makes types, attaches caches to the
 * storage, publishes the catalog, and says so in each definition's conditions; a definition that
 * goes takes its objects along first.
 *
 * Threading: questions from any thread; answers are references.
 */
#pragma once

#include "apiserver/registry/registry.h"
#include "apiserver/storage/storage.h"

struct extensions;

struct extensions_options {
	struct storage *storage;
	struct registry *registry;
	const struct clock *clock;
};

/* When this returns, what was established before is served. */
NODISCARD int extensions_open(
	const struct extensions_options *o, struct extensions **to, struct err *e);
void extensions_close(struct extensions *x);

/* The row of a version that is served; the caller's reference (resource_drop). NULL: there is
 * none. */
const struct resource *extensions_find(struct extensions *x, str group, str version, str plural);

/* All that is served at one moment, group by group, versions by their priority. */
struct catalog {
	struct counted counted;
	const struct resource **rows; /* references */
	size_t count;
	int64_t serial; /* another one: something has changed */
};

/* A reference. */
struct catalog *extensions_catalog(struct extensions *x);

/* Which it is now, without taking it. */
int64_t extensions_serial(struct extensions *x);

/* Posted whenever the catalog has changed, once until it runs and calls extensions_told; NULL:
 * nobody is told any more. */
struct extensions_listener {
	struct loop_task task;
	struct loop *loop;
	bool posted; /* the lock's */
};
void extensions_listen(struct extensions *x, struct extensions_listener *l);
void extensions_told(struct extensions *x, struct extensions_listener *l);
