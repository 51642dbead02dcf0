/*
 * One pod under the checks of Pod Security, and what the checks share.
 */
#pragma once

#include "apiserver/admission/pod_security.h"

/* A container of any kind. */
struct checked_container {
	str name;
	const struct security_context *security; /* NULL: none */
	const struct container_port *ports;
	size_t port_count;
	const struct probe *probes[3];
	const struct lifecycle_handler *handlers[2];
};

struct checked_pod {
	struct arena *arena;
	const struct object_meta *meta;
	const struct pod_spec *spec;
	const struct pod_security_context *security; /* NULL: none */
	const struct checked_container *containers;
	size_t count;
	int minor;
	str reason, detail; /* the check's answer; absent: nothing is wrong */
};

typedef void pod_check(struct checked_pod *p);

pod_check check_app_armor, check_capabilities_baseline, check_host_namespaces,
	check_host_path_volumes, check_host_ports, check_host_probes, check_privileged,
	check_proc_mount, check_se_linux, check_seccomp_baseline, check_sysctls,
	check_windows_host_process;

pod_check check_privilege_escalation, check_capabilities_restricted, check_proc_mount_restricted,
	check_restricted_volumes, check_run_as_non_root, check_run_as_user,
	check_seccomp_restricted;

/* A list that grows in the pod's arena. */
struct names {
	struct str_list list;
	size_t cap;
};

void names_add(struct checked_pod *p, struct names *n, str name);

/* "a", "b" with their quotes, as they are or sorted and each once. */
str names_quoted(struct checked_pod *p, const struct names *n);
str names_sorted(struct checked_pod *p, struct names *n);

/* container "a"; containers "a", "b" */
str names_containers(struct checked_pod *p, const struct names *n);

/* `pod and container "a"`, either or both; absent if neither is to blame. */
str names_setters(struct checked_pod *p, bool pod, const struct names *containers);

void violated(struct checked_pod *p, const char *reason, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool pod_is_windows(const struct checked_pod *p);

/* From v1.35 on, root in a user namespace of its own is nobody. */
bool pod_is_in_user_namespace(const struct checked_pod *p);
