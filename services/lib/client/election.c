#include "lib/client/election.h"

#include "lib/base/log.h"

static int try_to_lead(struct election *l, struct err *e);

void election_init(struct election *l, const struct election_options *o)
{
	*l = (struct election){.options = *o};
	arena_init(&l->arena, ARENA_NO_LIMIT);
}

void election_free(struct election *l)
{
	arena_free(&l->arena);
}

static int64_t now_ns(const struct election *l)
{
	return l->options.clock->monotonic_ns(l->options.clock);
}

/* Up to 2.2 times the period, so that candidates do not ask at the same time. */
static int wait_to_retry(struct election *l, struct err *e)
{
	int64_t extra_ns = l->options.retry_ns / 10 * 12;

	return transport_wait(client_transport(l->options.client),
		l->options.retry_ns +
			(int64_t)random_below(l->options.random, (uint64_t)extra_ns + 1),
		e);
}

int election_acquire(struct election *l, struct err *e)
{
	log_info("attempting to acquire leader lease %.*s/%.*s...", STR_ARG(l->options.ns),
		STR_ARG(l->options.name));
	while (try_to_lead(l, e) < 0) {
		log_info("%s", e->text);
		TRY(wait_to_retry(l, e));
	}
	log_info("successfully acquired lease %.*s/%.*s", STR_ARG(l->options.ns),
		STR_ARG(l->options.name));
	return 0;
}

int election_hold(struct election *l, struct err *e)
{
	struct transport *t = client_transport(l->options.client);

	for (int64_t renewed_ns = now_ns(l);;) {
		TRY(transport_wait(t, l->options.retry_ns, e));
		if (try_to_lead(l, e) == 0)
			renewed_ns = now_ns(l);
		else if (now_ns(l) - renewed_ns > l->options.renew_ns)
			return err_set(e, ERR_TIMEOUT,
				"failed to renew lease %.*s/%.*s: timed out waiting for the "
				"condition",
				STR_ARG(l->options.ns), STR_ARG(l->options.name));
		else
			log_error("failed to renew the lease: %s", e->text);
	}
}

static struct target target(const struct election *l)
{
	return (struct target){
		.resource = meta_resource(API_LEASE), .ns = l->options.ns, .name = l->options.name};
}

/* Takes over a record that was read or written; if it says anything new, that is seen now. */
static void observe(struct election *l, const struct lease *seen)
{
	struct arena a;

	if (l->lease &&
		str_eq(l->lease->metadata.resource_version, seen->metadata.resource_version))
		return;
	arena_init(&a, ARENA_NO_LIMIT);
	l->lease = object_copy(&a, seen, true);
	arena_free(&l->arena);
	l->arena = a;
	l->seen_ns = now_ns(l);
}

static str holder(const struct lease *l)
{
	return l && l->spec.holder_identity ? *l->spec.holder_identity : STR("");
}

static bool leads(const struct election *l)
{
	return str_eq(holder(l->lease), l->options.identity);
}

static bool expired(const struct election *l)
{
	const int32_t *seconds = l->lease->spec.lease_duration_seconds;

	return now_ns(l) - l->seen_ns > (seconds ? *seconds : 0) * NS_PER_S;
}

static int create(struct election *l, struct arena *a, struct err *e)
{
	struct lease *lease = object_new(a, api_type(API_LEASE));
	struct time_value now = meta_now_micro(l->options.clock);
	void *made;

	lease->metadata.namespace = l->options.ns;
	lease->metadata.name = l->options.name;
	lease->spec = (struct lease_spec){
		.holder_identity = &l->options.identity,
		.lease_duration_seconds = arena_i32(a, (int32_t)(l->options.lease_ns / NS_PER_S)),
		.lease_transitions = arena_i32(a, 0),
		.acquire_time = &now,
		.renew_time = &now,
	};
	TRY(client_create(l->options.client, a, target(l), lease, &made, e));
	observe(l, made);
	return 0;
}

static int write_record(struct election *l, struct arena *a, struct err *e)
{
	struct lease *next = object_copy(a, l->lease, false);
	struct time_value now = meta_now_micro(l->options.clock);
	void *written;

	next->spec.renew_time = &now;
	next->spec.lease_duration_seconds = arena_i32(a, (int32_t)(l->options.lease_ns / NS_PER_S));
	if (!leads(l)) {
		int32_t *transitions = l->lease->spec.lease_transitions;

		next->spec.holder_identity = &l->options.identity;
		next->spec.acquire_time = &now;
		next->spec.lease_transitions = arena_i32(a, (transitions ? *transitions : 0) + 1);
	}
	TRY(client_update(l->options.client, a, target(l), next, &written, e));
	observe(l, written);
	l->seen_ns = now_ns(l);
	return 0;
}

static int lead_in(struct election *l, struct arena *a, struct err *e)
{
	void *seen;

	if (l->lease && leads(l) && !expired(l) && write_record(l, a, e) == 0)
		return 0;
	if (client_get(l->options.client, a, target(l), &seen, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return err_context(e, "error retrieving resource lock %.*s/%.*s",
				STR_ARG(l->options.ns), STR_ARG(l->options.name));
		return create(l, a, e);
	}
	observe(l, seen);
	if (holder(l->lease).len > 0 && !leads(l) && !expired(l))
		return err_set(e, ERR_CONFLICT, "lock is held by %.*s and has not yet expired",
			STR_ARG(holder(l->lease)));
	return write_record(l, a, e);
}

static int try_to_lead(struct election *l, struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int led = lead_in(l, &a, e);

	e->detail = NULL;
	arena_free(&a);
	return led;
}

int election_release(struct election *l, struct err *e)
{
	struct time_value now = meta_now_micro(l->options.clock);
	struct arena a;
	str nobody = STR("");

	if (!l->lease || !leads(l))
		return 0;
	arena_init(&a, ARENA_NO_LIMIT);
	struct lease *next = object_copy(&a, l->lease, false);

	next->spec.holder_identity = &nobody;
	next->spec.lease_duration_seconds = arena_i32(&a, 1);
	next->spec.renew_time = next->spec.acquire_time = &now;
	int released = client_update(l->options.client, &a, target(l), next, NULL, e);

	e->detail = NULL;
	arena_free(&a);
	return released;
}
