/*
 * The rules of validation, by struct type, and what checks share. One engine (validation.c) walks
 * an object and applies at every struct the rows of its type, then the type's function; so a rule
 * of Container holds wherever containers are, in pods as in templates.
 */
#pragma once

#include "apiserver/validation/validation.h"
#include "lib/api/meta.h"
#include "lib/value/name.h"

struct validation {
	struct causes *causes;
	const void *root;   /* the object */
	const void *before; /* as it was; NULL: create */
};

enum rule_kind {
	RULE_REQUIRED,     /* neither empty nor absent */
	RULE_NAME,         /* has the form `arg` when not empty (enum name_form) */
	RULE_NAME_NEEDED,  /* the same and required */
	RULE_NOT_NEGATIVE, /* numbers */
	RULE_POSITIVE,
	RULE_PORT,         /* 1..65535 */
	RULE_PORT_OR_NONE, /* 0 too */
	RULE_MAX_BYTES,    /* text of at most `arg` bytes */
	RULE_MAX_ITEMS,    /* a list of at most `arg` */
	RULE_LABELS,       /* a map of labels */
	RULE_UNIQUE,       /* entries of a list of texts differ */
	RULE_IP,           /* an address */
	/* One of those in `detail`, in that order; NULL: the schema's list is not upstream's
	 * here. With `arg` 1 a list's items have no index in the message. */
	RULE_VALUES,
	RULE_ROOT, /* its path begins at `detail`, as upstream has it */
};

/* One rule of one field, named as in JSON. */
struct field_rule {
	const char *field;
	enum rule_kind kind;
	int64_t arg;
	const char *detail; /* of RULE_REQUIRED: behind "Required value"; may be NULL */
};

typedef void struct_check(struct validation *v, const struct field_path *p, const void *o);

struct struct_rules {
	const struct field_rule *fields; /* ends with one whose field is NULL */
	struct_check *check;
};

/* NULL when the type has no rules. */
const struct struct_rules *rules_of(const struct type *t);

/* --- what a kind's object is subject to as a whole */

typedef void update_check(struct validation *v, const void *now, const void *before);

enum { NAME_IP = -1 };

struct kind_rules {
	enum api_type type;
	enum name_form name;   /* of metadata.name; NAME_IP: an address */
	const char *immutable; /* paths, separated by blanks: changes are "field is immutable" */
	update_check *update;  /* beyond what `immutable` says; may be NULL */
	update_check *status;  /* of the subresource */
};

const struct kind_rules *kind_rules_of(const struct type *t);

/* --- shared by checks; each adds causes */

void check_name(struct causes *c, const struct field_path *p, enum name_form form, str name);
void check_labels(struct causes *c, const struct field_path *p, const struct str_map *labels);
void check_label_key(struct causes *c, const struct field_path *p, str key);
void check_annotations(
	struct causes *c, const struct field_path *p, const struct str_map *annotations);
void check_metadata(struct causes *c, const struct type *t, const struct object_meta *m);
void check_metadata_update(
	struct causes *c, const struct object_meta *now, const struct object_meta *before);
void check_template_metadata(
	struct causes *c, const struct field_path *p, const struct object_meta *m);
void check_not_negative(struct causes *c, const struct field_path *p, int64_t value);
void check_port(struct causes *c, const struct field_path *p, int64_t port);
void check_port_or_name(
	struct causes *c, const struct field_path *p, const struct int_or_string *v);
void check_ip(struct causes *c, const struct field_path *p, str ip);
void check_ephemeral_containers(struct causes *c, const struct pod *now, const struct pod *before);
void check_immutable(struct causes *c, const void *now, const void *before, const char *paths);

/* What is wrong with a quantity of a resource list: negative, a fraction of a whole thing. */
void check_resource_value(
	struct causes *c, const struct field_path *p, str name, const struct quantity *q);
void check_resource_name(struct causes *c, const struct field_path *p, str name);

/* Selector of a workload against its template's labels. */
void check_selects_template(struct causes *c, const struct field_path *spec,
	const struct label_selector *s, const struct object_meta *template);

/* How many pointers of a struct are set, for those that stand for one of several things. */
size_t count_set(enum api_type type, const void *o);

/* Exactly one is: "must specify a X type", "may not specify more than 1 X type". */
void check_one_of(struct causes *c, const struct field_path *p, enum api_type type, const void *o,
	const char *what);

void check_mode(struct causes *c, const struct field_path *p, const int32_t *mode);
void check_descending(struct causes *c, const struct field_path *p, str path);
void check_local_path(struct causes *c, const struct field_path *p, str path);
void check_id(struct causes *c, const struct field_path *p, const int64_t *id);
void check_handler_ports(struct causes *c, const struct field_path *p,
	const struct http_get_action *http, const struct tcp_socket_action *tcp);
void check_always(
	struct causes *c, const struct field_path *p, const struct pod_spec *s, const char *kind);
void check_unique_volumes(struct causes *c, const struct field_path *p, const struct pod_spec *s);
struct cause_value cause_quantity(struct arena *a, const struct quantity *q);

/* Of CSI and of devices: a subdomain in either case. */
void check_driver_name(struct causes *c, const struct field_path *p, str name);

/* --- the functions that the tables name */

struct_check check_pod_spec, check_container, check_volume_source, check_volume_projection,
	check_downward_file, check_volume_mount, check_key_to_path, check_env_var,
	check_probe_handler, check_lifecycle_handler, check_resources, check_seccomp,
	check_security_context, check_pod_security_context, check_toleration, check_taint,
	check_node_selector_requirement, check_preferred_weight, check_pod_affinity_weight,
	check_topology_spread, check_dns_config, check_template, check_label_selector;
struct_check check_service_spec, check_config_map, check_secret, check_node_spec, check_limit_range,
	check_resource_quota_spec, check_resource_quota_status, check_endpoint_subset, check_event,
	check_replication_controller, check_pvc_spec, check_pv_spec, check_storage_class;
struct_check check_deployment_spec, check_deployment_strategy, check_replica_set_spec,
	check_daemon_set_spec, check_daemon_set_strategy, check_stateful_set_spec, check_job_spec,
	check_cron_job, check_cron_job_spec, check_job_template;
struct_check check_role, check_cluster_role, check_role_binding, check_cluster_role_binding;
struct_check check_validating_webhooks, check_mutating_webhooks, check_validating_webhook,
	check_mutating_webhook, check_operations, check_admission_rule, check_client_config;
struct_check check_ingress_spec, check_ingress_rule, check_ingress_path, check_ingress_backend,
	check_policy_port, check_policy_peer, check_ip_block, check_endpoint_slice;
struct_check check_csi_node_spec, check_csi_driver_spec, check_volume_attachment_spec,
	check_csi_storage_capacity, check_volume_attributes_class;
struct_check check_device_claim, check_device_request, check_exact_device_request,
	check_device_sub_request, check_device_selector, check_device_constraint,
	check_device_configuration, check_device_toleration, check_device_taint,
	check_claim_template, check_resource_slice_spec, check_resource_pool, check_device,
	check_device_attribute;
struct_check check_api_service, check_crd, check_pdb_spec, check_csr_spec, check_priority_class,
	check_hpa_spec, check_metric_spec, check_metric_target, check_scaling_rules,
	check_scaling_policy, check_lease_spec;

update_check update_crd, update_pod, update_service, update_resource_quota, update_pvc, update_pv,
	update_config_map, update_secret, update_node, update_stateful_set, update_job,
	update_role_binding, update_priority_class, update_service_cidr, update_csi_node,
	update_csi_driver, update_volume_attributes_class;
update_check update_api_service_status, update_service_status, update_resource_claim_status;
