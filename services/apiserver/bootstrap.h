/*
 * What every cluster has from its first start on: the system namespaces, the system priority
 * classes, RBAC's default roles and bindings, the range of Service addresses, the Service
 * `kubernetes` with the endpoints that lead to this server, and whom servers behind it may believe
 * (pkg/controlplane/controller/{systemnamespaces,kubernetesservice,defaultservicecidr,
 * clusterauthenticationtrust}).
 *
 * Blocks; several servers may do it at once. What is there already stays.
 */
#pragma once

#include "apiserver/registry/registry.h"
#include "apiserver/trust.h"

struct bootstrap_options {
	struct registry *registry;
	struct storage *storage;
	const struct clock *clock;
	struct random *random;
	bool rbac;             /* --authorization-mode has RBAC */
	str advertise_address; /* where clients in pods reach this server */
	int32_t secure_port;
	str service_cluster_ip_range;
	struct trust trust;
};

NODISCARD int bootstrap(const struct bootstrap_options *o, struct err *e);

/* The first address of a range, which the Service `kubernetes` has; empty if it is none. */
str bootstrap_service_address(struct arena *a, str range);
