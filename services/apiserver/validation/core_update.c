#include "apiserver/validation/rules.h"

static void keep_container_fields(
	struct arena *a, struct pod_spec *next, const struct pod_spec *old);
static bool same_containers(
	struct causes *c, const struct field_path *p, size_t now, size_t before);
static void check_deadline(struct causes *c, const struct field_path *p, const struct pod_spec *now,
	const struct pod_spec *before);
static void check_tolerations(struct causes *c, const struct field_path *p,
	const struct pod_spec *now, const struct pod_spec *before);
static void check_removed_gates(struct causes *c, const struct field_path *p,
	const struct pod_spec *now, const struct pod_spec *before);
static void relax_gated(struct causes *c, const struct field_path *p, struct pod_spec *next,
	const struct pod_spec *before);
static bool contains_all(const struct str_map *now, const struct str_map *before) PURE;
static void update_mirror(
	struct causes *c, const struct object_meta *now, const struct object_meta *before);

void update_pod(struct validation *v, const void *now, const void *before)
{
	const struct pod *a = now, *b = before;
	const struct field_path *spec = FIELD(NULL, "spec");
	struct causes *c = v->causes;

	update_mirror(c, &a->metadata, &b->metadata);
	if (!same_containers(
		    c, FIELD(spec, "containers"), a->spec.containers.len, b->spec.containers.len) ||
		!same_containers(c, FIELD(spec, "initContainers"), a->spec.init_containers.len,
			b->spec.init_containers.len))
		return;
	check_deadline(c, spec, &a->spec, &b->spec);
	check_tolerations(c, spec, &a->spec, &b->spec);
	check_removed_gates(c, spec, &a->spec, &b->spec);

	struct pod_spec next = a->spec;
	keep_container_fields(c->arena, &next, &b->spec);
	next.active_deadline_seconds = b->spec.active_deadline_seconds;
	next.tolerations = b->spec.tolerations;
	next.scheduling_gates = b->spec.scheduling_gates;
	if (b->spec.termination_grace_period_seconds && next.termination_grace_period_seconds &&
		*b->spec.termination_grace_period_seconds < 0 &&
		*next.termination_grace_period_seconds == 1)
		next.termination_grace_period_seconds = b->spec.termination_grace_period_seconds;
	if (b->spec.scheduling_gates.len)
		relax_gated(c, spec, &next, &b->spec);
	if (!struct_equal(&api_schema.types[API_POD_SPEC], &next, &b->spec))
		causes_forbidden(c, spec,
			"pod updates may not change fields other than `spec.containers[*].image`,"
			"`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
			"`spec.tolerations` (only additions to existing tolerations),"
			"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
			"previously negative)\n");
}

/* One that is there stays as it is; their order is free. */
void check_ephemeral_containers(struct causes *c, const struct pod *now, const struct pod *before)
{
	const struct field_path *p = FIELD(FIELD(NULL, "spec"), "ephemeralContainers");
	const struct type *t = &api_schema.types[API_EPHEMERAL_CONTAINER];

	for (size_t i = 0; i < before->spec.ephemeral_containers.len; i++) {
		const struct ephemeral_container *old = &before->spec.ephemeral_containers.at[i];
		str name = old->ephemeral_container_common.name;
		const struct ephemeral_container *found = NULL;

		for (size_t k = 0; k < now->spec.ephemeral_containers.len && !found; k++) {
			const struct ephemeral_container *o = &now->spec.ephemeral_containers.at[k];

			if (str_eq(o->ephemeral_container_common.name, name))
				found = o;
		}
		if (!found || !struct_equal(t, found, old))
			causes_forbidden(c, p,
				"existing ephemeral containers \"%.*s\" may not be %s\n",
				STR_ARG(name), found ? "changed" : "removed");
	}
}

void update_config_map(struct validation *v, const void *now, const void *before)
{
	const struct config_map *a = now, *b = before;
	const struct type *t = object_type(now);
	struct arena *arena = v->causes->arena;
	static const char why[] = "field is immutable when `immutable` is set";
	static const char *const fields[] = {"data", "binaryData"};

	if (!b->immutable || !*b->immutable)
		return;
	if (!a->immutable || !*a->immutable)
		causes_forbidden(v->causes, FIELD(NULL, "immutable"), "%s", why);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (!str_eq(cause_field(arena, t, now, fields[i]).text,
			    cause_field(arena, t, before, fields[i]).text))
			causes_forbidden(v->causes, FIELD(NULL, fields[i]), "%s", why);
}

void update_secret(struct validation *v, const void *now, const void *before)
{
	const struct secret *a = now, *b = before;
	const struct type *t = object_type(now);
	struct arena *arena = v->causes->arena;
	static const char why[] = "field is immutable when `immutable` is set";

	if (!b->immutable || !*b->immutable)
		return;
	if (!a->immutable || !*a->immutable)
		causes_forbidden(v->causes, FIELD(NULL, "immutable"), "%s", why);
	if (!str_eq(cause_field(arena, t, now, "data").text,
		    cause_field(arena, t, before, "data").text))
		causes_forbidden(v->causes, FIELD(NULL, "data"), "%s", why);
}

void update_node(struct validation *v, const void *now, const void *before)
{
	const struct node *a = now, *b = before;
	const struct field_path *spec = FIELD(NULL, "spec");

	if (b->spec.pod_cidrs.len &&
		(b->spec.pod_cidrs.len != a->spec.pod_cidrs.len ||
			!str_eq(a->spec.pod_cidrs.at[0], b->spec.pod_cidrs.at[0])))
		causes_forbidden(v->causes, FIELD(spec, "podCIDRs"),
			"node updates may not change podCIDR except from \"\" to valid");
	if (b->spec.provider_id.len && !str_eq(a->spec.provider_id, b->spec.provider_id))
		causes_forbidden(v->causes, FIELD(spec, "providerID"),
			"node updates may not change providerID except from \"\" to valid");
}

static bool same_containers(struct causes *c, const struct field_path *p, size_t now, size_t before)
{
	if (now == before)
		return true;
	causes_forbidden(c, p, "pod updates may not add or remove containers");
	return false;
}

/* Copies of the lists in which the images are the old ones. */
static void keep_container_fields(
	struct arena *a, struct pod_spec *next, const struct pod_spec *old)
{
	struct container *mains = arena_get(a, next->containers.len * sizeof(*mains) + 1);
	struct container *inits = arena_get(a, next->init_containers.len * sizeof(*inits) + 1);

	for (size_t i = 0; i < next->containers.len; i++) {
		mains[i] = next->containers.at[i];
		mains[i].image = old->containers.at[i].image;
	}
	for (size_t i = 0; i < next->init_containers.len; i++) {
		inits[i] = next->init_containers.at[i];
		inits[i].image = old->init_containers.at[i].image;
	}
	next->containers.at = mains;
	next->init_containers.at = inits;
}

static void check_deadline(struct causes *c, const struct field_path *p, const struct pod_spec *now,
	const struct pod_spec *before)
{
	const int64_t *a = now->active_deadline_seconds, *b = before->active_deadline_seconds;
	const struct field_path *at = FIELD(p, "activeDeadlineSeconds");

	if (a && (*a < 0 || *a > INT32_MAX))
		causes_invalid(c, at, cause_i64(c->arena, *a),
			"must be between 0 and 2147483647, inclusive");
	else if (a && b && *b < *a)
		causes_invalid(c, at, cause_i64(c->arena, *a),
			"must be less than or equal to previous value");
	else if (!a && b)
		causes_invalid(c, at, cause_json(STR("null")),
			"must not update from a positive integer to nil value");
}

/* Every old one is still there, but for its seconds. */
static void check_tolerations(struct causes *c, const struct field_path *p,
	const struct pod_spec *now, const struct pod_spec *before)
{
	for (size_t i = 0; i < before->tolerations.len; i++) {
		const struct toleration *b = &before->tolerations.at[i];
		size_t k = 0;

		for (; k < now->tolerations.len; k++) {
			const struct toleration *a = &now->tolerations.at[k];

			if (str_eq(a->key, b->key) && str_eq(a->operator, b->operator) &&
				str_eq(a->value, b->value) && str_eq(a->effect, b->effect))
				break;
		}
		if (k == now->tolerations.len) {
			causes_forbidden(c, FIELD(p, "tolerations"),
				"existing toleration can not be modified except its "
				"tolerationSeconds");
			return;
		}
	}
}

static void check_removed_gates(struct causes *c, const struct field_path *p,
	const struct pod_spec *now, const struct pod_spec *before)
{
	for (size_t i = 0; i < now->scheduling_gates.len; i++) {
		str name = now->scheduling_gates.at[i].name;
		size_t k = 0;

		while (k < before->scheduling_gates.len &&
			!str_eq(before->scheduling_gates.at[k].name, name))
			k++;
		if (k == before->scheduling_gates.len)
			causes_forbidden(c,
				FIELD(FIELD_INDEX(FIELD(p, "schedulingGates"), i), "name"),
				"only deletion is allowed, but found new scheduling gate '%.*s'",
				STR_ARG(name));
	}
}

/* A pod that waits at a gate may be told more about where it may go. */
static void relax_gated(struct causes *c, const struct field_path *p, struct pod_spec *next,
	const struct pod_spec *before)
{
	if (!contains_all(&next->node_selector, &before->node_selector))
		causes_invalid(c, FIELD(p, "nodeSelector"),
			cause_field(
				c->arena, &api_schema.types[API_POD_SPEC], next, "nodeSelector"),
			"only additions to spec.nodeSelector are allowed (no mutations or "
			"deletions)");
	next->node_selector = before->node_selector;
	if (!before->affinity || !before->affinity->node_affinity)
		next->affinity = before->affinity;
}

static bool contains_all(const struct str_map *now, const struct str_map *before)
{
	for (size_t i = 0; i < before->len; i++)
		if (!str_eq(str_map_get(now, before->at[i].key), before->at[i].value))
			return false;
	return true;
}

static void update_mirror(
	struct causes *c, const struct object_meta *now, const struct object_meta *before)
{
	static const str key = STR_INIT("kubernetes.io/config.mirror");
	const struct field_path *p = FIELD_KEY(FIELD(FIELD(NULL, "metadata"), "annotations"), key);
	str a = meta_annotation(now, key), b = meta_annotation(before, key);

	if (b.at && !str_eq(a, b))
		causes_forbidden(c, p, "may not remove or update mirror pod annotation");
	else if (a.at && !b.at)
		causes_forbidden(c, p, "may not add mirror pod annotation");
}
