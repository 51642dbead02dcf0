/*
 * The command line of kube-apiserver: upstream's flags.
 */
#pragma once

#include "lib/daemon/flags.h"

struct apiserver_flags {
	str advertise_address;
	bool anonymous_auth;
	struct str_list api_audiences;
	struct str_list authorization_mode;
	str bind_address;
	str cert_dir;
	str client_ca_file;
	struct str_list disable_admission_plugins;
	struct str_list enable_admission_plugins;
	bool enable_aggregator_routing;
	bool bootstrap_tokens;
	str etcd_cafile;
	str etcd_certfile;
	int64_t etcd_compaction_interval_ns;
	str etcd_keyfile;
	str etcd_prefix;
	struct str_list etcd_servers;
	int64_t event_ttl_ns;
	int64_t max_mutating;
	int64_t max_requests;
	int64_t min_request_timeout_s;
	str proxy_client_cert_file;
	str proxy_client_key_file;
	int64_t request_timeout_ns;
	struct str_list requestheader_allowed_names;
	str requestheader_client_ca_file;
	struct str_list requestheader_extra_prefixes;
	struct str_list requestheader_group_headers;
	struct str_list requestheader_uid_headers;
	struct str_list requestheader_username_headers;
	int64_t secure_port;
	bool extend_token_expiration;
	struct str_list service_account_issuers;
	str service_account_jwks_uri;
	struct str_list service_account_key_files;
	int64_t token_expiration_max_ns;
	str service_account_signing_key_file;
	str service_cluster_ip_range;
	str service_node_port_range;
	int64_t shutdown_delay_ns;
	str tls_cert_file;
	str tls_private_key_file;
	str token_auth_file;
};

enum { APISERVER_FLAG_TABLES = 2 };

const struct flag_table *apiserver_flag_tables(
	struct apiserver_flags *into, struct flag_table tables[APISERVER_FLAG_TABLES]);
