/*
 * Kinds of other groups: pkg/registry/{apps,batch,certificates,resource,
 * scheduling,storage}/.../strategy.go.
 */
#include "apiserver/registry/strategies.h"

/* Each pod of a job carries its uid, and the job selects by it. */
void job_prepare_create(struct operation *op, void *now)
{
	static const str keys[] = {
		STR_INIT("batch.kubernetes.io/controller-uid"), STR_INIT("controller-uid")};
	static const str names[] = {STR_INIT("batch.kubernetes.io/job-name"), STR_INIT("job-name")};
	struct job *j = now;
	struct str_map *labels = &j->spec.template.metadata.labels;

	if (j->spec.manual_selector && *j->spec.manual_selector)
		return;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		str_map_set(op->arena, labels, keys[i], j->metadata.uid);
		str_map_set(op->arena, labels, names[i], j->metadata.name);
	}
	if (!j->spec.selector)
		j->spec.selector = arena_get(op->arena, sizeof(*j->spec.selector));
	str_map_set(op->arena, &j->spec.selector->match_labels, keys[0], j->metadata.uid);
}

/* Annotations count as a change of a deployment's generation too. */
void deployment_prepare_update(struct operation *op, void *now, const void *before)
{
	const struct type *t = &api_schema.types[API_OBJECT_META];
	struct object_meta *m = meta_of(now);
	const struct object_meta *old = meta_of(before);

	if (!str_eq(cause_field(op->arena, t, m, "annotations").text,
		    cause_field(op->arena, t, old, "annotations").text) &&
		store_same_spec(op->arena, now, before))
		m->generation = old->generation + 1;
}

/* Who asks is who the certificate may be made for. */
void csr_prepare_create(struct operation *op, void *now)
{
	struct certificates_certificate_signing_request *c = now;
	const struct user *u = op->user;

	c->spec.username = u->name;
	c->spec.uid = u->uid;
	c->spec.groups = u->groups;
	c->spec.extra.len = u->extra_count;
	c->spec.extra.at = arena_get(op->arena, u->extra_count * sizeof(*c->spec.extra.at) + 1);
	for (size_t i = 0; i < u->extra_count; i++) {
		c->spec.extra.at[i].key = u->extra[i].key;
		c->spec.extra.at[i].value.items = u->extra[i].values;
	}
}

void csr_prepare_update(struct operation *op, void *now, const void *before)
{
	struct certificates_certificate_signing_request *c = now;
	const struct certificates_certificate_signing_request *old = before;

	c->spec = old->spec;
	if (!str_eq(op->subresource, STR("approval")))
		return;
	c->status.certificate = old->status.certificate;
	for (size_t i = 0; i < c->status.conditions.len; i++) {
		struct time_value now_value = meta_now(op->registry->o.clock);

		if (!c->status.conditions.at[i].last_update_time.set)
			c->status.conditions.at[i].last_update_time = now_value;
		if (!c->status.conditions.at[i].last_transition_time.set)
			c->status.conditions.at[i].last_transition_time = now_value;
	}
}

void priority_class_prepare_create(struct operation *op, void *now)
{
	struct priority_class *c = now;

	(void)op;
	c->metadata.generation = 1;
}

/* Unlike other kinds it begins with no generation. */
void csi_driver_prepare_update(struct operation *op, void *now, const void *before)
{
	struct storage_csi_driver *d = now;
	const struct storage_csi_driver *old = before;

	if (!store_same_spec(op->arena, now, before))
		d->metadata.generation = old->metadata.generation + 1;
}

/* Who reports the status of these changes no metadata either. */
void metadata_prepare_status(struct operation *op, void *now, const void *before)
{
	struct object_meta *m = meta_of(now), sent = *m;

	(void)op;
	*m = *meta_of(before);
	m->resource_version = sent.resource_version;
	m->managed_fields.at = sent.managed_fields.at;
	m->managed_fields.len = sent.managed_fields.len;
}

/* What nobody else serves is there at once. */
void api_service_prepare_create(struct operation *op, void *now)
{
	struct apiregistration_api_service *s = now;

	if (s->spec.service)
		return;
	s->status.conditions.at = arena_get(op->arena, sizeof(*s->status.conditions.at));
	s->status.conditions.len = 1;
	s->status.conditions.at[0] = (struct apiregistration_api_service_condition){
		.type = STR("Available"),
		.status = STR("True"),
		.last_transition_time = meta_now(op->registry->o.clock),
		.reason = STR("Local"),
		.message = STR("Local APIServices are always available"),
	};
}
