/*
 * The command line of kube-controller-manager, upstream's flags. Durations are nanoseconds.
 */
#pragma once

#include "lib/daemon/flags.h"

/* A CA: files with its certificate and its key. */
struct signing_files {
	str cert, key;
};

struct settings {
	str kubeconfig, master;
	double kube_api_qps;
	int64_t kube_api_burst;
	struct str_list controllers;
	bool use_service_account_credentials;

	bool leader_elect;
	int64_t leader_elect_lease_ns, leader_elect_renew_ns, leader_elect_retry_ns;
	str leader_elect_name, leader_elect_namespace;

	str bind_address;
	int64_t secure_port;
	str tls_cert_file, tls_key_file, client_ca_file;

	int64_t workers_cron_job, workers_daemon_set, workers_deployment, workers_endpoint,
		workers_gc, workers_job, workers_quota, workers_namespace, workers_replica_set,
		workers_service_endpoint, workers_token, workers_stateful_set, workers_ttl,
		workers_mirroring, workers_hpa;

	str root_ca_file, service_account_key_file, cluster_name;
	struct signing_files signing, signing_kubelet_serving, signing_kubelet_client,
		signing_apiserver_client, signing_legacy_unknown;
	int64_t signing_duration_ns;
	int64_t quota_sync_period_ns;
	bool enable_garbage_collector, allocate_node_cidrs;
	str cluster_cidr, service_cluster_ip_range;
	int64_t node_cidr_mask_size, node_cidr_mask_size_ipv4, node_cidr_mask_size_ipv6;
	int64_t node_monitor_period_ns, node_monitor_grace_ns, node_startup_grace_ns;
	double node_eviction_rate, secondary_node_eviction_rate, unhealthy_zone_threshold;
	int64_t large_cluster_size_threshold;
	int64_t terminated_pod_gc_threshold;
	int64_t max_endpoints_per_slice, mirroring_max_endpoints;
	int64_t hpa_sync_period_ns, hpa_downscale_stabilization_ns, hpa_cpu_initialization_ns,
		hpa_readiness_delay_ns;
	double hpa_tolerance;
};

extern const struct flag settings_flags[];
extern const size_t settings_flag_count;
