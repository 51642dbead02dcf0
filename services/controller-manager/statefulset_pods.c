#include "controller-manager/statefulset.h"

#define POD_NAME_LABEL  STR("statefulset.kubernetes.io/pod-name")
#define POD_INDEX_LABEL STR("apps.kubernetes.io/pod-index")

int64_t stateful_ordinal(const struct stateful_set *s, const struct pod *p)
{
	str name = p->metadata.name, set = s->metadata.name;
	int64_t ordinal;

	if (name.len < set.len + 2 || !str_starts(name, set) || name.at[set.len] != '-' ||
		!str_to_i64(str_slice(name, set.len + 1, name.len), &ordinal) || ordinal < 0)
		return -1;
	return ordinal;
}

static str claim_name(struct stateful *s, const struct persistent_volume_claim *t, int32_t ordinal)
{
	return arena_fmt(s->p->arena, "%.*s-%.*s-%d", STR_ARG(t->metadata.name),
		STR_ARG(s->seen->metadata.name), ordinal);
}

/* Volumes of the set's claims take the place of others with their names. */
static void put_volumes(struct stateful *s, struct pod_spec *spec, int32_t ordinal)
{
	size_t claims = s->seen->spec.volume_claim_templates.len, len = 0;
	struct volume *all = arena_get(
		s->p->arena, (claims + spec->volumes.len) * sizeof(*all) + 1);

	for (size_t i = 0; i < claims; i++) {
		const struct persistent_volume_claim *t =
			&s->seen->spec.volume_claim_templates.at[i];

		all[len].name = t->metadata.name;
		all[len].volume_source.persistent_volume_claim = arena_get(
			s->p->arena, sizeof(*all[len].volume_source.persistent_volume_claim));
		all[len++].volume_source.persistent_volume_claim->claim_name = claim_name(
			s, t, ordinal);
	}
	for (size_t i = 0; i < spec->volumes.len; i++) {
		bool replaced = false;

		for (size_t c = 0; c < claims; c++)
			replaced = replaced || str_eq(all[c].name, spec->volumes.at[i].name);
		if (!replaced)
			all[len++] = spec->volumes.at[i];
	}
	spec->volumes.at = all;
	spec->volumes.len = len;
}

static void put_identity(struct stateful *s, struct pod *pod, int32_t ordinal)
{
	struct arena *a = s->p->arena;

	pod->metadata.generate_name = STR("");
	pod->metadata.name = arena_fmt(a, "%.*s-%d", STR_ARG(s->seen->metadata.name), ordinal);
	str_map_set(a, &pod->metadata.labels, POD_NAME_LABEL, pod->metadata.name);
	str_map_set(a, &pod->metadata.labels, POD_INDEX_LABEL, arena_fmt(a, "%d", ordinal));
}

/* Below the partition, and while an update waits for its turn, pods are of the old revision. */
static bool wants_current(const struct stateful *s, int32_t ordinal)
{
	const struct rolling_update_stateful_set_strategy *u =
		s->seen->spec.update_strategy.rolling_update;

	if (!s->rolling)
		return false;
	if (!u)
		return ordinal < s->start + s->seen->status.current_replicas;
	return ordinal < s->start + (u->partition ? *u->partition : 0);
}

static int create_claims(struct stateful *s, int32_t ordinal, str pod, struct err *e)
{
	for (size_t i = 0; i < s->seen->spec.volume_claim_templates.len; i++) {
		const struct persistent_volume_claim *t =
			&s->seen->spec.volume_claim_templates.at[i];
		struct persistent_volume_claim *c = pass_new(s->p, API_PERSISTENT_VOLUME_CLAIM,
			s->seen->metadata.namespace, claim_name(s, t, ordinal));
		const struct str_map *labels = s->seen->spec.selector
			? &s->seen->spec.selector->match_labels
			: &t->metadata.labels;

		if (pass_get(s->p, API_PERSISTENT_VOLUME_CLAIM, c->metadata.namespace,
			    c->metadata.name))
			continue;
		c->metadata.labels = t->metadata.labels;
		c->metadata.annotations = t->metadata.annotations;
		for (size_t l = 0; l < labels->len; l++)
			str_map_set(s->p->arena, &c->metadata.labels, labels->at[l].key,
				labels->at[l].value);
		c->spec = t->spec;
		if (pass_create(s->p, c, NULL, e) == 0) {
			pass_event(s->p, s->seen, "SuccessfulCreate",
				"create Claim %.*s Pod %.*s in StatefulSet %.*s success",
				STR_ARG(c->metadata.name), STR_ARG(pod),
				STR_ARG(s->seen->metadata.name));
		} else if (e->kind != ERR_EXISTS) {
			pass_warn(s->p, s->seen, "FailedCreate",
				"create Claim %.*s for Pod %.*s in StatefulSet %.*s failed error: "
				"%s",
				STR_ARG(c->metadata.name), STR_ARG(pod),
				STR_ARG(s->seen->metadata.name), e->text);
			return -1;
		}
	}
	return 0;
}

int stateful_create(struct stateful *s, int32_t ordinal, struct err *e)
{
	bool current = wants_current(s, ordinal);
	struct pod *pod = pod_from_template(
		s->p, current ? s->current_template : s->update_template, s->seen);

	put_identity(s, pod, ordinal);
	put_volumes(s, &pod->spec, ordinal);
	str_map_set(s->p->arena, &pod->metadata.labels, REVISION_LABEL,
		current ? s->current : s->update);
	pod->spec.hostname = pod->metadata.name;
	pod->spec.subdomain = s->seen->spec.service_name;
	TRY(create_claims(s, ordinal, pod->metadata.name, e));
	if (pass_create(s->p, pod, NULL, e) < 0) {
		if (e->kind == ERR_EXISTS)
			return -1;
		if (!client_has_cause(e, STR("NamespaceTerminating")))
			pass_warn(s->p, s->seen, "FailedCreate",
				"create Pod %.*s in StatefulSet %.*s failed error: %s",
				STR_ARG(pod->metadata.name), STR_ARG(s->seen->metadata.name),
				e->text);
		return -1;
	}
	pass_event(s->p, s->seen, "SuccessfulCreate",
		"create Pod %.*s in StatefulSet %.*s successful", STR_ARG(pod->metadata.name),
		STR_ARG(s->seen->metadata.name));
	s->status.replicas++;
	s->status.current_replicas += current || str_eq(s->current, s->update);
	s->status.updated_replicas += !current || str_eq(s->current, s->update);
	return 0;
}

int stateful_delete(struct stateful *s, const struct pod *pod, struct err *e)
{
	if (pass_delete(s->p, pod, e) < 0 && e->kind != ERR_NOT_FOUND) {
		pass_warn(s->p, s->seen, "FailedDelete",
			"delete Pod %.*s in StatefulSet %.*s failed error: %s",
			STR_ARG(pod->metadata.name), STR_ARG(s->seen->metadata.name), e->text);
		return -1;
	}
	pass_event(s->p, s->seen, "SuccessfulDelete",
		"delete Pod %.*s in StatefulSet %.*s successful", STR_ARG(pod->metadata.name),
		STR_ARG(s->seen->metadata.name));
	return 0;
}

bool stateful_is_itself(struct stateful *s, const struct pod *pod, int32_t ordinal)
{
	str index = arena_fmt(s->p->arena, "%d", ordinal);

	return str_eq(str_map_get(&pod->metadata.labels, POD_NAME_LABEL), pod->metadata.name) &&
		str_eq(str_map_get(&pod->metadata.labels, POD_INDEX_LABEL), index);
}

int stateful_mend(struct stateful *s, const struct pod *pod, int32_t ordinal, struct err *e)
{
	struct pod *next = pass_copy(s->p, pod);

	put_identity(s, next, ordinal);
	return pass_update(s->p, next, NULL, e);
}
