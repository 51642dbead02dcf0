#include "apiserver/admission/pod_checks.h"

enum { NEVER = 1000 };

/* In upstream's order: by name, baseline first. A baseline check is not asked for the restricted
 * level from the version on whose restricted checks say more. */
static const struct {
	enum pod_level level;
	int from, replaced_from;
	pod_check *check;
} checks[] = {
	{POD_BASELINE, 0, NEVER, check_app_armor},
	{POD_BASELINE, 0, 22, check_capabilities_baseline},
	{POD_BASELINE, 0, NEVER, check_host_namespaces},
	{POD_BASELINE, 0, 0, check_host_path_volumes},
	{POD_BASELINE, 0, NEVER, check_host_ports},
	{POD_BASELINE, 34, NEVER, check_host_probes},
	{POD_BASELINE, 0, NEVER, check_privileged},
	{POD_BASELINE, 0, 35, check_proc_mount},
	{POD_BASELINE, 0, NEVER, check_se_linux},
	{POD_BASELINE, 0, 19, check_seccomp_baseline},
	{POD_BASELINE, 0, NEVER, check_sysctls},
	{POD_BASELINE, 0, NEVER, check_windows_host_process},
	{POD_RESTRICTED, 8, NEVER, check_privilege_escalation},
	{POD_RESTRICTED, 22, NEVER, check_capabilities_restricted},
	{POD_RESTRICTED, 35, NEVER, check_proc_mount_restricted},
	{POD_RESTRICTED, 0, NEVER, check_restricted_volumes},
	{POD_RESTRICTED, 0, NEVER, check_run_as_non_root},
	{POD_RESTRICTED, 23, NEVER, check_run_as_user},
	{POD_RESTRICTED, 19, NEVER, check_seccomp_restricted},
};

static_assert(COUNT_OF(checks) <= COUNT_OF(((struct pod_violations *)0)->at),
	"a place for each check's answer");

/* What the two kinds of container have alike but for their types. */
#define VIEW(c) \
	((struct checked_container){ \
		.name = (c)->name, \
		.security = (c)->security_context, \
		.ports = (c)->ports.at, \
		.port_count = (c)->ports.len, \
		.probes = {(c)->liveness_probe, (c)->readiness_probe, (c)->startup_probe}, \
		.handlers = {(c)->lifecycle ? (c)->lifecycle->post_start : NULL, \
			(c)->lifecycle ? (c)->lifecycle->pre_stop : NULL}, \
	})

void pod_policy_check(struct arena *a, struct pod_policy policy, const struct object_meta *meta,
	const struct pod_spec *spec, struct pod_violations *to)
{
	bool newest = policy.minor == POD_POLICY_LATEST || policy.minor > POD_POLICY_NEWEST;
	size_t count = spec->init_containers.len + spec->containers.len +
		spec->ephemeral_containers.len;
	struct checked_container *containers = arena_get(a, count * sizeof(*containers) + 1);
	struct checked_pod p = {
		.arena = a,
		.meta = meta,
		.spec = spec,
		.security = spec->security_context,
		.containers = containers,
		.minor = newest ? POD_POLICY_NEWEST : policy.minor,
	};

	to->len = 0;
	if (policy.level == POD_PRIVILEGED)
		return;
	for (size_t i = 0; i < spec->init_containers.len; i++)
		containers[p.count++] = VIEW(&spec->init_containers.at[i]);
	for (size_t i = 0; i < spec->containers.len; i++)
		containers[p.count++] = VIEW(&spec->containers.at[i]);
	for (size_t i = 0; i < spec->ephemeral_containers.len; i++)
		containers[p.count++] = VIEW(
			&spec->ephemeral_containers.at[i].ephemeral_container_common);
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		if (checks[i].level > policy.level || p.minor < checks[i].from ||
			(policy.level == POD_RESTRICTED && p.minor >= checks[i].replaced_from))
			continue;
		p.reason = p.detail = (str){NULL, 0};
		checks[i].check(&p);
		if (!p.reason.at)
			continue;
		to->at[to->len].reason = p.reason;
		to->at[to->len++].detail = p.detail;
	}
}

static str violations_text(struct arena *a, const struct pod_violations *v, bool details)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < v->len; i++) {
		buf_add_fmt(&b, "%s%.*s", i > 0 ? ", " : "", STR_ARG(v->at[i].reason));
		if (details && v->at[i].detail.len > 0)
			buf_add_fmt(&b, " (%.*s)", STR_ARG(v->at[i].detail));
	}
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

str pod_violations_reasons(struct arena *a, const struct pod_violations *v)
{
	return violations_text(a, v, false);
}

str pod_violations_details(struct arena *a, const struct pod_violations *v)
{
	return violations_text(a, v, true);
}

void names_add(struct checked_pod *p, struct names *n, str name)
{
	void *at = n->list.at;

	if (arena_grow(p->arena, &at, n->list.len, &n->cap, sizeof(str)) < 0)
		return;
	n->list.at = at;
	n->list.at[n->list.len++] = name;
}

str names_quoted(struct checked_pod *p, const struct names *n)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < n->list.len; i++)
		buf_add_fmt(&b, "%s\"%.*s\"", i > 0 ? ", " : "", STR_ARG(n->list.at[i]));
	str text = arena_str(p->arena, buf_str(&b));

	buf_free(&b);
	return text;
}

str names_sorted(struct checked_pod *p, struct names *n)
{
	selector_sort(&n->list);
	return names_quoted(p, n);
}

str names_containers(struct checked_pod *p, const struct names *n)
{
	return arena_fmt(p->arena, "container%s %.*s", n->list.len == 1 ? "" : "s",
		STR_ARG(names_quoted(p, n)));
}

str names_setters(struct checked_pod *p, bool pod, const struct names *containers)
{
	if (containers->list.len == 0)
		return pod ? STR("pod") : (str){NULL, 0};
	return arena_fmt(p->arena, "%s%.*s", pod ? "pod and " : "",
		STR_ARG(names_containers(p, containers)));
}

void violated(struct checked_pod *p, const char *reason, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	p->detail = arena_vfmt(p->arena, fmt, args);
	va_end(args);
	p->reason = str_of(reason);
}

bool pod_is_windows(const struct checked_pod *p)
{
	return p->spec->os && str_eq(p->spec->os->name, STR("windows"));
}

bool pod_is_in_user_namespace(const struct checked_pod *p)
{
	return p->minor >= 35 && p->spec->host_users && !*p->spec->host_users;
}
