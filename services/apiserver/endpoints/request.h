/*
 * One request under way: for the files of this folder.
 *
 * A request begins in filters.c, is dispatched to a handler, and ends once by request_send,
 * request_fail or a stream's end. A handler that needs what may block gives the request away as a
 * job: between request_work and its coming back no other thread touches it.
 *
 * Ownership: the struct lies in the exchange's arena, what is made for the request in its own.
 */
#pragma once

#include "apiserver/endpoints/endpoints.h"
#include "apiserver/endpoints/negotiate.h"
#include "apiserver/endpoints/options.h"
#include "apiserver/endpoints/request_info.h"
#include "lib/api/status.h"

#include <pthread.h>

enum {
	REQUEST_BODY_MAX = 3 << 20,
	REQUEST_MEMORY_MAX = 256 << 20,
};

struct discovery;
struct openapi;
struct request_metrics;

/* The documents as they were made last. */
struct discovery_now {
	pthread_mutex_t lock;
	struct discovery *made; /* a reference; NULL: not yet */
	str advertise_address;
};

struct endpoints_server {
	struct endpoints_options o;
	struct registry *registry;
	struct authorizer *authorizer;
	struct extensions *extensions;
	struct aggregator *aggregator;
	struct discovery_now discovery;
	struct openapi *openapi;
	struct request_metrics *metrics;
	atomic_int reading, mutating;
};

struct watcher;
struct proxied;
struct proxy_link;
struct frame;

enum { FRAME_SLOTS = 64 };

/* Frames of the events of late, for the next watcher that wants the same. */
struct frame_slot {
	const struct storage_event *event; /* a reference */
	unsigned key;                      /* what the frame says of it, and how */
	const struct resource *resource;
	struct frame *frame; /* a reference */
};

struct endpoints_io {
	struct http_handler handler;
	struct endpoints_server *endpoints;
	struct loop *loop;
	struct storage_io *storage;
	struct watcher *watchers;
	struct proxied *proxied;  /* under way to aggregated API servers */
	struct proxy_link *links; /* to those */
	struct frame_slot frames[FRAME_SLOTS];
};

struct answer {
	int code;
	str content_type; /* absent: of the negotiated form */
	struct buf body;
	struct counted *owner; /* of a shared body, dropped when sent */
	str shared;
	struct http_headers headers; /* beside those that every answer has */
};

struct request {
	struct endpoints_server *endpoints;
	struct endpoints_io *io;
	struct http_exchange *x;
	struct arena arena;
	struct url_query query;
	struct request_info info;
	struct user *user;               /* a reference */
	const struct resource *resource; /* a reference */
	const struct subresource *sub;   /* NULL: the object itself */
	struct answer_form form;
	struct warnings warnings;
	struct operation op; /* of a write */
	struct answer answer;
	int64_t begun_ns, deadline_ns;
	atomic_int *counted_in; /* which max-in-flight counter holds it */
	str audit_id;

	/* While it waits. */
	struct storage_wait wait;
	struct pool_job job;
	struct loop_task back;
	int (*work)(struct request *r, struct err *e);
	void (*after)(struct request *r); /* behind work that succeeded; NULL: request_send */
	void *state;                      /* the handler's */
};

/* --- a request's end; on the loop's thread. The request is gone afterwards. */

void request_send(struct request *r); /* what r->answer holds */
void request_fail(struct request *r, const struct err *e);
void request_send_text(struct request *r, int code, str content_type, str body);
void request_refuse(struct request *r); /* too many are under way */

/* Counts and frees what it holds but the exchange: streams end that themselves. */
void request_release(struct request *r, int code);

/* A header of the answer beside those that every answer has. */
void request_add_header(struct request *r, const char *name, str value);

/* Of any answer: Audit-Id, Cache-Control, Warning; then the answer's own. */
const struct http_headers *request_headers(struct request *r, str content_type);

/* --- what may block */

/* Collects the body first, then runs `work` on a thread of the pool, which fills r->answer or
 * fails; the answer goes out on the loop. */
void request_work_with_body(struct request *r, int (*work)(struct request *r, struct err *e));
void request_work(struct request *r, int (*work)(struct request *r, struct err *e));

/* --- answers; any thread */

/* An object of the stored version or any other kind, in the negotiated form. */
NODISCARD int answer_object(struct request *r, int code, void *object, struct err *e);
void answer_error(struct request *r, const struct err *e);

/* Objects of the stored version as a list of the request's kind. */
NODISCARD int answer_list(struct request *r, const struct object_list *objects, struct err *e);

/* A JSON text (of `kind`'s object, if YAML or pretty is asked for) as the body. */
NODISCARD int answer_json(struct request *r, int code, str json, struct err *e);

/* JSON laid out with two blanks a level, as Go's MarshalIndent. */
void json_indent(struct buf *to, str json);

struct status_subject request_subject(const struct request *r);

/* The type of what the path names. */
static inline const struct type *request_type(const struct request *r)
{
	return r->sub ? resource_sub_type(r->resource, r->sub) : resource_type(r->resource);
}

/* The namespace in which the object lies; absent for a cluster-scoped one, whatever the path. */
static inline str request_ns(const struct request *r)
{
	return r->resource->namespaced ? r->info.ns : (str){NULL, 0};
}

/* --- handlers */

void dispatch(struct request *r);
void handle_get(struct request *r);
void handle_list(struct request *r);
void handle_watch(struct request *r);
void handle_create(struct request *r);
void handle_update(struct request *r);
void handle_patch(struct request *r);
void handle_delete(struct request *r);
void handle_delete_collection(struct request *r);

/* Anything that is no resource; false: there is nothing here. */
bool handle_path(struct request *r);

/* --- shared by handlers */

/* The request's operation on what it names; ends with the request. */
struct operation *request_operation(struct request *r, const struct str_list *dry_run);

/* The body as an object of type `t`, defaulted, converted to the stored version; what a strict
 * reader complains of are warnings or the error, by `validation`. */
NODISCARD int request_decode(struct request *r, const struct type *t,
	enum field_validation validation, void **to, struct err *e);

/* NULL where `o` is of the kind of `t`, in whatever version; else why it cannot be read as one. */
const char *kind_mismatch(struct arena *a, const struct type *t, const struct object *o);

/* All that a strict reader complains of, as one message in the arena. */
const char *strict_complaint(struct arena *a, const struct notes *n);

/* Name and namespace of a body must be those of the path; an absent namespace is filled in. */
NODISCARD int request_check_names(struct request *r, void *object, struct err *e);
NODISCARD int request_check_namespace(struct request *r, void *object, struct err *e);

/* Whether a stored object is selected. */
bool selection_matches(const struct selection *s, const struct stored *o);

/* "Too large resource version" or whatever else kept a read from being fresh. Returns -1. */
int fail_wait(struct request *r, int64_t revision, const struct err *why, struct err *e);
