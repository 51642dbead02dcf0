/*
 * ResourceQuota: what a request uses is charged to the quotas of its namespace before it is carried
 * out; the quota's status in etcd is the account, so that several API servers share it. Requests
 * that come while the accounts of their namespace are being written wait and are charged together.
 */
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/quota_check.h"
#include "lib/base/hash.h"

#include <stdlib.h>

enum { TRIES_MAX = 4 };

struct quota_request {
	const struct admission_attributes *t;
	struct err *e;
	int result;
	bool pending; /* fits, once the accounts are written */
	bool done;
	struct quota_request *next;
};

static void settle(struct admission *n, struct quota_room *room, struct quota_request *batch);

void quota_rooms_init(struct quota_room *rooms)
{
	for (size_t i = 0; i < QUOTA_ROOMS; i++) {
		pthread_mutex_init(&rooms[i].lock, NULL);
		pthread_cond_init(&rooms[i].settled, NULL);
	}
}

void quota_rooms_free(struct quota_room *rooms)
{
	for (size_t i = 0; i < QUOTA_ROOMS; i++) {
		pthread_cond_destroy(&rooms[i].settled);
		pthread_mutex_destroy(&rooms[i].lock);
	}
}

static size_t count_quotas(struct admission *n, str ns)
{
	int64_t revision;
	const struct resource *r = resource_find(STR(""), STR("v1"), STR("resourcequotas"));
	struct snapshot *s = storage_snapshot(n->options.storage, r, &revision);
	size_t count = snapshot_count(s, ns);

	snapshot_drop(s);
	return count;
}

/* Whoever finds nobody at work settles for all that wait; then the first of the next lot does. */
int resource_quota(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	struct quota_room *room = &n->rooms[hash_fnv32a(HASH_FNV32A_START, t->ns) % QUOTA_ROOMS];
	struct quota_request self = {.t = t, .e = e};

	if (!quota_concerns(t) || count_quotas(n, t->ns) == 0)
		return 0;
	pthread_mutex_lock(&room->lock);
	struct quota_request **last = &room->waiting;

	while (*last)
		last = &(*last)->next;
	*last = &self;
	while (!self.done && room->busy)
		pthread_cond_wait(&room->settled, &room->lock);
	if (!self.done) {
		struct quota_request *batch = room->waiting;

		room->waiting = NULL;
		room->busy = true;
		pthread_mutex_unlock(&room->lock);
		settle(n, room, batch);
		pthread_mutex_lock(&room->lock);
		for (struct quota_request *q = batch; q; q = q->next)
			q->done = true;
		room->busy = false;
		pthread_cond_broadcast(&room->settled);
	}
	pthread_mutex_unlock(&room->lock);
	return self.result;
}

/* --- one lot of requests; several namespaces may share a room */

/* One namespace's part of it. */
struct settlement {
	struct admission *n;
	struct arena arena;
	struct quota_request *batch;
	str ns;
	struct quota_accounts accounts;
	int64_t revision; /* of what was written */
};

static int decode(struct settlement *s, struct stored *o, struct quota_account *to, struct err *e)
{
	void *quota;

	TRY(stored_decode(&s->arena, o, &quota, e));
	*to = (struct quota_account){.stored = o, .quota = quota};
	to->used = to->quota->status.used;
	return 0;
}

static int read_accounts(struct settlement *s, struct err *e)
{
	const str start = {NULL, 0};
	const struct resource *r = resource_find(STR(""), STR("v1"), STR("resourcequotas"));
	int64_t revision;
	struct snapshot *now = storage_snapshot(s->n->options.storage, r, &revision);
	struct snapshot_walk w = snapshot_walk(now, s->ns, start);
	size_t count = snapshot_count(now, s->ns);
	const struct stored *o;
	int result = 0;

	s->accounts.at = arena_get(&s->arena, (count + 1) * sizeof(*s->accounts.at));
	while (result == 0 && (o = snapshot_next(&w))) {
		struct stored *kept = (struct stored *)o;

		result = decode(s, kept, &s->accounts.at[s->accounts.len], e);
		if (result == 0) {
			counted_take(&kept->counted);
			s->accounts.len++;
		}
	}
	snapshot_drop(now);
	return result;
}

static void drop_accounts(struct settlement *s)
{
	for (size_t i = 0; i < s->accounts.len; i++)
		counted_drop(&s->accounts.at[i].stored->counted);
	s->accounts.len = 0;
}

static bool takes_part(const struct settlement *s, const struct quota_request *q)
{
	return str_eq(q->t->ns, s->ns);
}

/* True if something has to be written. */
static bool charge_all(struct settlement *s, bool first)
{
	int64_t now_s = meta_now(s->n->options.clock).seconds;
	bool any = false;

	for (struct quota_request *q = s->batch; q; q = q->next) {
		if (!takes_part(s, q) || (!first && !q->pending))
			continue;
		q->result = quota_charge(&s->arena, q->t, now_s, &s->accounts, &q->pending, q->e);
		if (q->result < 0)
			q->pending = false;
		any |= q->pending;
	}
	return any;
}

/* Those that somebody else has changed meanwhile remain, as they are now. Fails when the last try
 * did, or etcd. */
static int write_accounts(struct settlement *s, struct err *e)
{
	struct quota_accounts again = {
		arena_get(&s->arena, (s->accounts.len + 1) * sizeof(*again.at)), 0};
	int result = 0;

	for (size_t i = 0; i < s->accounts.len && result == 0; i++) {
		struct quota_account *q = &s->accounts.at[i];
		struct stored *current = NULL;

		if (!q->changed)
			continue;
		q->quota->status.used = q->used;
		if (storage_update(s->n->options.storage, q->stored, q->quota, 0, &s->revision,
			    &current, e) == 0)
			continue;
		if (e->kind != ERR_CONFLICT)
			result = -1;
		else if (current && decode(s, current, &again.at[again.len], e) == 0)
			again.len++;
		else if (current)
			counted_drop(&current->counted);
	}
	drop_accounts(s);
	s->accounts = again;
	return result;
}

static void finish(struct settlement *s, int result, const struct err *why)
{
	for (struct quota_request *q = s->batch; q; q = q->next) {
		if (!takes_part(s, q) || !q->pending)
			continue;
		q->pending = false;
		q->result = result;
		if (result < 0)
			err_write(q->e, why->kind, "%s", why->text);
	}
}

static void settle_namespace(struct settlement *s)
{
	struct err e = {0};
	int result;

	for (struct quota_request *q = s->batch; q; q = q->next)
		q->pending |= takes_part(s, q);
	result = read_accounts(s, &e);
	for (int tries = 0; result == 0 && charge_all(s, tries == 0); tries++) {
		result = write_accounts(s, &e);
		if (result == 0 && s->accounts.len == 0)
			break;
		if (result == 0 && tries + 1 == TRIES_MAX)
			result = err_set(&e, ERR_UNAVAILABLE,
				"the quotas of namespace %.*s change too quickly; try again",
				STR_ARG(s->ns));
	}
	finish(s, result, &e);
	drop_accounts(s);
}

static void settle(struct admission *n, struct quota_room *room, struct quota_request *batch)
{
	struct err e;

	/* What was written last, the cache may not have seen yet. */
	if (room->revision > 0 && storage_wait_here(n->options.storage, room->revision, &e) < 0)
		room->revision = 0;
	for (struct quota_request *q = batch; q; q = q->next) {
		struct settlement s = {.n = n, .batch = batch, .ns = q->t->ns};
		bool seen = false;

		for (struct quota_request *o = batch; o != q; o = o->next)
			seen |= str_eq(o->t->ns, s.ns);
		if (seen)
			continue;
		arena_init(&s.arena, ARENA_NO_LIMIT);
		settle_namespace(&s);
		arena_free(&s.arena);
		if (s.revision > room->revision)
			room->revision = s.revision;
	}
}
