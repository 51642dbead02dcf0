/*
 * Pods as endpoints of services: what both controllers of endpoints share.
 *
 * Source: kubernetes/staging/src/k8s.io/endpointslice/{utils.go,util/controller_utils.go}.
 */
#pragma once

#include "controller-manager/pods.h"

/* A port of a service as one pod has it. */
struct endpoint_target {
	const struct service_port *port;
	int32_t number;
};

/* Every service that selects the pod as it was or is; as a watch's `changed`. */
void endpoint_pod_changed(struct controller_run *r, const void *before, const void *now);

/* Neither finished nor without an address. */
bool endpoint_belongs(const struct pod *p, bool include_terminating);

/* Ports that the pod has, in the service's order. */
size_t endpoint_targets(const struct pod *p, const struct service *s, struct endpoint_target *to);

/* The pod's address of a family, absent if it has none. */
str endpoint_address(const struct pod *p, bool v6);

/* Whether DNS knows the pod by its own name under the service's. */
bool endpoint_has_hostname(const struct pod *p, const struct service *s);
bool endpoint_is_headless(const struct service *s);

/* The pods that the service selects. */
void endpoint_selected(struct pass *p, const struct service *s, struct object_list *to);

/* The service's labels for what is made for it: without the headless mark, with it where it
 * belongs. */
struct str_map endpoint_labels(struct pass *p, const struct service *s);

str *endpoint_text(struct arena *a, str s);
