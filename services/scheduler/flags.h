/*
 * kube-scheduler's command line. --config is not built: it is an error that names it, since a
 * configuration that is not followed would pretend.
 */
#pragma once

#include "lib/daemon/flags.h"

struct settings {
	str kubeconfig, master;
	str bind_address, client_ca_file, tls_cert_file, tls_key_file;
	int64_t secure_port, parked_most_ns;
	bool leader_elect;
	str leader_elect_name, leader_elect_namespace;
	int64_t leader_elect_lease_ns, leader_elect_renew_ns, leader_elect_retry_ns;
};

extern const struct flag settings_flags[];
extern const size_t settings_flag_count;
