#include "controller-manager/job.h"

enum { PODS_AT_ONCE_MAX = 500, BACKOFF_S = 10, BACKOFF_MAX_S = 600, NAME_MAX_CHARS = 58 };

#define INDEX_KEY    STR("batch.kubernetes.io/job-completion-index")
#define FAILURES_KEY STR("batch.kubernetes.io/job-index-failure-count")

bool job_suspended(const struct job *j)
{
	return j->spec.suspend && *j->spec.suspend;
}

/* --- deleting */

/* Removes the finalizer first: a pod that is deleted here is not to be counted. */
static int delete_pods(struct job_pass *j, const struct object_list *pods, size_t count,
	size_t *deleted, struct err *e)
{
	str *names = arena_get(j->p->arena, count * sizeof(*names) + 1);
	int result = 0;

	*deleted = 0;
	for (size_t i = 0; i < count; i++)
		names[i] = meta_of(pods->at[i])->name;
	expectations_set(j->jobs->expectations, j->p->key, 0, names, count);
	for (size_t i = 0; i < count; i++) {
		struct err failed;

		if (pod_delete(j->p, pods->at[i], j->job, &failed) == 0) {
			++*deleted;
			continue;
		}
		expectations_deleted(j->jobs->expectations, j->p->key, names[i]);
		if (result == 0)
			*e = failed;
		result = -1;
	}
	return result;
}

int job_delete_active(struct job_pass *j, size_t *deleted, struct err *e)
{
	return delete_pods(j, &j->active, j->active.len, deleted, e);
}

/* Pods of an index that is done or has one already, then those that others would miss least. */
static void put_superfluous_first(struct job_pass *j)
{
	struct object_list first = {0}, rest = {0};
	struct job_indexes seen = job_indexes_read(j->p->arena, STR(""), j->done.len);

	pods_rank(j->p, &j->active, &j->active);
	for (size_t i = j->active.len; i > 0; i--) {
		const struct pod *pod = j->active.at[i - 1];
		int64_t index = job_pod_index(pod);
		bool spare = j->indexed &&
			(index < 0 || (size_t)index >= j->done.len ||
				job_indexes_has(&j->done, index) || job_indexes_has(&seen, index));

		job_indexes_add(&seen, index);
		object_list_add(j->p->arena, spare ? &first : &rest, pod);
	}
	j->active.len = 0;
	for (size_t i = 0; i < first.len; i++)
		object_list_add(j->p->arena, &j->active, first.at[i]);
	for (size_t i = rest.len; i > 0; i--)
		object_list_add(j->p->arena, &j->active, rest.at[i - 1]);
}

/* --- creating */

static struct env_var *add_index_variable(
	struct arena *a, const struct env_var *env, size_t len, size_t *to_len)
{
	struct env_var *to = arena_get(a, (len + 1) * sizeof(*to));

	*to_len = len;
	for (size_t i = 0; i < len; i++) {
		to[i] = env[i];
		if (str_eq(env[i].name, STR("JOB_COMPLETION_INDEX")))
			return to;
	}
	to[len].name = STR("JOB_COMPLETION_INDEX");
	to[len].value_from = arena_get(a, sizeof(*to[len].value_from));
	to[len].value_from->field_ref = arena_get(a, sizeof(*to[len].value_from->field_ref));
	to[len].value_from->field_ref->field_path = STR(
		"metadata.labels['batch.kubernetes.io/job-completion-index']");
	*to_len = len + 1;
	return to;
}

/* The failed pod that a new one of its index follows. */
static const struct pod *forerunner(struct job_pass *j, int64_t index)
{
	const struct pod *last = NULL;
	int32_t most = -1;

	for (size_t i = 0; i < j->pods.len; i++) {
		const struct pod *pod = j->pods.at[i];
		int32_t failures;

		if (job_pod_index(pod) != index || !job_pod_is_failed(j->job, pod))
			continue;
		failures = job_index_failures(j->p->arena, j->job, pod);
		if (failures > most) {
			most = failures;
			last = pod;
		}
	}
	return last;
}

static void give_index(struct job_pass *j, struct pod *pod, int64_t index)
{
	struct arena *a = j->p->arena;
	str number = arena_fmt(a, "%lld", (long long)index);
	str prefix = j->job->metadata.name;

	if (prefix.len + number.len + 2 > NAME_MAX_CHARS)
		prefix.len = NAME_MAX_CHARS - number.len - 2;
	pod->metadata.generate_name = arena_fmt(a, "%.*s-%.*s-", STR_ARG(prefix), STR_ARG(number));
	str_map_set(a, &pod->metadata.annotations, INDEX_KEY, number);
	str_map_set(a, &pod->metadata.labels, INDEX_KEY, number);
	pod->spec.hostname = arena_fmt(
		a, "%.*s-%.*s", STR_ARG(j->job->metadata.name), STR_ARG(number));
	for (size_t i = 0; i < pod->spec.containers.len; i++) {
		struct container *c = &pod->spec.containers.at[i];

		c->env.at = add_index_variable(a, c->env.at, c->env.len, &c->env.len);
	}
	for (size_t i = 0; i < pod->spec.init_containers.len; i++) {
		struct container *c = &pod->spec.init_containers.at[i];

		c->env.at = add_index_variable(a, c->env.at, c->env.len, &c->env.len);
	}
	if (j->per_index) {
		const struct pod *before = forerunner(j, index);

		str_map_set(a, &pod->metadata.annotations, FAILURES_KEY,
			arena_fmt(a, "%d", before ? job_index_failures(a, j->job, before) : 0));
	}
}

/* The next index that has neither a pod nor an end; -1: none. */
static int64_t next_index(struct job_pass *j, int64_t from)
{
	for (int64_t index = from; index < (int64_t)j->done.len; index++) {
		bool taken = job_indexes_has(&j->done, index) || job_indexes_has(&j->lost, index);

		for (size_t i = 0; i < j->active.len && !taken; i++)
			taken = job_pod_index(j->active.at[i]) == index;
		if (!taken)
			return index;
	}
	return -1;
}

static int create_pods(struct job_pass *j, size_t count, struct err *e)
{
	int64_t index = 0;

	expectations_set(j->jobs->expectations, j->p->key, (int)count, NULL, 0);
	for (size_t made = 0; made < count; made++, index++) {
		struct pod *pod = pod_from_template(j->p, &j->job->spec.template, j->job);

		meta_add_finalizer(j->p->arena, &pod->metadata, STR(JOB_FINALIZER));
		if (j->indexed) {
			index = next_index(j, index);
			if (index < 0) {
				for (; made < count; made++)
					expectations_created(j->jobs->expectations, j->p->key);
				return 0;
			}
			give_index(j, pod, index);
		}
		if (pod_create(j->p, pod, j->job, e) == 0) {
			j->job->status.active++;
			continue;
		}
		bool ends = client_has_cause(e, STR("NamespaceTerminating"));

		for (; made < count; made++)
			expectations_created(j->jobs->expectations, j->p->key);
		return ends ? 0 : -1;
	}
	return 0;
}

/* --- how many */

static int64_t backoff_left_s(struct job_pass *j)
{
	int64_t wait_s = BACKOFF_S;

	if (j->backoff.failures == 0)
		return 0;
	for (unsigned i = 1; i < j->backoff.failures && wait_s < BACKOFF_MAX_S; i++)
		wait_s *= 2;
	if (wait_s > BACKOFF_MAX_S)
		wait_s = BACKOFF_MAX_S;
	return j->backoff.last_s + wait_s - pass_now_ns(j->p) / NS_PER_S;
}

static bool replaces_only_failed(const struct job *j)
{
	return j->spec.pod_replacement_policy &&
		str_eq(*j->spec.pod_replacement_policy, STR("Failed"));
}

static int32_t wanted_active(const struct job_pass *j)
{
	int32_t parallel = j->job->spec.parallelism ? *j->job->spec.parallelism : 1, left;

	if (!j->job->spec.completions)
		return j->succeeded > 0 ? (int32_t)j->active.len : parallel;
	left = *j->job->spec.completions - j->succeeded - (int32_t)j->lost.count;
	if (left < 0)
		left = 0;
	return left < parallel ? left : parallel;
}

int job_manage_pods(struct job_pass *j, struct err *e)
{
	int32_t active = (int32_t)j->active.len;
	int32_t wanted = job_suspended(j->job) ? 0 : wanted_active(j), missing;
	size_t deleted;

	j->job->status.active = active;
	if (active > wanted) {
		put_superfluous_first(j);
		int result = delete_pods(j, &j->active, (size_t)(active - wanted), &deleted, e);

		j->job->status.active = active - (int32_t)deleted;
		return result;
	}
	missing = wanted - active - (replaces_only_failed(j->job) ? j->terminating : 0);
	if (missing <= 0)
		return 0;
	int64_t left_s = backoff_left_s(j);

	if (left_s > 0) {
		pass_again(j->p, left_s * NS_PER_S);
		return 0;
	}
	return create_pods(j, missing < PODS_AT_ONCE_MAX ? (size_t)missing : PODS_AT_ONCE_MAX, e);
}
