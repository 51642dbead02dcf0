/*
 * The controllers of this program, and which of them a command line asks for.
 */
#pragma once

#include "controller-manager/settings.h"
#include "lib/client/controller.h"

struct monitors;

/* What the program gives its controllers: env.settings points here. */
struct manager {
	struct settings settings; /* first: who needs no more takes it for these */
	struct monitors *monitors;
};

static inline const struct manager *manager_of(const struct controller_run *r)
{
	return r->env.settings;
}

struct controller_row {
	const struct controller *controller;
	const char *alias; /* its older name, which command lines still use; NULL: none */
	size_t workers;    /* offset of the setting; 0: as the table says */
	bool off;          /* only when named */
	bool root;         /* acts as the program itself */
	bool chatty;       /* of its many small calls the limit allows more, as upstream does */
	bool (*wanted)(const struct settings *s); /* NULL: always */
};

extern const struct controller_row controller_rows[];
extern const size_t controller_row_count;

/* ERR_INVALID in upstream's words for a name that is no controller's. */
NODISCARD int controllers_check(const struct settings *s, struct err *e);
bool controllers_asked_for(const struct settings *s, const struct controller_row *row);

/* The keys that informers find objects by. */
extern const struct informer_index controller_indexes[];
extern const size_t controller_index_count;

extern const struct controller serviceaccount_controller;
extern const struct controller root_ca_controller;
extern const struct controller replicaset_controller;
extern const struct controller replication_controller_controller;
extern const struct controller namespace_controller;
extern const struct controller garbage_collector_controller;
extern const struct controller resource_quota_controller;
extern const struct controller deployment_controller;
extern const struct controller endpoints_controller;
extern const struct controller endpointslice_controller;
extern const struct controller node_lifecycle_controller;
extern const struct controller taint_eviction_controller;
extern const struct controller pod_gc_controller;
extern const struct controller job_controller;
extern const struct controller cronjob_controller;
extern const struct controller ttl_after_finished_controller;
extern const struct controller statefulset_controller;
extern const struct controller daemonset_controller;
extern const struct controller horizontal_pod_autoscaler_controller;
extern const struct controller disruption_controller;
extern const struct controller endpointslice_mirroring_controller;
extern const struct controller clusterrole_aggregation_controller;
extern const struct controller csr_approving_controller;
extern const struct controller csr_signing_controller;
extern const struct controller csr_cleaner_controller;
extern const struct controller ttl_controller;
extern const struct controller bootstrap_signer_controller;
extern const struct controller token_cleaner_controller;
extern const struct controller node_ipam_controller;
extern const struct controller serviceaccount_token_controller;
extern const struct controller pvc_protection_controller;
extern const struct controller pv_protection_controller;
extern const struct controller vac_protection_controller;
extern const struct controller pv_binder_controller;
