/*
 * Pod Security Standards over decoded objects: levels privileged, baseline, restricted, each as a
 * release of Kubernetes had it.
 *
 * Source: k8s.io/pod-security-admission;
 * kubernetes.io/docs/concepts/security/pod-security-standards
 */
#pragma once

#include "apiserver/admission/plugin.h"
#include "lib/api/causes.h"

enum pod_level { POD_PRIVILEGED, POD_BASELINE, POD_RESTRICTED };

enum {
	POD_POLICY_NEWEST = 35, /* v1.35 changed the checks last */
	POD_POLICY_LATEST = -1,
};

struct pod_policy {
	enum pod_level level;
	int minor; /* of v1.x, or POD_POLICY_LATEST */
};

/* What a namespace's labels ask for. */
struct pod_policies {
	struct pod_policy enforce, audit, warn;
};

/* Faults of the labels go to `c`, which may be NULL; the policies are good in any case: enforced as
 * restricted, else as privileged. */
void pod_policies_read(const struct str_map *labels, struct pod_policies *to, struct causes *c);

/* "baseline:latest", "restricted:v1.30". */
str pod_policy_text(struct arena *a, struct pod_policy p);
bool pod_policy_same(struct pod_policy a, struct pod_policy b);

/* What a pod violates, in upstream's order. */
struct pod_violations {
	struct {
		str reason, detail;
	} at[24];
	size_t len;
};

void pod_policy_check(struct arena *a, struct pod_policy p, const struct object_meta *meta,
	const struct pod_spec *spec, struct pod_violations *to);

/* "privileged, hostPort", and with the details in brackets. */
str pod_violations_reasons(struct arena *a, const struct pod_violations *v);
str pod_violations_details(struct arena *a, const struct pod_violations *v);
