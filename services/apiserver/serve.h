/*
 * The I/O threads: each has an event loop, a server of the one listener, and its end of the
 * storage.
 *
 * Threading: main's thread.
 */
#pragma once

#include "apiserver/endpoints/endpoints.h"

struct io_threads;

/* Loops and their ends of the storage, not running yet: who watches on one begins before. */
NODISCARD int io_threads_make(
	struct endpoints_server *p, size_t count, struct io_threads **to, struct err *e);

/* The first loop, and its end of the storage. */
struct loop *io_threads_loop(struct io_threads *t);
struct storage_io *io_threads_storage(struct io_threads *t);

NODISCARD int io_threads_start(
	struct io_threads *t, int listener, struct tls_context *tls, struct err *e);

/* For connections to come. */
void io_threads_set_tls(struct io_threads *t, struct tls_context *tls);

/* No new connections; watches end, what is under way is finished; then `done` runs on `l`. */
void io_threads_drain(struct io_threads *t, struct loop *l, struct loop_task *done);

/* Behind `done`, or when they were never started. */
void io_threads_free(struct io_threads *t);
