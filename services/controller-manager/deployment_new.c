#include "controller-manager/deployment.h"
#include "lib/base/hash.h"

#include <stdio.h>

enum { HISTORY_CHARS_MAX = 2000 };

#define HASH_LABEL  STR("pod-template-hash")
#define HISTORY_KEY STR("deployment.kubernetes.io/revision-history")
#define DESIRED_KEY STR("deployment.kubernetes.io/desired-replicas")
#define LARGEST_KEY STR("deployment.kubernetes.io/max-replicas")

/* What a replica set does not take over from its deployment. */
static const str own_annotations[] = {
	STR_INIT("kubectl.kubernetes.io/last-applied-configuration"),
	STR_INIT("deployment.kubernetes.io/revision"),
	STR_INIT("deployment.kubernetes.io/revision-history"),
	STR_INIT("deployment.kubernetes.io/desired-replicas"),
	STR_INIT("deployment.kubernetes.io/max-replicas"),
	STR_INIT("deprecated.deployment.rollback.to"),
};

static int keep_fresh(struct rollout *r, int64_t revision, struct err *e);
static int create_fresh(struct rollout *r, int64_t revision, struct err *e);

static struct str_map without_key(struct arena *a, const struct str_map *m, str key)
{
	struct str_map to = {arena_get(a, m->len * sizeof(*to.at) + 1), 0};

	for (size_t i = 0; i < m->len; i++) {
		if (!str_eq(m->at[i].key, key))
			to.at[to.len++] = m->at[i];
	}
	return to;
}

/* The hash aside, which older versions computed in other ways. */
static bool same_template(
	struct arena *a, const struct pod_template_spec *x, const struct pod_template_spec *y)
{
	struct pod_template_spec one = *x, other = *y;

	one.metadata.labels = without_key(a, &x->metadata.labels, HASH_LABEL);
	other.metadata.labels = without_key(a, &y->metadata.labels, HASH_LABEL);
	return struct_equal(api_type(API_POD_TEMPLATE_SPEC), &one, &other);
}

int rollout_find_sets(struct rollout *r, bool create, struct err *e)
{
	int64_t newest = 0, revision;

	object_list_sort(&r->sets, sets_oldest_first);
	r->fresh = NULL;
	r->old.len = 0;
	for (size_t i = 0; i < r->sets.len; i++) {
		const struct replica_set *rs = r->sets.at[i];

		if (!r->fresh &&
			same_template(r->p->arena, &rs->spec.template, &r->d->spec.template)) {
			r->fresh = rs;
			continue;
		}
		object_list_add(r->p->arena, &r->old, rs);
		if (set_number(rs, REVISION_KEY, &revision) && revision > newest)
			newest = revision;
	}
	if (r->fresh)
		return keep_fresh(r, newest + 1, e);
	return create ? create_fresh(r, newest + 1, e) : 0;
}

/* --- annotations */

static bool is_own(str key)
{
	for (size_t i = 0; i < COUNT_OF(own_annotations); i++) {
		if (str_eq(own_annotations[i], key))
			return true;
	}
	return false;
}

static bool put_annotation(struct rollout *r, struct object_meta *m, str key, str value)
{
	str have = meta_annotation(m, key);

	if (have.at && str_eq(have, value))
		return false;
	str_map_set(r->p->arena, &m->annotations, key, value);
	return true;
}

static str add_to_history(struct arena *a, str history, str revision)
{
	size_t len = history.len + revision.len + 1;

	if (history.len == 0)
		return revision;
	while (len > HISTORY_CHARS_MAX && history.at) {
		len -= str_cut(&history, ',').len + 1;
	}
	return history.at ? arena_fmt(a, "%.*s,%.*s", STR_ARG(history), STR_ARG(revision))
			  : revision;
}

bool rollout_note_size(struct rollout *r, struct replica_set *rs)
{
	int32_t desired = *r->d->spec.replicas, largest = desired + deployment_max_surge(r->d);
	bool changed = put_annotation(
		r, &rs->metadata, DESIRED_KEY, arena_fmt(r->p->arena, "%d", desired));

	return put_annotation(
		       r, &rs->metadata, LARGEST_KEY, arena_fmt(r->p->arena, "%d", largest)) ||
		changed;
}

static bool annotate(struct rollout *r, struct replica_set *rs, int64_t revision)
{
	const struct str_map *from = &r->d->metadata.annotations;
	str before = meta_annotation(&rs->metadata, REVISION_KEY);
	int64_t number = 0;
	bool changed = false;

	for (size_t i = 0; i < from->len; i++) {
		if (!is_own(from->at[i].key))
			changed |= put_annotation(
				r, &rs->metadata, from->at[i].key, from->at[i].value);
	}
	if (before.len > 0 && !str_to_i64(before, &number))
		return changed;
	if (number >= revision)
		return changed;
	str_map_set(r->p->arena, &rs->metadata.annotations, REVISION_KEY,
		arena_fmt(r->p->arena, "%lld", (long long)revision));
	if (before.at)
		str_map_set(r->p->arena, &rs->metadata.annotations, HISTORY_KEY,
			add_to_history(
				r->p->arena, meta_annotation(&rs->metadata, HISTORY_KEY), before));
	return true;
}

/* --- the set is there */

static int keep_fresh(struct rollout *r, int64_t revision, struct err *e)
{
	struct replica_set *next = pass_copy(r->p, r->fresh);
	bool changed = annotate(r, next, revision);
	void *now;

	if (changed || next->spec.min_ready_seconds != r->d->spec.min_ready_seconds) {
		next->spec.min_ready_seconds = r->d->spec.min_ready_seconds;
		TRY(pass_update(r->p, next, &now, e));
		r->fresh = now;
		return 0;
	}
	changed = put_annotation(r, &r->d->metadata, REVISION_KEY,
		meta_annotation(&r->fresh->metadata, REVISION_KEY));
	if (deployment_has_deadline(r->d) &&
		!deployment_condition(&r->d->status, STR("Progressing"))) {
		deployment_set_condition(r, &r->d->status, STR("Progressing"), STR("True"),
			STR("FoundNewReplicaSet"),
			arena_fmt(r->p->arena, "Found new replica set \"%.*s\"",
				STR_ARG(r->fresh->metadata.name)));
		changed = true;
	}
	return changed ? rollout_write_status(r, e) : 0;
}

/* --- the set is to be made */

/* As rand.SafeEncodeString: digits as letters that make no words. */
static str hash_of(struct rollout *r)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	char digits[16];
	struct buf b;
	struct err ignored;

	buf_init(&b, BUF_NO_LIMIT);
	(void)!struct_encode(
		api_type(API_POD_TEMPLATE_SPEC), &r->d->spec.template, FORMAT_JSON, &b, &ignored);
	if (r->d->status.collision_count)
		buf_add_fmt(&b, "%d", *r->d->status.collision_count);
	uint32_t hash = hash_fnv32a(HASH_FNV32A_START, buf_str(&b));
	int len = snprintf(digits, sizeof(digits), "%u", hash);

	buf_free(&b);
	for (int i = 0; i < len; i++)
		digits[i] = letters[(unsigned char)digits[i] % (sizeof(letters) - 1)];
	return arena_str(r->p->arena, str_span(digits, (size_t)len));
}

static struct replica_set *make_fresh(struct rollout *r, int64_t revision)
{
	const struct deployment *d = r->d;
	struct arena *a = r->p->arena;
	str hash = hash_of(r);
	struct replica_set *rs = pass_new(r->p, API_REPLICA_SET, d->metadata.namespace,
		arena_fmt(a, "%.*s-%.*s", STR_ARG(d->metadata.name), STR_ARG(hash)));

	struct_copy(
		a, api_type(API_POD_TEMPLATE_SPEC), &d->spec.template, &rs->spec.template, false);
	str_map_set(a, &rs->spec.template.metadata.labels, HASH_LABEL, hash);
	rs->spec.selector = arena_get(a, sizeof(*rs->spec.selector));
	*rs->spec.selector = *d->spec.selector;
	str_map_set(a, &rs->spec.selector->match_labels, HASH_LABEL, hash);
	rs->spec.min_ready_seconds = d->spec.min_ready_seconds;
	rs->spec.replicas = arena_i32(a, 0);
	rs->metadata.labels = rs->spec.template.metadata.labels;
	meta_add_owner(a, &rs->metadata, meta_controller_ref(a, d));
	*rs->spec.replicas = deployment_new_replicas(d, rs, sets_replicas(&r->old));
	(void)annotate(r, rs, revision);
	(void)rollout_note_size(r, rs);
	return rs;
}

/* The name is taken: by the very set that we want, or by another, so that the next try hashes
 * differently. */
static int look_at_namesake(struct rollout *r, const struct replica_set *wanted, struct err *e)
{
	struct err exists = *e;
	void *found;

	TRY(pass_fetch(r->p, API_REPLICA_SET, wanted->metadata.namespace, wanted->metadata.name,
		&found, e));
	const struct replica_set *rs = found;

	if (meta_controlled_by(&rs->metadata, &r->d->metadata) &&
		same_template(r->p->arena, &rs->spec.template, &r->d->spec.template)) {
		r->fresh = rs;
		return 0;
	}
	int32_t collisions = r->d->status.collision_count ? *r->d->status.collision_count : 0;

	r->d->status.collision_count = arena_i32(r->p->arena, collisions + 1);
	TRY(rollout_write_status(r, e));
	*e = exists;
	return -1;
}

static int failed_to_create(struct rollout *r, const struct replica_set *rs, struct err *e)
{
	struct err failure = *e, ignored;

	if (client_has_cause(e, STR("NamespaceTerminating")))
		return -1;
	if (deployment_has_deadline(r->d)) {
		deployment_set_condition(r, &r->d->status, STR("Progressing"), STR("False"),
			STR("ReplicaSetCreateError"),
			arena_fmt(r->p->arena, "Failed to create new replica set \"%.*s\": %s",
				STR_ARG(rs->metadata.name), failure.text));
		(void)!rollout_write_status(r, &ignored);
	}
	pass_warn(r->p, r->d, "ReplicaSetCreateError",
		"Failed to create new replica set \"%.*s\": %s", STR_ARG(rs->metadata.name),
		failure.text);
	*e = failure;
	return -1;
}

static int create_fresh(struct rollout *r, int64_t revision, struct err *e)
{
	const struct replica_set *rs = make_fresh(r, revision);
	bool is_new = true, changed;
	void *now;

	if (pass_create(r->p, rs, &now, e) == 0) {
		r->fresh = now;
	} else if (e->kind == ERR_EXISTS) {
		TRY(look_at_namesake(r, rs, e));
		is_new = false;
	} else {
		return failed_to_create(r, rs, e);
	}
	if (is_new && replicas_of(rs) > 0)
		pass_event(r->p, r->d, "ScalingReplicaSet",
			"Scaled up replica set %.*s from 0 to %d", STR_ARG(rs->metadata.name),
			replicas_of(rs));
	changed = put_annotation(r, &r->d->metadata, REVISION_KEY,
		arena_fmt(r->p->arena, "%lld", (long long)revision));
	if (is_new && deployment_has_deadline(r->d)) {
		deployment_set_condition(r, &r->d->status, STR("Progressing"), STR("True"),
			STR("NewReplicaSetCreated"),
			arena_fmt(r->p->arena, "Created new replica set \"%.*s\"",
				STR_ARG(rs->metadata.name)));
		changed = true;
	}
	return changed ? rollout_write_status(r, e) : 0;
}
