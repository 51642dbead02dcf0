#include "lib/daemon/flags.h"

const struct flag component_flags[] = {
	{"authentication-kubeconfig", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"authentication-skip-lookup", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"authentication-token-webhook-cache-ttl", FLAG_DURATION, FLAG_UNUSED, 0, NULL, NULL},
	{"authentication-tolerate-lookup-failure", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"authorization-always-allow-paths", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"authorization-kubeconfig", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"authorization-webhook-cache-authorized-ttl", FLAG_DURATION, FLAG_UNUSED, 0, NULL, NULL},
	{"authorization-webhook-cache-unauthorized-ttl", FLAG_DURATION, FLAG_UNUSED, 0, NULL, NULL},
	{"cert-dir", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"disable-http2-serving", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"http2-max-streams-per-connection", FLAG_INT, FLAG_UNUSED, 0, NULL, NULL},
	{"leader-elect-resource-lock", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"permit-address-sharing", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"permit-port-sharing", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"requestheader-allowed-names", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"requestheader-client-ca-file", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"requestheader-extra-headers-prefix", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"requestheader-group-headers", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"requestheader-uid-headers", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"requestheader-username-headers", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"tls-cipher-suites", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"tls-curve-preferences", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"tls-min-version", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"tls-sni-cert-key", FLAG_REPEATED, FLAG_UNUSED, 0, NULL, NULL},
};

const size_t component_flag_count = COUNT_OF(component_flags);
