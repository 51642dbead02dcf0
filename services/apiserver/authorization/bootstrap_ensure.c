#include "apiserver/authorization/bootstrap_policy.h"
#include "apiserver/authorization/view.h"
#include "lib/loop/pool.h"
#include "lib/value/uuid.h"

/* How the policy comes into the storage. */

enum {
	WRITERS = 16, /* the storage batches what waits at the same time */
	ATTEMPTS = 5, /* of one object, against other writers */
	JOB_ARENA_BYTES = 16 << 20,
};

/* One object of the policy, on a thread of the pool. */
struct policy_job {
	struct pool_job job;
	struct storage *storage;
	const struct clock *clock;
	struct random *random;
	const struct object *wanted;
	const struct resource *resource;
	int result;
	struct err error;
};

static const struct resource *resource_for(const struct type *t)
{
	static const struct {
		enum api_type type;
		const char *plural;
	} kinds[] = {{API_RBAC_ROLE, "roles"}, {API_RBAC_CLUSTER_ROLE, "clusterroles"},
		{API_RBAC_ROLE_BINDING, "rolebindings"},
		{API_RBAC_CLUSTER_ROLE_BINDING, "clusterrolebindings"}};

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (t == api_type(kinds[i].type))
			return resource_find(STR("rbac.authorization.k8s.io"), STR("v1"),
				str_of(kinds[i].plural));
	return NULL;
}

static int create(struct policy_job *j, struct arena *a, struct object *o, struct err *e)
{
	struct object_meta *m = rbac_view(o).meta;
	int64_t revision;

	m->uid = uuid_new(j->random, a);
	m->creation_timestamp = time_from_seconds(j->clock->wall_ns(j->clock) / NS_PER_S);
	return storage_create(j->storage, j->resource, o, 0, &revision, e);
}

static int put(struct policy_job *j, struct arena *a, const struct stored *before,
	struct object *now, bool recreate, struct err *e)
{
	struct stored *current = NULL;
	int64_t revision;
	int result;

	if (!before)
		return create(j, a, now, e);
	if (recreate)
		result = storage_delete(j->storage, before, &revision, &current, e);
	else
		result = storage_update(j->storage, before, now, 0, &revision, &current, e);
	if (result < 0 && current)
		counted_drop(&current->counted);
	return result == 0 && recreate ? create(j, a, now, e) : result;
}

static int ensure_once(struct policy_job *j, struct arena *a, bool from_etcd, struct err *e)
{
	const struct object_meta *m = rbac_view((void *)j->wanted).meta;
	struct stored *before = NULL;
	void *decoded = NULL;
	struct object *now;
	bool recreate;
	int result = 0;

	if (!from_etcd)
		before = storage_get(j->storage, j->resource, m->namespace, m->name);
	else if (storage_fetch(j->storage, j->resource, m->namespace, m->name, &before, e) < 0 &&
		e->kind != ERR_NOT_FOUND)
		return -1;
	if (before)
		result = stored_decode(a, before, &decoded, e);
	if (result == 0)
		result = bootstrap_reconcile(a, j->wanted, decoded, &now, &recreate, e);
	if (result == 0 && now)
		result = put(j, a, before, now, recreate, e);
	if (before)
		counted_drop(&before->counted);
	return result;
}

/* The cache is asked first; who lost a race reads etcd itself. */
static void ensure(struct pool_job *p)
{
	struct policy_job *j = CONTAINER_OF(p, struct policy_job, job);

	j->result = -1;
	for (int i = 0; i < ATTEMPTS && j->result < 0; i++) {
		struct arena a;

		arena_init(&a, JOB_ARENA_BYTES);
		j->result = ensure_once(j, &a, i > 0, &j->error);
		arena_free(&a);
		if (j->result < 0 && j->error.kind != ERR_EXISTS && j->error.kind != ERR_CONFLICT &&
			j->error.kind != ERR_NOT_FOUND)
			return;
	}
}

int bootstrap_policy_ensure(
	struct storage *s, const struct clock *clock, struct random *random, struct err *e)
{
	struct bootstrap_policy policy;
	struct arena a;
	struct pool pool;
	int result = 0;

	TRY(storage_wait_here(s, 0, e));
	arena_init(&a, ARENA_NO_LIMIT);
	bootstrap_policy_read(&a, &policy);
	struct policy_job *jobs = arena_get(&a, policy.len * sizeof(*jobs));

	if (pool_init(&pool, WRITERS, policy.len, e) < 0) {
		arena_free(&a);
		return -1;
	}
	for (size_t i = 0; i < policy.len && result == 0; i++) {
		jobs[i] = (struct policy_job){
			.job = {.run = ensure},
			.storage = s,
			.clock = clock,
			.random = random,
			.wanted = policy.at[i],
			.resource = resource_for(policy.at[i]->type),
		};
		result = pool_give(&pool, &jobs[i].job, e);
	}
	pool_free(&pool);
	for (size_t i = 0; i < policy.len && result == 0; i++)
		if (jobs[i].result < 0) {
			*e = jobs[i].error;
			result = -1;
		}
	arena_free(&a);
	return result;
}
