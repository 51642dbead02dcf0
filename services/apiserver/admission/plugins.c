#include "apiserver/admission/plugins.h"

/* In the order of pkg/kubeapiserver/options/plugins.go. */

#define CSRS    "certificatesigningrequests.certificates.k8s.io"
#define WRITES  (ADMIT_CREATE | ADMIT_UPDATE)
#define CHANGES (WRITES | ADMIT_DELETE)
#define ALL     (CHANGES | ADMIT_CONNECT)
#define ON      PLUGIN_DEFAULT
#define SUBS    PLUGIN_SUBRESOURCES

const struct plugin plugins[] = {
	{"AlwaysAdmit", 0, ALL, NULL, always_admit, NULL},
	{"NamespaceAutoProvision", SUBS, ADMIT_CREATE, NULL, namespace_auto_provision, NULL},
	{"NamespaceLifecycle", ON | SUBS, CHANGES, NULL, namespace_lifecycle, NULL},
	{"NamespaceExists", SUBS, CHANGES, NULL, NULL, namespace_exists},
	{"LimitPodHardAntiAffinityTopology", 0, WRITES, "pods", NULL,
		limit_pod_hard_anti_affinity_topology},
	{"LimitRanger", ON | SUBS, WRITES, NULL, limit_ranger_mutate, limit_ranger_validate},
	{"ServiceAccount", ON | SUBS, WRITES, "pods", service_account_mutate,
		service_account_validate},
	{"NodeRestriction", SUBS, CHANGES, NULL, node_restriction, NULL},
	{"TaintNodesByCondition", ON, ADMIT_CREATE, "nodes", taint_nodes_by_condition, NULL},
	{"AlwaysPullImages", SUBS, WRITES, "pods", always_pull_images, NULL},
	{"ImagePolicyWebhook", PLUGIN_NOT_BUILT, 0, NULL, NULL, NULL},
	{"PodSecurity", ON | SUBS, WRITES, NULL, NULL, pod_security},
	{"PodNodeSelector", PLUGIN_NOT_BUILT, 0, NULL, NULL, NULL},
	{"Priority", ON, WRITES, "pods", priority_mutate, NULL},
	{"Priority", ON, WRITES, "priorityclasses.scheduling.k8s.io", NULL, priority_validate},
	{"DefaultTolerationSeconds", ON, WRITES, "pods", default_toleration_seconds, NULL},
	{"PodTolerationRestriction", PLUGIN_NOT_BUILT, 0, NULL, NULL, NULL},
	{"EventRateLimit", PLUGIN_NOT_BUILT, 0, NULL, NULL, NULL},
	{"ExtendedResourceToleration", 0, WRITES, "pods", extended_resource_toleration, NULL},
	{"DefaultStorageClass", ON, ADMIT_CREATE, "persistentvolumeclaims", default_storage_class,
		NULL},
	{"StorageObjectInUseProtection", ON, ADMIT_CREATE, NULL, storage_object_in_use_protection,
		NULL},
	{"PodGroupProtection", PLUGIN_IDLE, 0, NULL, NULL, NULL},
	{"OwnerReferencesPermissionEnforcement", SUBS, WRITES, NULL, NULL,
		owner_references_permission_enforcement},
	{"PersistentVolumeClaimResize", ON, ADMIT_UPDATE, "persistentvolumeclaims", NULL,
		persistent_volume_claim_resize},
	{"RuntimeClass", ON, ADMIT_CREATE, "pods", runtime_class_mutate, runtime_class_validate},
	{"CertificateApproval", ON | SUBS, ADMIT_UPDATE, CSRS, NULL, certificate_approval},
	{"CertificateSigning", ON | SUBS, ADMIT_UPDATE, CSRS, NULL, certificate_signing},
	{"ClusterTrustBundleAttest", PLUGIN_IDLE, 0, NULL, NULL, NULL},
	{"CertificateSubjectRestriction", ON, ADMIT_CREATE, CSRS, NULL,
		certificate_subject_restriction},
	{"DefaultIngressClass", ON, ADMIT_CREATE, "ingresses.networking.k8s.io",
		default_ingress_class, NULL},
	{"DenyServiceExternalIPs", 0, WRITES, "services", NULL, deny_service_external_ips},
	{"PodTopologyLabels", ON | SUBS, ADMIT_CREATE, "pods", pod_topology_labels, NULL},
	{"PodGroupWorkloadExists", PLUGIN_IDLE, 0, NULL, NULL, NULL},
	{"NodeDeclaredFeatureValidator", PLUGIN_IDLE, 0, NULL, NULL, NULL},
	{"JobValidation", PLUGIN_IDLE, 0, NULL, NULL, NULL},
	{"PodResizeValidator", PLUGIN_NOT_BUILT, 0, NULL, NULL, NULL},
	{"MutatingAdmissionPolicy", PLUGIN_NOT_BUILT, 0, NULL, NULL, NULL},
	{"MutatingAdmissionWebhook", ON | SUBS, ALL, NULL, mutating_webhooks, NULL},
	{"ValidatingAdmissionPolicy", PLUGIN_NOT_BUILT, 0, NULL, NULL, NULL},
	{"ValidatingAdmissionWebhook", ON | SUBS, ALL, NULL, NULL, validating_webhooks},
	{"ResourceQuota", ON | SUBS, WRITES, NULL, NULL, resource_quota},
	{"AlwaysDeny", SUBS, ALL, NULL, NULL, always_deny},
};

const size_t plugin_count = COUNT_OF(plugins);
