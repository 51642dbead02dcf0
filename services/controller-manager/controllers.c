#include "controller-manager/controllers.h"
#include "controller-manager/pods.h"

#define SETTING(field) offsetof(struct settings, field)

static bool has_root_ca(const struct settings *s);
static bool collects_garbage(const struct settings *s);
static bool has_signing_ca(const struct settings *s);
static bool has_token_key(const struct settings *s);
static bool allocates_cidrs(const struct settings *s);

const struct controller_row controller_rows[] = {
	{&serviceaccount_token_controller, .alias = "serviceaccount-token",
		.workers = SETTING(workers_token), .root = true, .wanted = has_token_key},
	{&serviceaccount_controller, .alias = "serviceaccount"},
	{&garbage_collector_controller, .alias = "garbagecollector", .workers = SETTING(workers_gc),
		.wanted = collects_garbage},
	{&resource_quota_controller, .alias = "resourcequota", .workers = SETTING(workers_quota)},
	{&namespace_controller, .alias = "namespace", .workers = SETTING(workers_namespace),
		.chatty = true},
	{&endpoints_controller, .alias = "endpoint", .workers = SETTING(workers_endpoint)},
	{&endpointslice_controller, .alias = "endpointslice",
		.workers = SETTING(workers_service_endpoint)},
	{&deployment_controller, .alias = "deployment", .workers = SETTING(workers_deployment)},
	{&pod_gc_controller, .alias = "podgc"},
	{&node_lifecycle_controller, .alias = "nodelifecycle"},
	{&taint_eviction_controller, .alias = NULL},
	{&job_controller, .alias = "job", .workers = SETTING(workers_job)},
	{&cronjob_controller, .alias = "cronjob", .workers = SETTING(workers_cron_job)},
	{&ttl_after_finished_controller, .alias = "ttl-after-finished",
		.workers = SETTING(workers_ttl)},
	{&statefulset_controller, .alias = "statefulset", .workers = SETTING(workers_stateful_set)},
	{&daemonset_controller, .alias = "daemonset", .workers = SETTING(workers_daemon_set)},
	{&horizontal_pod_autoscaler_controller, .alias = "horizontalpodautoscaling",
		.workers = SETTING(workers_hpa)},
	{&disruption_controller, .alias = "disruption"},
	{&endpointslice_mirroring_controller, .alias = "endpointslicemirroring",
		.workers = SETTING(workers_mirroring)},
	{&clusterrole_aggregation_controller, .alias = "clusterrole-aggregation"},
	{&replicaset_controller, .alias = "replicaset", .workers = SETTING(workers_replica_set)},
	{&replication_controller_controller, .alias = "replicationcontroller"},
	{&csr_signing_controller, .alias = "csrsigning", .wanted = has_signing_ca},
	{&csr_approving_controller, .alias = "csrapproving"},
	{&csr_cleaner_controller, .alias = "csrcleaner"},
	{&ttl_controller, .alias = "ttl"},
	{&bootstrap_signer_controller, .alias = "bootstrapsigner", .off = true},
	{&token_cleaner_controller, .alias = "tokencleaner", .off = true},
	{&node_ipam_controller, .alias = "nodeipam", .wanted = allocates_cidrs},
	{&pv_binder_controller, .alias = "persistentvolume-binder"},
	{&pvc_protection_controller, .alias = "pvc-protection"},
	{&pv_protection_controller, .alias = "pv-protection"},
	{&vac_protection_controller, .alias = NULL},
	{&root_ca_controller, .alias = "root-ca-cert-publisher", .wanted = has_root_ca},
};

const size_t controller_row_count = COUNT_OF(controller_rows);

const struct informer_index controller_indexes[] = {
	{API_POD, informer_by_controller},
	{API_POD, pod_by_node},
	{API_REPLICA_SET, informer_by_controller},
	{API_CONTROLLER_REVISION, informer_by_controller},
	{API_JOB, informer_by_controller},
};

const size_t controller_index_count = COUNT_OF(controller_indexes);

static bool has_root_ca(const struct settings *s)
{
	return s->root_ca_file.len > 0;
}

static bool collects_garbage(const struct settings *s)
{
	return s->enable_garbage_collector;
}

static bool has_signing_ca(const struct settings *s)
{
	return s->signing.cert.len > 0 || s->signing_kubelet_serving.cert.len > 0 ||
		s->signing_kubelet_client.cert.len > 0 ||
		s->signing_apiserver_client.cert.len > 0 || s->signing_legacy_unknown.cert.len > 0;
}

static bool allocates_cidrs(const struct settings *s)
{
	return s->allocate_node_cidrs;
}

static bool has_token_key(const struct settings *s)
{
	return s->service_account_key_file.len > 0;
}

static bool is_called(const struct controller_row *row, str name)
{
	return str_eq(name, str_of(row->controller->name)) ||
		(row->alias && str_eq(name, str_of(row->alias)));
}

int controllers_check(const struct settings *s, struct err *e)
{
	for (size_t i = 0; i < s->controllers.len; i++) {
		str name = s->controllers.at[i];
		bool known = str_eq(name, STR("*"));

		if (str_starts(name, STR("-")))
			name = str_slice(name, 1, name.len);
		for (size_t at = 0; at < controller_row_count; at++)
			known = known || is_called(&controller_rows[at], name);
		if (!known)
			return err_set(e, ERR_INVALID,
				"\"%.*s\" is not in the list of known controllers", STR_ARG(name));
	}
	return 0;
}

/* A name counts before the star, whatever their order. */
bool controllers_asked_for(const struct settings *s, const struct controller_row *row)
{
	bool all = false;

	for (size_t i = 0; i < s->controllers.len; i++) {
		str name = s->controllers.at[i];

		if (is_called(row, name))
			return true;
		if (str_starts(name, STR("-")) && is_called(row, str_slice(name, 1, name.len)))
			return false;
		all = all || str_eq(name, STR("*"));
	}
	return all && !row->off;
}
