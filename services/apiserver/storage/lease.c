#include "apiserver/storage/state.h"

/*
 * Leases, which end what has a time to live. One serves many objects, as upstream's lease_manager
 * has it: for a minute or a twentieth of its time, whichever is less, and for a thousand objects.
 */
enum { REUSE_S = 60, REUSE_PART = 20, OBJECTS_MAX = 1000 };

static int grant(struct storage *s, int64_t ttl_s, int64_t *id, struct err *e);

int lease_get(struct storage *s, int64_t ttl_s, int64_t *id, struct err *e)
{
	const struct clock *clock = s->options.clock;
	struct lease_manager *l = &s->lease;
	int64_t reuse_s = ttl_s / REUSE_PART < REUSE_S ? ttl_s / REUSE_PART : REUSE_S;
	int result = 0;

	if (ttl_s == 0) {
		*id = 0;
		return 0;
	}
	pthread_mutex_lock(&l->lock);

	int64_t ends_ns = clock->monotonic_ns(clock) + ttl_s * NS_PER_S;
	bool fits = ends_ns < l->expires_ns && l->expires_ns < ends_ns + reuse_s * NS_PER_S;

	if (!fits || l->objects == OBJECTS_MAX) {
		count_lease(s, l->objects);
		result = grant(s, ttl_s + reuse_s, &l->id, e);
		l->expires_ns = result == 0 ? ends_ns + reuse_s * NS_PER_S : 0;
		l->objects = 0;
	}
	l->objects++;
	if (result == 0)
		*id = l->id;
	pthread_mutex_unlock(&l->lock);
	return result;
}

static int grant(struct storage *s, int64_t ttl_s, int64_t *id, struct err *e)
{
	struct etcd_grant_answer a;
	struct buf message, answer;
	int result;

	buf_init(&message, BUF_NO_LIMIT);
	buf_init(&answer, BUF_NO_LIMIT);
	etcd_put_grant(&message, ttl_s);
	result = storage_ask(s, ETCD_GRANT, &message, &answer, e);
	if (result == 0)
		result = etcd_read_grant(buf_str(&answer), &a, e);
	if (result == 0)
		*id = a.id;
	buf_free(&answer);
	return result;
}
