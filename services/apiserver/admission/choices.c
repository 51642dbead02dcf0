#include "apiserver/admission/plugins.h"

/* Plugins that are off unless somebody wants them: AlwaysAdmit, AlwaysDeny, AlwaysPullImages,
 * DenyServiceExternalIPs, LimitPodHardAntiAffinityTopology, OwnerReferencesPermissionEnforcement.
 */

#define HOSTNAME "kubernetes.io/hostname"

int always_admit(
	UNUSED struct admission *n, UNUSED struct admission_attributes *t, UNUSED struct err *e)
{
	return 0;
}

int always_deny(UNUSED struct admission *n, const struct admission_attributes *t, struct err *e)
{
	return admission_forbid(t, e, "admission control is denying all modifications");
}

int always_pull_images(
	UNUSED struct admission *n, struct admission_attributes *t, UNUSED struct err *e)
{
	struct pod_spec *s = &((struct pod *)t->object)->spec;

	if (t->subresource.len > 0 && !str_eq(t->subresource, STR("ephemeralcontainers")))
		return 0;
	for (size_t i = 0; i < s->init_containers.len; i++)
		s->init_containers.at[i].image_pull_policy = STR("Always");
	for (size_t i = 0; i < s->containers.len; i++)
		s->containers.at[i].image_pull_policy = STR("Always");
	for (size_t i = 0; i < s->ephemeral_containers.len; i++)
		s->ephemeral_containers.at[i].ephemeral_container_common.image_pull_policy = STR(
			"Always");
	for (size_t i = 0; i < s->volumes.len; i++)
		if (s->volumes.at[i].volume_source.image)
			s->volumes.at[i].volume_source.image->pull_policy = STR("Always");
	return 0;
}

int deny_service_external_ips(
	UNUSED struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct service *now = t->object, *old = t->old;

	for (size_t i = 0; i < now->spec.external_ips.len; i++) {
		bool known = false;

		for (size_t j = 0; old && j < old->spec.external_ips.len; j++)
			known |= str_eq(now->spec.external_ips.at[i], old->spec.external_ips.at[j]);
		if (!known)
			return admission_forbid(
				t, e, "Use of external IPs is denied by admission control");
	}
	return 0;
}

int limit_pod_hard_anti_affinity_topology(
	UNUSED struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct affinity *f = ((const struct pod *)t->object)->spec.affinity;
	const struct pod_anti_affinity *anti = f ? f->pod_anti_affinity : NULL;

	for (size_t i = 0;
		anti && i < anti->required_during_scheduling_ignored_during_execution.len; i++) {
		str key = anti->required_during_scheduling_ignored_during_execution.at[i]
				  .topology_key;

		if (!str_eq(key, STR(HOSTNAME)))
			return admission_forbid(t, e,
				"affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey "
				"%.*s but only key " HOSTNAME " is allowed",
				STR_ARG(key));
	}
	return 0;
}

static bool changes_owners(const struct object_meta *now, const struct object_meta *old)
{
	bool same = now->owner_references.len == (old ? old->owner_references.len : 0);

	for (size_t i = 0; same && i < now->owner_references.len; i++)
		same = struct_equal(api_type(API_OWNER_REFERENCE), &now->owner_references.at[i],
			&old->owner_references.at[i]);
	return !same;
}

static bool blocks(const struct owner_reference *r)
{
	return r->block_owner_deletion && *r->block_owner_deletion;
}

static bool blocked_before(const struct object_meta *old, str uid)
{
	for (size_t i = 0; old && i < old->owner_references.len; i++)
		if (str_eq(old->owner_references.at[i].uid, uid))
			return blocks(&old->owner_references.at[i]);
	return false;
}

/* To keep the owner from going, one must be able to set finalizers on it. */
static int check_blocking(struct admission *n, const struct admission_attributes *t,
	const struct owner_reference *r, struct err *e)
{
	const struct type *type = type_find_api_version(&api_schema, r->api_version, r->kind);
	const struct resource *owner = NULL;
	struct buf reason;

	for (size_t i = 0; type && i < api_resource_count && !owner; i++)
		if (api_type(api_resources[i].type) == type)
			owner = &api_resources[i];
	if (!owner)
		return admission_forbid(t, e,
			"cannot set blockOwnerDeletion in this case because cannot find "
			"RESTMapping "
			"for APIVersion %.*s Kind %.*s",
			STR_ARG(r->api_version), STR_ARG(r->kind));
	struct attributes a = {
		.user = t->user,
		.verb = STR("update"),
		.is_resource = true,
		.group = owner->group,
		.version = owner->version,
		.resource = owner->plural,
		.subresource = STR("finalizers"),
		.ns = owner->namespaced ? t->ns : (str){NULL, 0},
		.name = r->name,
	};

	buf_init(&reason, BUF_NO_LIMIT);
	int result = 0;

	if (authorize(n->options.authorizer, &a, &reason) != DECISION_ALLOW)
		result = admission_forbid(t, e,
			"cannot set blockOwnerDeletion if an ownerReference refers to a resource "
			"you can't set finalizers on: %.*s, <nil>",
			STR_ARG(buf_str(&reason)));
	buf_free(&reason);
	return result;
}

static int check_delete(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	struct attributes a = {
		.user = t->user,
		.verb = STR("delete"),
		.is_resource = true,
		.group = t->resource->group,
		.version = t->resource->version,
		.resource = t->resource->plural,
		.subresource = t->subresource,
		.ns = t->ns,
		.name = t->name,
	};
	struct buf reason;
	int result = 0;

	buf_init(&reason, BUF_NO_LIMIT);
	if (authorize(n->options.authorizer, &a, &reason) != DECISION_ALLOW)
		result = admission_forbid(t, e,
			"cannot set an ownerRef on a resource you can't delete: %.*s, <nil>",
			STR_ARG(buf_str(&reason)));
	buf_free(&reason);
	return result;
}

int owner_references_permission_enforcement(
	struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct object_meta *now = meta_of(t->object);
	const struct object_meta *old = t->old ? meta_of(t->old) : NULL;
	struct attributes everything = {
		.user = t->user,
		.verb = STR("update"),
		.is_resource = true,
		.group = STR("*"),
		.version = STR("*"),
		.resource = STR("*"),
		.subresource = STR("finalizers"),
		.name = STR("*"),
	};

	if (!now || (admission_is(t, "", "pods") && str_eq(t->subresource, STR("status"))) ||
		!changes_owners(now, old))
		return 0;
	if (t->operation != ADMIT_CREATE)
		TRY(check_delete(n, t, e));
	bool may_all = authorize(n->options.authorizer, &everything, NULL) == DECISION_ALLOW;

	for (size_t i = 0; !may_all && i < now->owner_references.len; i++) {
		const struct owner_reference *r = &now->owner_references.at[i];

		if (blocks(r) && !blocked_before(old, r->uid))
			TRY(check_blocking(n, t, r, e));
	}
	return 0;
}
