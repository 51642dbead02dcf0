/*
 * The hooks of single kinds, which the table in strategies.c names; one file a group of them.
 */
#pragma once

#include "apiserver/registry/store.h"

/* core_pod.c */
void pod_prepare_create(struct operation *op, void *now);
void pod_prepare_update(struct operation *op, void *now, const void *before);
void pod_prepare_status(struct operation *op, void *now, const void *before);
int64_t pod_grace(struct operation *op, const void *now, const struct delete_options *o);

/* custom.c */
void crd_prepare_create(struct operation *op, void *now);
void crd_prepare_update(struct operation *op, void *now, const void *before);

/* core_service.c, core_service_update.c */
void service_prepare_update(struct operation *op, void *now, const void *before);
bool service_takes_ports(const struct service *s);
int service_allocate(struct operation *op, void *now, const void *before, struct err *e);
void service_release(struct operation *op, const void *now, const void *before);

/* core.c */
void namespace_prepare_create(struct operation *op, void *now);
void namespace_prepare_update(struct operation *op, void *now, const void *before);
void node_prepare_create(struct operation *op, void *now);
void node_prepare_update(struct operation *op, void *now, const void *before);
void secret_prepare_create(struct operation *op, void *now);
void secret_prepare_update(struct operation *op, void *now, const void *before);
void volume_prepare_create(struct operation *op, void *now);
void claim_prepare_create(struct operation *op, void *now);
void resource_quota_warn(struct operation *op, const void *now, const void *before);

/* groups.c */
void job_prepare_create(struct operation *op, void *now);
void csr_prepare_create(struct operation *op, void *now);
void csr_prepare_update(struct operation *op, void *now, const void *before);
void deployment_prepare_update(struct operation *op, void *now, const void *before);
void priority_class_prepare_create(struct operation *op, void *now);
void csi_driver_prepare_update(struct operation *op, void *now, const void *before);
void api_service_prepare_create(struct operation *op, void *now);
void metadata_prepare_status(struct operation *op, void *now, const void *before);

/*
 * Addresses and ports of Services, taken and given back as upstream does it: an address is an
 * IPAddress object of its name; node ports are what no Service has.
 */
NODISCARD int ip_allocate(struct operation *op, const struct service *s, str *ip, struct err *e);
void ip_release(struct operation *op, str ip);
NODISCARD int node_port_allocate(
	struct operation *op, const struct service *s, int32_t *port, str protocol, struct err *e);

/* Changes the newest state of op's object, past strategies and validation; again when somebody was
 * quicker. `*to` is what was stored. */
typedef int change_function(struct operation *op, void *object, const void *with, struct err *e);
NODISCARD int store_modify(
	struct operation *op, change_function *change, const void *with, void **to, struct err *e);

/* What answers a POST to a subresource or a request-only kind. */
typedef int create_function(struct operation *op, void *object, void **to, struct err *e);
create_function create_binding, create_pod_binding, create_eviction, create_token,
	create_token_review, create_self_subject_review, create_subject_access_review,
	create_local_access_review, create_self_access_review, create_rules_review;
