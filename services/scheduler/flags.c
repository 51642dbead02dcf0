#include "scheduler/flags.h"

#define AT(field) offsetof(struct settings, field)

const struct flag settings_flags[] = {
	{"bind-address", FLAG_STRING, 0, AT(bind_address), "0.0.0.0",
		"address that health and metrics are served on"},
	{"client-ca-file", FLAG_STRING, 0, AT(client_ca_file), NULL,
		"CA of client certificates that may read metrics"},
	{"kube-api-burst", FLAG_INT, FLAG_UNUSED | FLAG_DEPRECATED, 0, NULL, NULL},
	{"kube-api-content-type", FLAG_STRING, FLAG_UNUSED | FLAG_DEPRECATED, 0, NULL, NULL},
	{"kube-api-qps", FLAG_FLOAT, FLAG_UNUSED | FLAG_DEPRECATED, 0, NULL, NULL},
	{"kubeconfig", FLAG_STRING, 0, AT(kubeconfig), NULL,
		"file that says how to reach the API server"},
	{"leader-elect", FLAG_BOOL, 0, AT(leader_elect), "true",
		"work only as the leader of several"},
	{"leader-elect-lease-duration", FLAG_DURATION, 0, AT(leader_elect_lease_ns), "15s",
		"how long a leader that is not heard of stays one"},
	{"leader-elect-renew-deadline", FLAG_DURATION, 0, AT(leader_elect_renew_ns), "10s",
		"how long the leader tries to stay one"},
	{"leader-elect-resource-name", FLAG_STRING, 0, AT(leader_elect_name), "kube-scheduler",
		"name of the Lease"},
	{"leader-elect-resource-namespace", FLAG_STRING, 0, AT(leader_elect_namespace),
		"kube-system", "namespace of the Lease"},
	{"leader-elect-retry-period", FLAG_DURATION, 0, AT(leader_elect_retry_ns), "2s",
		"between tries to become the leader"},
	{"master", FLAG_STRING, 0, AT(master), NULL, "address of the API server"},
	{"pod-max-in-unschedulable-pods-duration", FLAG_DURATION, 0, AT(parked_most_ns), "5m0s",
		"how long a pod waits at most before it is tried again"},
	{"secure-port", FLAG_INT, 0, AT(secure_port), "10259",
		"port of health and metrics; 0: none"},
	{"tls-cert-file", FLAG_STRING, 0, AT(tls_cert_file), NULL, "certificate to serve with"},
	{"tls-private-key-file", FLAG_STRING, 0, AT(tls_key_file), NULL, "its key"},
	{"write-config-to", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
};

const size_t settings_flag_count = COUNT_OF(settings_flags);
