#include "apiserver/authorization/pod_refs.h"

static void add(struct object_refs *to, enum ref_kind kind, str ns, str name);
static void add_own(struct object_refs *to, enum ref_kind kind, str name);
static void environment_refs(const struct env_from_source *from, size_t from_len,
	const struct env_var *vars, size_t len, struct object_refs *to);
static void add_source(const struct pod *p, const struct volume *v, struct object_refs *to);
static str claimed_resource(const struct pod *p, const struct pod_resource_claim *c);

void pod_refs(const struct pod *p, struct object_refs *to)
{
	const struct pod_spec *s = &p->spec;

	add_own(to, REF_SERVICE_ACCOUNT, s->service_account_name);
	for (size_t i = 0; i < s->image_pull_secrets.len; i++)
		add_own(to, REF_SECRET, s->image_pull_secrets.at[i].name);
	for (size_t i = 0; i < s->init_containers.len; i++) {
		const struct container *c = &s->init_containers.at[i];

		environment_refs(c->env_from.at, c->env_from.len, c->env.at, c->env.len, to);
	}
	for (size_t i = 0; i < s->containers.len; i++) {
		const struct container *c = &s->containers.at[i];

		environment_refs(c->env_from.at, c->env_from.len, c->env.at, c->env.len, to);
	}
	for (size_t i = 0; i < s->ephemeral_containers.len; i++) {
		const struct ephemeral_container_common *c =
			&s->ephemeral_containers.at[i].ephemeral_container_common;

		environment_refs(c->env_from.at, c->env_from.len, c->env.at, c->env.len, to);
	}
	for (size_t i = 0; i < s->volumes.len; i++)
		add_source(p, &s->volumes.at[i], to);
	for (size_t i = 0; i < s->resource_claims.len; i++)
		add_own(to, REF_RESOURCE_CLAIM, claimed_resource(p, &s->resource_claims.at[i]));
	if (p->status.extended_resource_claim_status)
		add_own(to, REF_RESOURCE_CLAIM,
			p->status.extended_resource_claim_status->resource_claim_name);
}

void volume_refs(const struct persistent_volume *v, struct object_refs *to)
{
	const struct persistent_volume_source *s = &v->spec.persistent_volume_source;
	str claim_ns = v->spec.claim_ref ? v->spec.claim_ref->namespace : (str){NULL, 0};
	const struct secret_reference *one = s->cephfs ? s->cephfs->secret_ref
		: s->flex_volume                       ? s->flex_volume->secret_ref
		: s->rbd                               ? s->rbd->secret_ref
		: s->scale_io                          ? s->scale_io->secret_ref
		: s->iscsi                             ? s->iscsi->secret_ref
						       : NULL;

	if (s->azure_file) {
		const str *ns = s->azure_file->secret_namespace;

		add(to, REF_SECRET, ns && ns->len ? *ns : claim_ns, s->azure_file->secret_name);
	} else if (one) {
		add(to, REF_SECRET, one->namespace.len ? one->namespace : claim_ns, one->name);
	} else if (s->cinder && s->cinder->secret_ref) {
		add(to, REF_SECRET, s->cinder->secret_ref->namespace, s->cinder->secret_ref->name);
	} else if (s->storageos && s->storageos->secret_ref) {
		add(to, REF_SECRET, s->storageos->secret_ref->namespace,
			s->storageos->secret_ref->name);
	} else if (s->csi) {
		const struct secret_reference *csi[] = {s->csi->node_publish_secret_ref,
			s->csi->node_stage_secret_ref, s->csi->node_expand_secret_ref};

		for (size_t i = 0; i < COUNT_OF(csi); i++)
			if (csi[i])
				add(to, REF_SECRET, csi[i]->namespace, csi[i]->name);
	}
}

static void add(struct object_refs *to, enum ref_kind kind, str ns, str name)
{
	void *at = to->at;

	if (name.len == 0 || arena_grow(to->arena, &at, to->len, &to->cap, sizeof(*to->at)) < 0)
		return;
	to->at = at;
	to->at[to->len++] = (struct object_ref){kind, ns, name};
}

static void add_own(struct object_refs *to, enum ref_kind kind, str name)
{
	add(to, kind, (str){NULL, 0}, name);
}

static void environment_refs(const struct env_from_source *from, size_t from_len,
	const struct env_var *vars, size_t len, struct object_refs *to)
{
	for (size_t i = 0; i < from_len; i++) {
		if (from[i].secret_ref)
			add_own(to, REF_SECRET, from[i].secret_ref->local_object_reference.name);
		if (from[i].config_map_ref)
			add_own(to, REF_CONFIG_MAP,
				from[i].config_map_ref->local_object_reference.name);
	}
	for (size_t i = 0; i < len; i++) {
		const struct env_var_source *s = vars[i].value_from;

		if (s && s->secret_key_ref)
			add_own(to, REF_SECRET, s->secret_key_ref->local_object_reference.name);
		if (s && s->config_map_key_ref)
			add_own(to, REF_CONFIG_MAP,
				s->config_map_key_ref->local_object_reference.name);
	}
}

/* The secret of the volume kinds that have one behind a reference; NULL for the others. */
static const struct local_object_reference *secret_of(const struct volume_source *s)
{
	return s->cephfs         ? s->cephfs->secret_ref
		: s->cinder      ? s->cinder->secret_ref
		: s->flex_volume ? s->flex_volume->secret_ref
		: s->rbd         ? s->rbd->secret_ref
		: s->scale_io    ? s->scale_io->secret_ref
		: s->iscsi       ? s->iscsi->secret_ref
		: s->storageos   ? s->storageos->secret_ref
		: s->csi         ? s->csi->node_publish_secret_ref
				 : NULL;
}

static void add_source(const struct pod *p, const struct volume *v, struct object_refs *to)
{
	const struct volume_source *s = &v->volume_source;
	const struct local_object_reference *secret = secret_of(s);

	if (secret)
		add_own(to, REF_SECRET, secret->name);
	if (s->azure_file)
		add_own(to, REF_SECRET, s->azure_file->secret_name);
	if (s->secret)
		add_own(to, REF_SECRET, s->secret->secret_name);
	if (s->config_map)
		add_own(to, REF_CONFIG_MAP, s->config_map->local_object_reference.name);
	for (size_t i = 0; s->projected && i < s->projected->sources.len; i++) {
		const struct volume_projection *one = &s->projected->sources.at[i];

		if (one->secret)
			add_own(to, REF_SECRET, one->secret->local_object_reference.name);
		if (one->config_map)
			add_own(to, REF_CONFIG_MAP, one->config_map->local_object_reference.name);
	}
	if (s->persistent_volume_claim)
		add_own(to, REF_CLAIM, s->persistent_volume_claim->claim_name);
	else if (s->ephemeral)
		add_own(to, REF_CLAIM,
			arena_fmt(to->arena, "%.*s-%.*s", STR_ARG(p->metadata.name),
				STR_ARG(v->name)));
}

/* Named by the pod, or made from a template and noted in its status. */
static str claimed_resource(const struct pod *p, const struct pod_resource_claim *c)
{
	if (c->resource_claim_name)
		return *c->resource_claim_name;
	for (size_t i = 0; i < p->status.resource_claim_statuses.len; i++) {
		const struct pod_resource_claim_status *s =
			&p->status.resource_claim_statuses.at[i];

		if (str_eq(s->name, c->name) && s->resource_claim_name)
			return *s->resource_claim_name;
	}
	return (str){NULL, 0};
}
