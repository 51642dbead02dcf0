/*
 * The inside of aggregator: aggregator.c has the thread and what it publishes, register.c the
 * APIServices that we make ourselves, available.c whether servers answer.
 */
#pragma once

#include "apiserver/aggregator/aggregator.h"
#include "apiserver/authentication/user.h"

#include <pthread.h>

/* An APIService by its name. */
struct backend {
	str name;                /* allocated */
	str ns, service;         /* allocated; absent: local */
	str ca_pem;              /* allocated; what `tls` is made of */
	struct tls_context *tls; /* a reference; NULL: none could be made */
	struct buf resources;    /* the last APIResourceList that it told */
	int64_t own_revision;    /* of the status that we wrote */
	int64_t check_at_ns;     /* 0: at the next change only */
	unsigned failures;       /* in a row */
	bool dirty, gone;
	bool checked, available; /* what the last check found */
	struct backend *next;
};

enum followed { FOLLOW_API_SERVICES, FOLLOW_SERVICES, FOLLOW_SLICES, FOLLOWED };

struct following {
	struct storage_watch watch;
	struct aggregator *aggregator;
	bool on;
};

struct aggregator {
	struct aggregator_options o;
	struct user *user; /* who registers */
	pthread_t thread;
	struct loop loop;
	struct storage_io *io;
	struct following followed[FOLLOWED];
	const struct resource *resource;
	struct backend *backends;
	struct loop_task work, stop;
	struct loop_timer again;
	struct extensions_listener listener;
	bool registers, changed; /* to be done: registration, publishing */
	unsigned turn;

	pthread_mutex_t lock;
	struct aggregation *now; /* a reference, under the lock */
	atomic_int_least64_t serial;
};

/* register.c: brings the APIServices that we make in line. `starting`: the built-in ones too. */
NODISCARD int register_all(struct aggregator *g, bool starting, struct err *e);

/* available.c: checks all that are dirty, at the same time, publishes what came of it and writes
 * their conditions. */
void check_backends(struct aggregator *g);

/* aggregator.c */
void aggregation_publish(struct aggregator *g);
void backend_forget(struct backend *b);
void backend_set(str *to, str value);
