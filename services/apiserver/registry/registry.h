/*
 * Registry: reads and writes of objects by the rules of their kinds, apart from HTTP: upstream's
 * registry/generic/registry and the strategies of pkg/registry. A write passes: strategy prepares,
 * admission mutates, names and metadata are filled in, validation, admission validates, storage;
 * an update begins again from the newest object when somebody else was quicker.
 *
 * Everything here may block and runs on worker threads; objects are of the stored version and live
 * in the operation's arena. Errors carry the Status to answer (lib/api/status.h).
 */
#pragma once

#include "apiserver/admission/admission.h"
#include "apiserver/registry/strategy.h"
#include "lib/base/clock.h"

struct registry;

struct registry_options {
	struct storage *storage;
	struct authorizer *authorizer;
	struct authenticator *authenticator; /* token subresource, TokenReview */
	struct admission *admission;
	const struct clock *clock;
	struct random *random;
	str service_cluster_ip_range; /* --service-cluster-ip-range */
	str service_node_port_range;  /* --service-node-port-range */
	int64_t event_ttl_s;
};

#define REQUEST_TIMED_OUT "Timeout: request did not complete within the allotted timeout"

/* One request's way through the registry. */
struct operation {
	struct registry *registry;
	struct arena *arena;
	const struct resource *resource;
	str subresource; /* absent: the object itself */
	str ns, name;    /* name absent: create, deletecollection */
	const struct user *user;
	bool dry_run;
	int64_t deadline_ns; /* monotonic; past it nothing more is begun; 0: none */
	struct warnings *warnings;

	/* The registry's own: stored objects whose texts the arena's objects borrow. */
	struct stored **held;
	size_t held_count, held_cap;
};

/* Behind the last look at what the operation gave. */
void operation_end(struct operation *op);

NODISCARD int registry_open(const struct registry_options *o, struct registry **to, struct err *e);
void registry_close(struct registry *r);

/* `options` is the request's struct create_options. `*to` is what was stored. */
NODISCARD int registry_create(
	struct operation *op, void *object, const void *options, void **to, struct err *e);

/*
 * How an update comes to its next object: from the newest stored one, again after each conflict.
 * `before` is NULL when there is none; ERR_NOT_FOUND then ends it as 404.
 */
struct updater {
	int (*next)(
		struct updater *u, struct arena *a, const void *before, void **next, struct err *e);

	/* May the object be created when it is not there: apply, and PUT where the strategy
	 * says. */
	bool may_create;
};

NODISCARD int registry_update(struct operation *op, struct updater *u, const void *options,
	void **to, bool *created, struct err *e);

/* `*to` is the object where it remains (finalizers, grace), else a Status of success. */
NODISCARD int registry_delete(struct operation *op, const struct delete_options *options, void **to,
	bool *gone, struct err *e);

/* Which objects: of op->ns, or all. The keys of `fields` are those of the stored version. */
struct registry_selection {
	const struct selector *labels, *fields;
};

struct stored;
bool registry_selects(const struct registry_selection *s, const struct stored *o);

/* `*deleted` holds them as they were last. */
struct object_list {
	void **at;
	size_t len, cap;
};

NODISCARD int registry_delete_collection(struct operation *op, const struct delete_options *options,
	const struct registry_selection *which, struct object_list *deleted, struct err *e);

/* POST to a subresource or to a kind that is only asked (bindings, evictions, tokens, reviews):
 * the answer's object. ERR_NOT_FOUND when nobody answers it. */
NODISCARD int registry_connect_create(
	struct operation *op, void *object, const void *options, void **to, struct err *e);

/* Whether the registry acts on this resource; what does not stays out of discovery. */
/* Conflict unless `wanted` is empty or the stored object's. */
NODISCARD int registry_check_uid(struct arena *a, const struct resource *r,
	const struct object_meta *stored, str wanted, struct err *e);

bool registry_serves(const struct resource *r);
bool registry_serves_sub(const struct resource *r, const struct subresource *s);
