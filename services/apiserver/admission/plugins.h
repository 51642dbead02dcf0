/*
 * The plugins' passes, for the table in plugins.c: each is upstream's plugin of its name. Rules
 * that need nothing of the cluster stand at the end, for the tests.
 */
#pragma once

#include "apiserver/admission/plugin.h"

typedef int admission_mutate_pass(
	struct admission *n, struct admission_attributes *t, struct err *e);
typedef int admission_validate_pass(
	struct admission *n, const struct admission_attributes *t, struct err *e);

admission_mutate_pass always_admit, namespace_auto_provision, namespace_lifecycle,
	limit_ranger_mutate, service_account_mutate, node_restriction, taint_nodes_by_condition,
	always_pull_images, priority_mutate, default_toleration_seconds,
	extended_resource_toleration, default_storage_class, storage_object_in_use_protection,
	runtime_class_mutate, default_ingress_class, pod_topology_labels, mutating_webhooks;

admission_validate_pass always_deny, namespace_exists, limit_pod_hard_anti_affinity_topology,
	limit_ranger_validate, service_account_validate, pod_security, priority_validate,
	owner_references_permission_enforcement, persistent_volume_claim_resize,
	runtime_class_validate, certificate_approval, certificate_signing,
	certificate_subject_restriction, deny_service_external_ips, resource_quota,
	validating_webhooks;

bool service_account_automounts(const struct service_account *s, const struct pod *p);

/* Adds the volume "kube-api-access-SUFFIX" and mounts it where nothing is mounted in its place. */
void service_account_mount(struct arena *a, struct pod *p, str suffix);

void tolerations_default(struct arena *a, struct pod_spec *s);
bool toleration_covers(const struct toleration *wide, const struct toleration *narrow);

bool node_label_is_forbidden(str key);
const char *mirror_pod_reference(struct arena *a, const struct pod *p);

/* `annotations` ends with NULL; `all` is sorted by name. */
const struct object_meta *newest_default(
	const struct admission_list *all, const char *const *annotations);
