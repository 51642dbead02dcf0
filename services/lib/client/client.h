/*
 * Client: blocking calls to an API server, typed, in protobuf both ways. One client is one user of
 * a transport: a user agent, a limit of requests per second, maybe a token of its own.
 *
 * Failures carry the server's Status: its reason becomes the kind (NotFound, AlreadyExists,
 * Conflict, Gone and Expired, Forbidden, ...), its message the text, and `detail` the struct status
 * itself, in the arena of the call. What says Retry-After is tried again, ten times at most.
 *
 * Ownership: objects returned live in the caller's arena. Threading: any but the I/O thread.
 * Source: client-go/rest/{request,config}.go, util/flowcontrol.
 */
#pragma once

#include "lib/api/meta.h"
#include "lib/client/transport.h"

struct client;

/* A token that changes: asked for before each call. Called from any thread. */
struct client_token {
	NODISCARD int (*token)(struct client_token *t, struct arena *a, str *to, struct err *e);
};

struct client_options {
	struct transport *transport;
	const struct kubeconfig *config; /* its token and token file */
	struct client_token *token;      /* instead of those; may be NULL */
	const struct clock *clock;
	str user_agent;
	double qps; /* 0: no limit */
	int burst;
	int64_t timeout_ns; /* of one try; 0: 70 s, more than servers take */
};

NODISCARD int client_open(const struct client_options *o, struct client **to, struct err *e);
void client_close(struct client *c);

struct transport *client_transport(const struct client *c);
const struct clock *client_clock(const struct client *c);

/* "kube-scheduler/v1.36.2 (linux/amd64) coracle/leader-election" */
str client_user_agent(struct arena *a, str program, str part);

/* What a call is about. ns absent: cluster-scoped, or all namespaces. */
struct target {
	const struct resource *resource;
	str ns, name, sub;
	str query; /* behind the question mark; absent: none */
};

/* By an object's own names. */
struct target target_of(const void *object);

/* `*to` is a new object of the target's kind; `to` may be NULL where nobody looks. */
NODISCARD int client_get(
	struct client *c, struct arena *a, struct target t, void **to, struct err *e);
NODISCARD int client_create(struct client *c, struct arena *a, struct target t, const void *object,
	void **to, struct err *e);
NODISCARD int client_update(struct client *c, struct arena *a, struct target t, const void *object,
	void **to, struct err *e);

/* The kind's List. */
NODISCARD int client_list(
	struct client *c, struct arena *a, struct target t, void **to, struct err *e);

enum client_patch { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY };

NODISCARD int client_patch(struct client *c, struct arena *a, struct target t,
	enum client_patch kind, str patch, void **to, struct err *e);

struct client_delete {
	str uid, resource_version; /* preconditions; absent: none */
	str propagation;           /* "Background", "Foreground", "Orphan"; absent: the kind's */
	const int64_t *grace_period_s;
};

/* `how` may be NULL. Without a name: all that the query selects. */
NODISCARD int client_delete(struct client *c, struct arena *a, struct target t,
	const struct client_delete *how, struct err *e);

/* What is not typed: discovery, metadata of any kind. */
struct client_request {
	str method, path; /* from the root, with its query */
	str content_type, body, accept;
};

NODISCARD int client_raw(struct client *c, struct arena *a, const struct client_request *r,
	str *answer, struct err *e);

#define MEDIA_PROTOBUF STR("application/vnd.kubernetes.protobuf")
#define MEDIA_JSON     STR("application/json")

/* Where the answer is not read: custom resources have no protobuf. */
#define MEDIA_EITHER STR("application/vnd.kubernetes.protobuf,application/json")

/* The path of a target, without its query. */
str client_path(struct arena *a, struct target t);

/* The fields that every call of this client carries; `c->headers` gets them. */
NODISCARD int client_headers(
	struct client *c, struct arena *a, struct call *call, str accept, struct err *e);

/* Turns a Status into an error of the kind that its reason means. `code` is HTTP's. */
void client_status_error(struct arena *a, int code, str body, struct err *e);

/* Whether the failure was given that cause, as HasStatusCause. */
bool client_has_cause(const struct err *e, str reason);
