#include "apiserver/validation/rules.h"

#define FIELDS(...) ((const struct field_rule[]){__VA_ARGS__, {NULL, 0, 0, NULL}})
#define NAMED(field, form) \
	{ \
		(field), RULE_NAME_NEEDED, (form), NULL \
	}
#define NAME(field, form) \
	{ \
		(field), RULE_NAME, (form), NULL \
	}
#define REQUIRED(field) \
	{ \
		(field), RULE_REQUIRED, 0, NULL \
	}
#define NOT_NEGATIVE(field) \
	{ \
		(field), RULE_NOT_NEGATIVE, 0, NULL \
	}
#define VALUES(field, values) \
	{ \
		(field), RULE_VALUES, 0, (values) \
	}
#define POSITIVE(field) \
	{ \
		(field), RULE_POSITIVE, 0, NULL \
	}

#define ACCESS_MODES "ReadOnlyMany ReadWriteMany ReadWriteOnce ReadWriteOncePod"

/* By row of the type tables. */
static const struct struct_rules by_type[] = {
	[API_LABEL_SELECTOR] = {NULL, check_label_selector},

	/* pods */
	[API_POD_SPEC] = {FIELDS(REQUIRED("terminationGracePeriodSeconds"),
				  VALUES("restartPolicy", "Always OnFailure Never"),
				  VALUES("dnsPolicy",
					  "ClusterFirstWithHostNet ClusterFirst Default None"),
				  NAME("serviceAccountName", NAME_DNS1123_SUBDOMAIN),
				  NAME("nodeName", NAME_DNS1123_SUBDOMAIN),
				  {"nodeSelector", RULE_LABELS, 0, NULL},
				  NAME("hostname", NAME_DNS1123_LABEL),
				  NAME("subdomain", NAME_DNS1123_LABEL),
				  NAME("priorityClassName", NAME_DNS1123_SUBDOMAIN),
				  NAME("runtimeClassName", NAME_DNS1123_SUBDOMAIN)),
		check_pod_spec},
	[API_POD_TEMPLATE_SPEC] = {NULL, check_template},
	[API_CONTAINER] = {FIELDS(NAMED("name", NAME_DNS1123_LABEL),
				   VALUES("terminationMessagePolicy", "File FallbackToLogsOnError"),
				   VALUES("restartPolicy", "Always Never OnFailure")),
		check_container},
	[API_EPHEMERAL_CONTAINER_COMMON] = {FIELDS(NAMED("name", NAME_DNS1123_LABEL)),
		check_container},
	[API_CONTAINER_PORT] = {FIELDS(NAME("name", NAME_PORT),
					{"hostPort", RULE_PORT_OR_NONE, 0, NULL},
					{"hostIP", RULE_IP, 0, NULL}),
		NULL},
	[API_ENV_VAR] = {FIELDS(NAMED("name", NAME_ENV_VAR_RELAXED)), check_env_var},
	[API_ENV_FROM_SOURCE] = {FIELDS(NAME("prefix", NAME_ENV_VAR_RELAXED)), NULL},
	[API_CONFIG_MAP_ENV_SOURCE] = {FIELDS(REQUIRED("name")), NULL},
	[API_SECRET_ENV_SOURCE] = {FIELDS(REQUIRED("name")), NULL},
	[API_CONFIG_MAP_KEY_SELECTOR] = {FIELDS(NAMED("key", NAME_CONFIG_MAP_KEY)), NULL},
	[API_SECRET_KEY_SELECTOR] = {FIELDS(NAMED("key", NAME_CONFIG_MAP_KEY)), NULL},
	[API_OBJECT_FIELD_SELECTOR] = {FIELDS(REQUIRED("apiVersion"), REQUIRED("fieldPath")), NULL},
	[API_RESOURCE_FIELD_SELECTOR] = {FIELDS(REQUIRED("resource")), NULL},
	[API_VOLUME_MOUNT] = {FIELDS(REQUIRED("name"), REQUIRED("mountPath")), check_volume_mount},
	[API_VOLUME_DEVICE] = {FIELDS(REQUIRED("name"), REQUIRED("devicePath")), NULL},
	[API_RESOURCE_REQUIREMENTS] = {NULL, check_resources},
	[API_PROBE] = {FIELDS(NOT_NEGATIVE("initialDelaySeconds"), NOT_NEGATIVE("timeoutSeconds"),
			       NOT_NEGATIVE("periodSeconds"), NOT_NEGATIVE("successThreshold"),
			       NOT_NEGATIVE("failureThreshold")),
		NULL},
	[API_PROBE_HANDLER] = {NULL, check_probe_handler},
	[API_LIFECYCLE_HANDLER] = {NULL, check_lifecycle_handler},
	[API_EXEC_ACTION] = {FIELDS(REQUIRED("command")), NULL},
	[API_HTTP_GET_ACTION] = {FIELDS(REQUIRED("path")), NULL},
	[API_HTTP_HEADER] = {FIELDS(NAME("name", NAME_HTTP_HEADER)), NULL},
	[API_SECURITY_CONTEXT] = {NULL, check_security_context},
	[API_POD_SECURITY_CONTEXT] = {NULL, check_pod_security_context},
	[API_SECCOMP_PROFILE] = {NULL, check_seccomp},
	[API_TOLERATION] = {FIELDS(VALUES("operator", "Equal Exists"),
				    VALUES("effect", "NoSchedule PreferNoSchedule NoExecute")),
		check_toleration},
	[API_TAINT] = {FIELDS(VALUES("effect", "NoSchedule PreferNoSchedule NoExecute")),
		check_taint},
	[API_NODE_SELECTOR] = {FIELDS({"nodeSelectorTerms", RULE_REQUIRED, 0,
				       "must have at least one node selector term"}),
		NULL},
	[API_NODE_SELECTOR_REQUIREMENT] = {FIELDS(VALUES("operator", NULL)),
		check_node_selector_requirement},
	[API_PREFERRED_SCHEDULING_TERM] = {NULL, check_preferred_weight},
	[API_WEIGHTED_POD_AFFINITY_TERM] = {NULL, check_pod_affinity_weight},
	[API_POD_AFFINITY_TERM] = {FIELDS({"topologyKey", RULE_REQUIRED, 0, "can not be empty"},
					   NAME("topologyKey", NAME_QUALIFIED),
					   NAME("namespaces", NAME_DNS1123_LABEL)),
		NULL},
	[API_TOPOLOGY_SPREAD_CONSTRAINT] =
		{FIELDS(POSITIVE("maxSkew"), POSITIVE("minDomains"),
			 {"topologyKey", RULE_REQUIRED, 0, "can not be empty"}),
			check_topology_spread},
	[API_HOST_ALIAS] =
		{FIELDS({"ip", RULE_IP, 0, NULL}, NAME("hostnames", NAME_DNS1123_SUBDOMAIN)), NULL},
	[API_POD_DNS_CONFIG] = {FIELDS({"nameservers", RULE_IP, 0, NULL}), check_dns_config},
	[API_POD_DNS_CONFIG_OPTION] = {FIELDS({"name", RULE_REQUIRED, 0, "must not be empty"}),
		NULL},
	[API_POD_SCHEDULING_GATE] = {FIELDS(NAMED("name", NAME_QUALIFIED)), NULL},
	[API_POD_READINESS_GATE] = {FIELDS(NAME("conditionType", NAME_QUALIFIED)), NULL},
	[API_POD_OS] = {FIELDS(REQUIRED("name"), VALUES("name", "linux windows")), NULL},

	/* volumes */
	[API_VOLUME] = {FIELDS(NAMED("name", NAME_DNS1123_LABEL)), NULL},
	[API_VOLUME_SOURCE] = {NULL, check_volume_source},
	[API_VOLUME_PROJECTION] = {NULL, check_volume_projection},
	[API_HOST_PATH_VOLUME_SOURCE] = {FIELDS(REQUIRED("path")), NULL},
	[API_CONFIG_MAP_VOLUME_SOURCE] = {FIELDS(REQUIRED("name")), NULL},
	[API_SECRET_VOLUME_SOURCE] = {FIELDS(REQUIRED("secretName")), NULL},
	[API_PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE] = {FIELDS(REQUIRED("claimName")), NULL},
	[API_NFS_VOLUME_SOURCE] = {FIELDS(REQUIRED("server"), REQUIRED("path")), NULL},
	[API_KEY_TO_PATH] = {FIELDS(REQUIRED("key"), REQUIRED("path")), check_key_to_path},
	[API_DOWNWARD_API_VOLUME_FILE] = {FIELDS(REQUIRED("path")), check_downward_file},
	[API_SERVICE_ACCOUNT_TOKEN_PROJECTION] = {FIELDS(REQUIRED("path")), NULL},
	[API_EPHEMERAL_VOLUME_SOURCE] = {FIELDS(REQUIRED("volumeClaimTemplate")), NULL},
	[API_LOCAL_VOLUME_SOURCE] = {FIELDS(REQUIRED("path")), NULL},
	[API_PERSISTENT_VOLUME_SPEC] =
		{FIELDS(REQUIRED("accessModes"), {"accessModes", RULE_VALUES, 1, ACCESS_MODES},
			 NAME("storageClassName", NAME_DNS1123_SUBDOMAIN)),
			check_pv_spec},
	[API_PERSISTENT_VOLUME_CLAIM_SPEC] =
		{FIELDS({"accessModes", RULE_VALUES, 1, ACCESS_MODES},
			 NAME("storageClassName", NAME_DNS1123_SUBDOMAIN)),
			check_pvc_spec},
	[API_STORAGE_STORAGE_CLASS] =
		{FIELDS(REQUIRED("provisioner"), VALUES("reclaimPolicy", "Delete Retain")),
			check_storage_class},

	[API_STORAGE_CSI_NODE_SPEC] = {NULL, check_csi_node_spec},
	[API_STORAGE_VOLUME_NODE_RESOURCES] = {FIELDS(NOT_NEGATIVE("count")), NULL},
	[API_STORAGE_CSI_DRIVER_SPEC] =
		{FIELDS(VALUES("fsGroupPolicy", "File None ReadWriteOnceWithFSType"),
			 {"volumeLifecycleModes", RULE_VALUES, 1, "Persistent Ephemeral"}),
			check_csi_driver_spec},
	[API_STORAGE_VOLUME_ATTACHMENT_SPEC] = {NULL, check_volume_attachment_spec},
	[API_STORAGE_CSI_STORAGE_CAPACITY] = {NULL, check_csi_storage_capacity},
	[API_STORAGE_VOLUME_ATTRIBUTES_CLASS] = {NULL, check_volume_attributes_class},

	/* devices */
	[API_RESOURCE_DEVICE_CLAIM] = {FIELDS({"requests", RULE_MAX_ITEMS, 32, NULL},
					       {"constraints", RULE_MAX_ITEMS, 32, NULL},
					       {"config", RULE_MAX_ITEMS, 32, NULL}),
		check_device_claim},
	[API_RESOURCE_DEVICE_REQUEST] = {FIELDS({"firstAvailable", RULE_MAX_ITEMS, 8, NULL}),
		check_device_request},
	[API_RESOURCE_EXACT_DEVICE_REQUEST] =
		{FIELDS(NAMED("deviceClassName", NAME_DNS1123_SUBDOMAIN),
			 {"selectors", RULE_MAX_ITEMS, 32, NULL}),
			check_exact_device_request},
	[API_RESOURCE_DEVICE_SUB_REQUEST] =
		{FIELDS(NAMED("deviceClassName", NAME_DNS1123_SUBDOMAIN),
			 {"selectors", RULE_MAX_ITEMS, 32, NULL}),
			check_device_sub_request},
	[API_RESOURCE_DEVICE_SELECTOR] = {FIELDS(REQUIRED("cel")), check_device_selector},
	[API_RESOURCE_DEVICE_CONSTRAINT] =
		{FIELDS({"requests", RULE_MAX_ITEMS, 32, NULL}, {"requests", RULE_UNIQUE, 0, NULL}),
			check_device_constraint},
	[API_RESOURCE_DEVICE_CLAIM_CONFIGURATION] =
		{FIELDS({"requests", RULE_MAX_ITEMS, 32, NULL}, {"requests", RULE_UNIQUE, 0, NULL}),
			NULL},
	[API_RESOURCE_DEVICE_CONFIGURATION] = {FIELDS(REQUIRED("opaque")),
		check_device_configuration},
	[API_RESOURCE_DEVICE_TOLERATION] = {FIELDS(NAME("key", NAME_QUALIFIED)),
		check_device_toleration},
	[API_RESOURCE_DEVICE_CLASS_SPEC] = {FIELDS({"selectors", RULE_MAX_ITEMS, 32, NULL},
						    {"config", RULE_MAX_ITEMS, 32, NULL}),
		NULL},
	[API_RESOURCE_RESOURCE_CLAIM_TEMPLATE_SPEC] = {NULL, check_claim_template},
	[API_RESOURCE_RESOURCE_POOL] = {FIELDS(POSITIVE("resourceSliceCount")),
		check_resource_pool},
	[API_RESOURCE_RESOURCE_SLICE_SPEC] = {FIELDS(NAME("nodeName", NAME_DNS1123_SUBDOMAIN)),
		check_resource_slice_spec},
	[API_RESOURCE_DEVICE] = {FIELDS({"consumesCounters", RULE_MAX_ITEMS, 2, NULL},
					 {"taints", RULE_MAX_ITEMS, 16, NULL},
					 {"bindingConditions", RULE_MAX_ITEMS, 4, NULL},
					 NAME("bindingConditions", NAME_QUALIFIED),
					 {"bindingFailureConditions", RULE_MAX_ITEMS, 4, NULL},
					 NAME("bindingFailureConditions", NAME_QUALIFIED),
					 NAME("nodeName", NAME_DNS1123_SUBDOMAIN)),
		check_device},
	[API_RESOURCE_DEVICE_ATTRIBUTE] = {NULL, check_device_attribute},
	[API_RESOURCE_DEVICE_TAINT] = {FIELDS(NAME("value", NAME_LABEL_VALUE)), check_device_taint},
	[API_RESOURCE_COUNTER_SET] =
		{FIELDS(NAMED("name", NAME_DNS1123_LABEL), REQUIRED("counters")), NULL},
	[API_RESOURCE_DEVICE_COUNTER_CONSUMPTION] =
		{FIELDS(NAMED("counterSet", NAME_DNS1123_LABEL), REQUIRED("counters")), NULL},

	/* the rest of core */
	[API_SERVICE_SPEC] = {FIELDS({"selector", RULE_LABELS, 0, NULL}), check_service_spec},
	[API_CONFIG_MAP] = {NULL, check_config_map},
	[API_SECRET] = {NULL, check_secret},
	[API_NODE_SPEC] = {FIELDS({"taints", RULE_ROOT, 0, "metadata"}), check_node_spec},
	[API_LIMIT_RANGE_ITEM] = {NULL, check_limit_range},
	[API_RESOURCE_QUOTA_SPEC] = {NULL, check_resource_quota_spec},
	[API_RESOURCE_QUOTA_STATUS] = {NULL, check_resource_quota_status},
	[API_ENDPOINT_SUBSET] = {NULL, check_endpoint_subset},
	[API_EVENT] = {NULL, check_event},
	[API_REPLICATION_CONTROLLER_SPEC] =
		{FIELDS(NOT_NEGATIVE("replicas"), NOT_NEGATIVE("minReadySeconds"),
			 {"selector", RULE_LABELS, 0, NULL}),
			check_replication_controller},

	/* workloads */
	[API_DEPLOYMENT_SPEC] = {FIELDS(NOT_NEGATIVE("replicas"), NOT_NEGATIVE("minReadySeconds"),
					 NOT_NEGATIVE("revisionHistoryLimit"),
					 NOT_NEGATIVE("progressDeadlineSeconds")),
		check_deployment_spec},
	[API_DEPLOYMENT_STRATEGY] = {NULL, check_deployment_strategy},
	[API_REPLICA_SET_SPEC] = {FIELDS(NOT_NEGATIVE("replicas"), NOT_NEGATIVE("minReadySeconds")),
		check_replica_set_spec},
	[API_DAEMON_SET_SPEC] =
		{FIELDS(NOT_NEGATIVE("minReadySeconds"), NOT_NEGATIVE("revisionHistoryLimit")),
			check_daemon_set_spec},
	[API_DAEMON_SET_UPDATE_STRATEGY] = {NULL, check_daemon_set_strategy},
	[API_STATEFUL_SET_SPEC] =
		{FIELDS(VALUES("podManagementPolicy", NULL), NOT_NEGATIVE("replicas"),
			 NOT_NEGATIVE("minReadySeconds"), NOT_NEGATIVE("revisionHistoryLimit")),
			check_stateful_set_spec},
	[API_STATEFUL_SET_ORDINALS] = {FIELDS(NOT_NEGATIVE("start")), NULL},
	[API_CONTROLLER_REVISION] = {FIELDS(NOT_NEGATIVE("revision")), NULL},
	[API_JOB_SPEC] =
		{FIELDS(VALUES("completionMode", "NonIndexed Indexed"), NOT_NEGATIVE("parallelism"),
			 NOT_NEGATIVE("completions"), NOT_NEGATIVE("activeDeadlineSeconds"),
			 NOT_NEGATIVE("backoffLimit"), NOT_NEGATIVE("ttlSecondsAfterFinished"),
			 NOT_NEGATIVE("backoffLimitPerIndex"), NOT_NEGATIVE("maxFailedIndexes"),
			 NAME("managedBy", NAME_QUALIFIED)),
			check_job_spec},
	[API_CRON_JOB] = {NULL, check_cron_job},
	[API_CRON_JOB_SPEC] = {FIELDS(NOT_NEGATIVE("startingDeadlineSeconds"),
				       NOT_NEGATIVE("successfulJobsHistoryLimit"),
				       NOT_NEGATIVE("failedJobsHistoryLimit")),
		check_cron_job_spec},
	[API_JOB_TEMPLATE_SPEC] = {NULL, check_job_template},
	[API_HORIZONTAL_POD_AUTOSCALER_SPEC] = {NULL, check_hpa_spec},
	[API_METRIC_SPEC] =
		{FIELDS(VALUES("type", "ContainerResource External Object Pods Resource")),
			check_metric_spec},
	[API_METRIC_TARGET] = {NULL, check_metric_target},
	[API_METRIC_IDENTIFIER] = {FIELDS(REQUIRED("name")), NULL},
	[API_HPA_SCALING_RULES] = {FIELDS(VALUES("selectPolicy", "Disabled Max Min")),
		check_scaling_rules},
	[API_HPA_SCALING_POLICY] = {FIELDS(VALUES("type", "Percent Pods")), check_scaling_policy},
	[API_CROSS_VERSION_OBJECT_REFERENCE] = {FIELDS(REQUIRED("kind"), REQUIRED("name")), NULL},

	/* webhooks */
	[API_ADMISSION_VALIDATING_WEBHOOK_CONFIGURATION] = {NULL, check_validating_webhooks},
	[API_ADMISSION_MUTATING_WEBHOOK_CONFIGURATION] = {NULL, check_mutating_webhooks},
	[API_ADMISSION_VALIDATING_WEBHOOK] = {FIELDS(VALUES("failurePolicy", "Fail Ignore"),
						      VALUES("matchPolicy", "Equivalent Exact"),
						      VALUES("sideEffects", "None NoneOnDryRun")),
		check_validating_webhook},
	[API_ADMISSION_MUTATING_WEBHOOK] = {FIELDS(VALUES("failurePolicy", "Fail Ignore"),
						    VALUES("matchPolicy", "Equivalent Exact"),
						    VALUES("sideEffects", "None NoneOnDryRun"),
						    VALUES("reinvocationPolicy", "IfNeeded Never")),
		check_mutating_webhook},
	[API_ADMISSION_RULE_WITH_OPERATIONS] =
		{FIELDS(VALUES("operations", "* CONNECT CREATE DELETE UPDATE")), check_operations},
	[API_ADMISSION_RULE] = {FIELDS(VALUES("scope", "* Cluster Namespaced")),
		check_admission_rule},
	[API_ADMISSION_WEBHOOK_CLIENT_CONFIG] = {NULL, check_client_config},

	/* access */
	[API_RBAC_ROLE] = {NULL, check_role},
	[API_RBAC_CLUSTER_ROLE] = {NULL, check_cluster_role},
	[API_RBAC_ROLE_BINDING] = {NULL, check_role_binding},
	[API_RBAC_CLUSTER_ROLE_BINDING] = {NULL, check_cluster_role_binding},
	[API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST_SPEC] = {NULL, check_csr_spec},

	/* network */
	[API_INGRESS_SPEC] = {FIELDS(NAME("ingressClassName", NAME_DNS1123_SUBDOMAIN)),
		check_ingress_spec},
	[API_INGRESS_RULE] = {NULL, check_ingress_rule},
	[API_HTTP_INGRESS_PATH] = {NULL, check_ingress_path},
	[API_INGRESS_BACKEND] = {NULL, check_ingress_backend},
	[API_NETWORK_POLICY_SPEC] = {FIELDS(VALUES("policyTypes", "Ingress Egress")), NULL},
	[API_NETWORK_POLICY_PORT] = {FIELDS(VALUES("protocol", "TCP UDP SCTP")), check_policy_port},
	[API_NETWORK_POLICY_PEER] = {NULL, check_policy_peer},
	[API_IP_BLOCK] = {NULL, check_ip_block},
	[API_SLICE_ENDPOINT_SLICE] = {FIELDS(VALUES("addressType", "FQDN IPv4 IPv6")),
		check_endpoint_slice},
	[API_PARENT_REFERENCE] = {FIELDS(REQUIRED("resource"), REQUIRED("name")), NULL},

	/* the others */
	[API_CRD_CUSTOM_RESOURCE_DEFINITION] = {NULL, check_crd},
	[API_APIREGISTRATION_API_SERVICE] = {NULL, check_api_service},
	[API_POD_DISRUPTION_BUDGET_SPEC] = {NULL, check_pdb_spec},
	[API_LEASE_SPEC] = {NULL, check_lease_spec},
	[API_PRIORITY_CLASS] = {FIELDS(VALUES("preemptionPolicy", "PreemptLowerPriority Never")),
		check_priority_class},
	[API_NODE_RUNTIME_CLASS] = {FIELDS(NAMED("handler", NAME_DNS1123_LABEL)), NULL},
};

/* Kinds whose names are not DNS subdomains, or of which something may not change. */
static const struct kind_rules kinds[] = {
	{API_POD, NAME_DNS1123_SUBDOMAIN, NULL, update_pod, NULL},
	{API_SERVICE, NAME_DNS1123_LABEL, NULL, update_service, update_service_status},
	{API_NAMESPACE, NAME_DNS1123_LABEL, NULL, NULL, NULL},
	{API_RESOURCE_QUOTA, NAME_DNS1123_SUBDOMAIN, NULL, update_resource_quota, NULL},
	{API_CONFIG_MAP, NAME_DNS1123_SUBDOMAIN, NULL, update_config_map, NULL},
	{API_SECRET, NAME_DNS1123_SUBDOMAIN, "type", update_secret, NULL},
	{API_NODE, NAME_DNS1123_SUBDOMAIN, NULL, update_node, NULL},
	{API_PERSISTENT_VOLUME, NAME_DNS1123_SUBDOMAIN, "spec.volumeMode", update_pv, NULL},
	{API_PERSISTENT_VOLUME_CLAIM, NAME_DNS1123_SUBDOMAIN, NULL, update_pvc, NULL},
	{API_DEPLOYMENT, NAME_DNS1123_SUBDOMAIN, "spec.selector", NULL, NULL},
	{API_REPLICA_SET, NAME_DNS1123_SUBDOMAIN, "spec.selector", NULL, NULL},
	{API_DAEMON_SET, NAME_DNS1123_SUBDOMAIN, "spec.selector", NULL, NULL},
	{API_STATEFUL_SET, NAME_DNS1123_SUBDOMAIN, NULL, update_stateful_set, NULL},
	{API_CONTROLLER_REVISION, NAME_DNS1123_SUBDOMAIN, "data", NULL, NULL},
	{API_JOB, NAME_DNS1123_SUBDOMAIN,
		"spec.selector spec.completionMode spec.podFailurePolicy spec.successPolicy "
		"spec.backoffLimitPerIndex spec.managedBy",
		update_job, NULL},
	{API_RBAC_ROLE, NAME_PATH_SEGMENT, NULL, NULL, NULL},
	{API_RBAC_CLUSTER_ROLE, NAME_PATH_SEGMENT, NULL, NULL, NULL},
	{API_RBAC_ROLE_BINDING, NAME_PATH_SEGMENT, NULL, update_role_binding, NULL},
	{API_RBAC_CLUSTER_ROLE_BINDING, NAME_PATH_SEGMENT, NULL, update_role_binding, NULL},
	{API_PRIORITY_CLASS, NAME_DNS1123_SUBDOMAIN, NULL, update_priority_class, NULL},
	{API_NODE_RUNTIME_CLASS, NAME_DNS1123_SUBDOMAIN, "handler", NULL, NULL},
	{API_STORAGE_STORAGE_CLASS, NAME_DNS1123_SUBDOMAIN,
		"provisioner parameters reclaimPolicy volumeBindingMode", NULL, NULL},
	{API_STORAGE_CSI_NODE, NAME_DNS1123_SUBDOMAIN, NULL, update_csi_node, NULL},
	{API_STORAGE_CSI_DRIVER, NAME_DNS1123_SUBDOMAIN, "spec.volumeLifecycleModes",
		update_csi_driver, NULL},
	{API_STORAGE_CSI_STORAGE_CAPACITY, NAME_DNS1123_SUBDOMAIN, "nodeTopology storageClassName",
		NULL, NULL},
	{API_STORAGE_VOLUME_ATTACHMENT, NAME_DNS1123_SUBDOMAIN, "spec", NULL, NULL},
	{API_STORAGE_VOLUME_ATTRIBUTES_CLASS, NAME_DNS1123_SUBDOMAIN, NULL,
		update_volume_attributes_class, NULL},
	{API_RESOURCE_RESOURCE_CLAIM, NAME_DNS1123_SUBDOMAIN, "spec", NULL,
		update_resource_claim_status},
	{API_RESOURCE_RESOURCE_CLAIM_TEMPLATE, NAME_DNS1123_SUBDOMAIN, "spec", NULL, NULL},
	{API_RESOURCE_RESOURCE_SLICE, NAME_DNS1123_SUBDOMAIN,
		"spec.pool.name spec.driver spec.nodeName", NULL, NULL},
	{API_SLICE_ENDPOINT_SLICE, NAME_DNS1123_SUBDOMAIN, "addressType", NULL, NULL},
	{API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST, NAME_PATH_SEGMENT, NULL, NULL, NULL},
	{API_APIREGISTRATION_API_SERVICE, NAME_PATH_SEGMENT, NULL, NULL, update_api_service_status},
	{API_CRD_CUSTOM_RESOURCE_DEFINITION, NAME_DNS1123_SUBDOMAIN, "spec.group spec.names.plural",
		update_crd, NULL},
	{API_IP_ADDRESS, (enum name_form)NAME_IP, "spec.parentRef", NULL, NULL},
	{API_SERVICE_CIDR, NAME_DNS1123_SUBDOMAIN, NULL, update_service_cidr, NULL},
	{API_INGRESS_CLASS, NAME_DNS1123_SUBDOMAIN, "spec.controller", NULL, NULL},
};

const struct struct_rules *rules_of(const struct type *t)
{
	size_t at = (size_t)(t - api_schema.types);

	return t->schema == &api_schema && at < COUNT_OF(by_type) ? &by_type[at] : NULL;
}

const struct kind_rules *kind_rules_of(const struct type *t)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (t == &api_schema.types[kinds[i].type])
			return &kinds[i];
	return NULL;
}
