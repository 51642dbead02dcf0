#include "apiserver/registry/strategies.h"

#include "lib/structural/structural.h"

#define UNCONDITIONAL STRATEGY_UNCONDITIONAL
#define ON_UPDATE     STRATEGY_CREATE_ON_UPDATE
#define GENERATION    STRATEGY_GENERATION
#define STATUS        STRATEGY_STATUS_RESET

static const struct strategy strategies[] = {
	{.resource = STR_INIT("customresourcedefinitions"),
		.group = STR_INIT("apiextensions.k8s.io"),
		.flags = GENERATION | STATUS,
		.prepare_create = crd_prepare_create,
		.prepare_update = crd_prepare_update},
	{.resource = STR_INIT("apiservices"),
		.group = STR_INIT("apiregistration.k8s.io"),
		.flags = STATUS,
		.prepare_create = api_service_prepare_create,
		.prepare_status = metadata_prepare_status},
	{.resource = STR_INIT("pods"),
		.flags = UNCONDITIONAL | GENERATION | STATUS,
		.prepare_create = pod_prepare_create,
		.prepare_update = pod_prepare_update,
		.prepare_status = pod_prepare_status,
		.grace = pod_grace},
	{.resource = STR_INIT("services"),
		.flags = UNCONDITIONAL | ON_UPDATE | STATUS,
		.prepare_update = service_prepare_update,
		.allocate = service_allocate,
		.release = service_release},
	{.resource = STR_INIT("namespaces"),
		.flags = UNCONDITIONAL | STATUS,
		.prepare_create = namespace_prepare_create,
		.prepare_update = namespace_prepare_update},
	{.resource = STR_INIT("secrets"),
		.flags = UNCONDITIONAL,
		.prepare_create = secret_prepare_create,
		.prepare_update = secret_prepare_update},
	{.resource = STR_INIT("configmaps"), .flags = UNCONDITIONAL},
	{.resource = STR_INIT("serviceaccounts"), .flags = UNCONDITIONAL},
	{.resource = STR_INIT("endpoints"), .flags = UNCONDITIONAL | ON_UPDATE},
	{.resource = STR_INIT("events"), .flags = UNCONDITIONAL | ON_UPDATE},
	{.resource = STR_INIT("limitranges"), .flags = UNCONDITIONAL | ON_UPDATE},
	{.resource = STR_INIT("resourcequotas"),
		.flags = UNCONDITIONAL | STATUS,
		.warn = resource_quota_warn},
	{.resource = STR_INIT("nodes"),
		.flags = UNCONDITIONAL,
		.prepare_create = node_prepare_create,
		.prepare_update = node_prepare_update},
	{.resource = STR_INIT("podtemplates"), .flags = UNCONDITIONAL | GENERATION},
	{.resource = STR_INIT("replicationcontrollers"),
		.flags = UNCONDITIONAL | GENERATION | STATUS | STRATEGY_ORPHAN},
	{.resource = STR_INIT("persistentvolumes"),
		.flags = UNCONDITIONAL | STATUS,
		.prepare_create = volume_prepare_create},
	{.resource = STR_INIT("persistentvolumeclaims"),
		.flags = UNCONDITIONAL | STATUS,
		.prepare_create = claim_prepare_create},
	{.group = STR_INIT("admissionregistration.k8s.io"),
		.resource = STR_INIT("mutatingwebhookconfigurations"),
		.flags = GENERATION},
	{.group = STR_INIT("admissionregistration.k8s.io"),
		.resource = STR_INIT("validatingwebhookconfigurations"),
		.flags = GENERATION},
	{.group = STR_INIT("apps"),
		.resource = STR_INIT("deployments"),
		.flags = UNCONDITIONAL | GENERATION | STATUS,
		.prepare_update = deployment_prepare_update},
	{.group = STR_INIT("apps"),
		.resource = STR_INIT("replicasets"),
		.flags = UNCONDITIONAL | GENERATION | STATUS},
	{.group = STR_INIT("apps"),
		.resource = STR_INIT("statefulsets"),
		.flags = UNCONDITIONAL | GENERATION | STATUS},
	{.group = STR_INIT("apps"),
		.resource = STR_INIT("daemonsets"),
		.flags = UNCONDITIONAL | GENERATION | STATUS},
	{.group = STR_INIT("apps"),
		.resource = STR_INIT("controllerrevisions"),
		.flags = UNCONDITIONAL},
	{.group = STR_INIT("autoscaling"),
		.resource = STR_INIT("horizontalpodautoscalers"),
		.flags = UNCONDITIONAL | STATUS},
	{.group = STR_INIT("batch"),
		.resource = STR_INIT("jobs"),
		.flags = UNCONDITIONAL | GENERATION | STATUS,
		.prepare_create = job_prepare_create},
	{.group = STR_INIT("batch"),
		.resource = STR_INIT("cronjobs"),
		.flags = UNCONDITIONAL | GENERATION | STATUS},
	{.group = STR_INIT("certificates.k8s.io"),
		.resource = STR_INIT("certificatesigningrequests"),
		.flags = UNCONDITIONAL | STATUS,
		.prepare_create = csr_prepare_create,
		.prepare_update = csr_prepare_update},
	{.group = STR_INIT("coordination.k8s.io"),
		.resource = STR_INIT("leases"),
		.flags = ON_UPDATE},
	{.group = STR_INIT("discovery.k8s.io"),
		.resource = STR_INIT("endpointslices"),
		.flags = UNCONDITIONAL | GENERATION},
	{.group = STR_INIT("events.k8s.io"),
		.resource = STR_INIT("events"),
		.flags = UNCONDITIONAL | ON_UPDATE},
	{.group = STR_INIT("networking.k8s.io"),
		.resource = STR_INIT("ingresses"),
		.flags = UNCONDITIONAL | GENERATION | STATUS},
	{.group = STR_INIT("networking.k8s.io"),
		.resource = STR_INIT("ingressclasses"),
		.flags = UNCONDITIONAL | GENERATION},
	{.group = STR_INIT("networking.k8s.io"),
		.resource = STR_INIT("networkpolicies"),
		.flags = UNCONDITIONAL | GENERATION},
	{.group = STR_INIT("networking.k8s.io"),
		.resource = STR_INIT("ipaddresses"),
		.flags = UNCONDITIONAL},
	{.group = STR_INIT("networking.k8s.io"),
		.resource = STR_INIT("servicecidrs"),
		.flags = UNCONDITIONAL | STATUS},
	{.group = STR_INIT("node.k8s.io"),
		.resource = STR_INIT("runtimeclasses"),
		.flags = ON_UPDATE},
	{.group = STR_INIT("policy"),
		.resource = STR_INIT("poddisruptionbudgets"),
		.flags = GENERATION | STATUS},
	{.group = STR_INIT("rbac.authorization.k8s.io"),
		.resource = STR_INIT("roles"),
		.flags = UNCONDITIONAL | ON_UPDATE},
	{.group = STR_INIT("rbac.authorization.k8s.io"),
		.resource = STR_INIT("clusterroles"),
		.flags = UNCONDITIONAL | ON_UPDATE},
	{.group = STR_INIT("rbac.authorization.k8s.io"),
		.resource = STR_INIT("rolebindings"),
		.flags = UNCONDITIONAL | ON_UPDATE},
	{.group = STR_INIT("rbac.authorization.k8s.io"),
		.resource = STR_INIT("clusterrolebindings"),
		.flags = UNCONDITIONAL | ON_UPDATE},
	{.group = STR_INIT("scheduling.k8s.io"),
		.resource = STR_INIT("priorityclasses"),
		.flags = UNCONDITIONAL,
		.prepare_create = priority_class_prepare_create},
	{.group = STR_INIT("resource.k8s.io"),
		.resource = STR_INIT("deviceclasses"),
		.flags = UNCONDITIONAL | GENERATION},
	{.group = STR_INIT("resource.k8s.io"),
		.resource = STR_INIT("resourceclaims"),
		.flags = UNCONDITIONAL | STATUS,
		.prepare_status = metadata_prepare_status},
	{.group = STR_INIT("resource.k8s.io"),
		.resource = STR_INIT("resourceclaimtemplates"),
		.flags = UNCONDITIONAL},
	{.group = STR_INIT("resource.k8s.io"),
		.resource = STR_INIT("resourceslices"),
		.flags = UNCONDITIONAL | GENERATION},
	{.group = STR_INIT("storage.k8s.io"),
		.resource = STR_INIT("storageclasses"),
		.flags = UNCONDITIONAL},
	{.group = STR_INIT("storage.k8s.io"),
		.resource = STR_INIT("csidrivers"),
		.prepare_update = csi_driver_prepare_update},
	{.group = STR_INIT("storage.k8s.io"), .resource = STR_INIT("csinodes")},
	{.group = STR_INIT("storage.k8s.io"), .resource = STR_INIT("csistoragecapacities")},
	{.group = STR_INIT("storage.k8s.io"),
		.resource = STR_INIT("volumeattachments"),
		.flags = STATUS,
		.prepare_status = metadata_prepare_status},
	{.group = STR_INIT("storage.k8s.io"),
		.resource = STR_INIT("volumeattributesclasses"),
		.flags = UNCONDITIONAL},
};

/* What is only asked, and never stored. */
static const struct {
	str group, resource, subresource;
	create_function *create;
} creates[] = {
	{STR_INIT(""), STR_INIT("bindings"), STR_INIT(""), create_binding},
	{STR_INIT(""), STR_INIT("pods"), STR_INIT("binding"), create_pod_binding},
	{STR_INIT(""), STR_INIT("pods"), STR_INIT("eviction"), create_eviction},
	{STR_INIT(""), STR_INIT("serviceaccounts"), STR_INIT("token"), create_token},
	{STR_INIT("authentication.k8s.io"), STR_INIT("tokenreviews"), STR_INIT(""),
		create_token_review},
	{STR_INIT("authentication.k8s.io"), STR_INIT("selfsubjectreviews"), STR_INIT(""),
		create_self_subject_review},
	{STR_INIT("authorization.k8s.io"), STR_INIT("subjectaccessreviews"), STR_INIT(""),
		create_subject_access_review},
	{STR_INIT("authorization.k8s.io"), STR_INIT("localsubjectaccessreviews"), STR_INIT(""),
		create_local_access_review},
	{STR_INIT("authorization.k8s.io"), STR_INIT("selfsubjectaccessreviews"), STR_INIT(""),
		create_self_access_review},
	{STR_INIT("authorization.k8s.io"), STR_INIT("selfsubjectrulesreviews"), STR_INIT(""),
		create_rules_review},
};

const struct strategy *strategy_find(const struct resource *r)
{
	if (r->custom)
		return r->custom->version->subresources && r->custom->version->subresources->status
			? &custom_strategy_with_status
			: &custom_strategy;
	for (size_t i = 0; i < COUNT_OF(strategies); i++)
		if (str_eq(r->plural, strategies[i].resource) &&
			str_eq(r->group, strategies[i].group))
			return &strategies[i];
	return NULL;
}

int registry_connect_create(
	struct operation *op, void *object, const void *options, void **to, struct err *e)
{
	struct admission_attributes t = store_attributes(op, ADMIT_CREATE, object, NULL, options);

	for (size_t i = 0; i < COUNT_OF(creates); i++) {
		if (!str_eq(op->resource->plural, creates[i].resource) ||
			!str_eq(op->resource->group, creates[i].group) ||
			!str_eq(op->subresource, creates[i].subresource))
			continue;
		TRY(admission_mutate(op->registry->o.admission, &t, e));
		TRY(admission_validate(op->registry->o.admission, &t, e));
		return creates[i].create(op, t.object, to, e);
	}
	return status_fail(
		op->arena, e, STATUS_NOT_FOUND, "the server could not find the requested resource");
}

int store_modify(
	struct operation *op, change_function *change, const void *with, void **to, struct err *e)
{
	enum { TRIES_MAX = 100 };
	struct stored *stored;
	int result = -1;

	TRY(store_read(op, false, &stored, e));
	for (int tries = 0; tries < TRIES_MAX && stored; tries++) {
		struct stored *current = NULL;
		struct err why;
		int64_t revision;
		void *object;

		result = -1;
		if (store_in_time(op, e) < 0 || store_decode(op, stored, &object, e) < 0 ||
			change(op, object, with, e) < 0)
			break;
		*to = object;
		result = 0;
		if (op->dry_run)
			break;
		result = storage_update(op->registry->o.storage, stored, object, store_ttl_s(op),
			&revision, &current, &why);
		if (result == 0) {
			metadata_set_revision(op->arena, object_metadata(object), revision);
			break;
		}
		if (why.kind != ERR_CONFLICT) {
			store_fail(op, op->name, &why, e);
			break;
		}
		counted_drop(&stored->counted);
		stored = current;
		status_not_found(op->arena, e, operation_subject(op, op->name));
	}
	if (stored)
		counted_drop(&stored->counted);
	return result;
}
