#include "apiserver/admission/pod_checks.h"

#include "lib/value/quote.h"

#define APP_ARMOR_ANNOTATION "container.apparmor.security.beta.kubernetes.io/"
#define SECCOMP_POD          "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP_CONTAINER    "container.seccomp.security.alpha.kubernetes.io/"

static bool is_one_of(str s, const char *const *allowed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(s, str_of(allowed[i])))
			return true;
	return false;
}

static str annotation_text(struct checked_pod *p, str key, str value)
{
	char quoted[QUOTE_MAX];

	return arena_fmt(p->arena, "%.*s=%s", STR_ARG(key), quote(quoted, value));
}

static bool bad_app_armor(
	struct checked_pod *p, const struct app_armor_profile *a, struct names *values)
{
	if (!a || str_eq(a->type, STR("RuntimeDefault")) || str_eq(a->type, STR("Localhost")))
		return false;
	names_add(p, values, a->type);
	return true;
}

static void forbidden_app_armor_annotations(struct checked_pod *p, struct names *to)
{
	for (size_t i = 0; i < p->meta->annotations.len; i++) {
		const struct str_entry *n = &p->meta->annotations.at[i];

		if (str_starts(n->key, STR(APP_ARMOR_ANNOTATION)) && n->value.len > 0 &&
			!str_eq(n->value, STR("runtime/default")) &&
			!str_starts(n->value, STR("localhost/")))
			names_add(p, to, annotation_text(p, n->key, n->value));
	}
	selector_sort(&to->list);
}

void check_app_armor(struct checked_pod *p)
{
	struct names values = {0}, containers = {0}, annotations = {0};
	bool pod = p->security && bad_app_armor(p, p->security->app_armor_profile, &values);

	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && bad_app_armor(p, s->app_armor_profile, &values))
			names_add(p, &containers, p->containers[i].name);
	}
	forbidden_app_armor_annotations(p, &annotations);
	selector_sort(&values.list);
	for (size_t i = 0; i < annotations.list.len; i++)
		names_add(p, &values, annotations.list.at[i]);
	if (values.list.len == 0)
		return;
	str setters = names_setters(p, pod, &containers);

	violated(p,
		values.list.len == 1 ? "forbidden AppArmor profile" : "forbidden AppArmor profiles",
		"%.*s%s%s must not set AppArmor profile type to %.*s", STR_ARG(setters),
		setters.at && annotations.list.len ? " and " : "",
		annotations.list.len == 0           ? ""
			: annotations.list.len == 1 ? "annotation"
						    : "annotations",
		STR_ARG(names_quoted(p, &values)));
}

void check_capabilities_baseline(struct checked_pod *p)
{
	static const char *const allowed[] = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER",
		"FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
		"SETUID", "SYS_CHROOT"};
	struct names containers = {0}, capabilities = {0};

	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;
		size_t before = capabilities.list.len;

		for (size_t k = 0; s && s->capabilities && k < s->capabilities->add.len; k++)
			if (!is_one_of(s->capabilities->add.at[k], allowed, COUNT_OF(allowed)))
				names_add(p, &capabilities, s->capabilities->add.at[k]);
		if (capabilities.list.len > before)
			names_add(p, &containers, p->containers[i].name);
	}
	if (containers.list.len > 0)
		violated(p, "non-default capabilities",
			"%.*s must not include %.*s in securityContext.capabilities.add",
			STR_ARG(names_containers(p, &containers)),
			STR_ARG(names_sorted(p, &capabilities)));
}

void check_host_namespaces(struct checked_pod *p)
{
	const struct {
		bool set;
		const char *text;
	} fields[] = {{p->spec->host_network, "hostNetwork=true"},
		{p->spec->host_pid, "hostPID=true"}, {p->spec->host_ipc, "hostIPC=true"}};
	str text = {NULL, 0};

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (fields[i].set)
			text = arena_fmt(p->arena, "%.*s%s%s", STR_ARG(text), text.at ? ", " : "",
				fields[i].text);
	if (text.at)
		violated(p, "host namespaces", "%.*s", STR_ARG(text));
}

void check_host_path_volumes(struct checked_pod *p)
{
	struct names volumes = {0};

	for (size_t i = 0; i < p->spec->volumes.len; i++)
		if (p->spec->volumes.at[i].volume_source.host_path)
			names_add(p, &volumes, p->spec->volumes.at[i].name);
	if (volumes.list.len > 0)
		violated(p, "hostPath volumes", "volume%s %.*s", volumes.list.len == 1 ? "" : "s",
			STR_ARG(names_quoted(p, &volumes)));
}

void check_host_ports(struct checked_pod *p)
{
	struct names containers = {0}, ports = {0};
	struct buf b;

	for (size_t i = 0; i < p->count; i++) {
		size_t before = ports.list.len;

		for (size_t k = 0; k < p->containers[i].port_count; k++)
			if (p->containers[i].ports[k].host_port)
				names_add(p, &ports,
					arena_fmt(p->arena, "%d",
						p->containers[i].ports[k].host_port));
		if (ports.list.len > before)
			names_add(p, &containers, p->containers[i].name);
	}
	if (containers.list.len == 0)
		return;
	selector_sort(&ports.list);
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < ports.list.len; i++)
		buf_add_fmt(&b, "%s%.*s", i > 0 ? ", " : "", STR_ARG(ports.list.at[i]));
	violated(p, "hostPort", "%.*s %s hostPort%s %.*s",
		STR_ARG(names_containers(p, &containers)),
		containers.list.len == 1 ? "uses" : "use", ports.list.len == 1 ? "" : "s",
		STR_ARG(buf_str(&b)));
	buf_free(&b);
}

static void add_host(struct checked_pod *p, struct names *hosts, const struct http_get_action *http,
	const struct tcp_socket_action *tcp)
{
	if (http && http->host.len > 0)
		names_add(p, hosts, http->host);
	if (tcp && tcp->host.len > 0)
		names_add(p, hosts, tcp->host);
}

void check_host_probes(struct checked_pod *p)
{
	struct names containers = {0}, hosts = {0};

	for (size_t i = 0; i < p->count; i++) {
		const struct checked_container *c = &p->containers[i];
		size_t before = hosts.list.len;

		for (size_t k = 0; k < COUNT_OF(c->probes); k++)
			if (c->probes[k])
				add_host(p, &hosts, c->probes[k]->handler.http_get,
					c->probes[k]->handler.tcp_socket);
		for (size_t k = 0; k < COUNT_OF(c->handlers); k++)
			if (c->handlers[k])
				add_host(p, &hosts, c->handlers[k]->http_get,
					c->handlers[k]->tcp_socket);
		if (hosts.list.len > before)
			names_add(p, &containers, c->name);
	}
	if (containers.list.len == 0)
		return;
	selector_sort(&containers.list);
	str shown = names_sorted(p, &hosts);

	violated(p, "probe or lifecycle host", "%.*s %s probe or lifecycle host%s %.*s",
		STR_ARG(names_containers(p, &containers)),
		containers.list.len == 1 ? "uses" : "use", hosts.list.len == 1 ? "" : "s",
		STR_ARG(shown));
}

void check_privileged(struct checked_pod *p)
{
	struct names containers = {0};

	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && s->privileged && *s->privileged)
			names_add(p, &containers, p->containers[i].name);
	}
	if (containers.list.len > 0)
		violated(p, "privileged", "%.*s must not set securityContext.privileged=true",
			STR_ARG(names_containers(p, &containers)));
}

void check_proc_mount_restricted(struct checked_pod *p)
{
	struct names containers = {0}, values = {0};

	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && s->proc_mount && !str_eq(*s->proc_mount, STR("Default"))) {
			names_add(p, &containers, p->containers[i].name);
			names_add(p, &values, *s->proc_mount);
		}
	}
	if (containers.list.len > 0)
		violated(p, "procMount", "%.*s must not set securityContext.procMount to %.*s",
			STR_ARG(names_containers(p, &containers)),
			STR_ARG(names_sorted(p, &values)));
}

void check_proc_mount(struct checked_pod *p)
{
	if (!pod_is_in_user_namespace(p))
		check_proc_mount_restricted(p);
}

/* What options of SELinux are to blame for. */
struct se_linux_faults {
	struct names types;
	bool user, role;
};

static bool bad_se_linux(
	struct checked_pod *p, const struct se_linux_options *o, struct se_linux_faults *f)
{
	static const char *const allowed[] = {
		"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"};
	size_t count = COUNT_OF(allowed) - (p->minor < 31);

	if (!o)
		return false;
	bool type = !is_one_of(o->type, allowed, count);

	if (type)
		names_add(p, &f->types, o->type);
	f->user |= o->user.len > 0;
	f->role |= o->role.len > 0;
	return type || o->user.len > 0 || o->role.len > 0;
}

void check_se_linux(struct checked_pod *p)
{
	struct se_linux_faults f = {0};
	struct names containers = {0};
	bool pod = p->security && bad_se_linux(p, p->security->se_linux_options, &f);
	str what = STR("");

	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && bad_se_linux(p, s->se_linux_options, &f))
			names_add(p, &containers, p->containers[i].name);
	}
	str setters = names_setters(p, pod, &containers);

	if (!setters.at)
		return;
	str types = names_sorted(p, &f.types);

	if (types.len > 0)
		what = arena_fmt(
			p->arena, "type%s %.*s", f.types.list.len == 1 ? "" : "s", STR_ARG(types));
	if (f.user)
		what = arena_fmt(
			p->arena, "%.*s%suser may not be set", STR_ARG(what), what.len ? "; " : "");
	if (f.role)
		what = arena_fmt(
			p->arena, "%.*s%srole may not be set", STR_ARG(what), what.len ? "; " : "");
	violated(p, "seLinuxOptions", "%.*s set forbidden securityContext.seLinuxOptions: %.*s",
		STR_ARG(setters), STR_ARG(what));
}

static void add_seccomp_annotation(struct checked_pod *p, str key, struct names *to)
{
	str value = str_map_get(&p->meta->annotations, key);

	if (value.at && !str_eq(value, STR("runtime/default")) &&
		!str_eq(value, STR("docker/default")) && !str_starts(value, STR("localhost/")))
		names_add(p, to, annotation_text(p, key, value));
}

/* Before v1.19 annotations said what fields say now. */
static void check_seccomp_annotations(struct checked_pod *p)
{
	struct names found = {0};
	struct buf b;

	add_seccomp_annotation(p, STR(SECCOMP_POD), &found);
	for (size_t i = 0; i < p->count; i++)
		add_seccomp_annotation(p,
			arena_fmt(
				p->arena, SECCOMP_CONTAINER "%.*s", STR_ARG(p->containers[i].name)),
			&found);
	if (found.list.len == 0)
		return;
	selector_sort(&found.list);
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < found.list.len; i++)
		buf_add_fmt(&b, "%s%.*s", i > 0 ? ", " : "", STR_ARG(found.list.at[i]));
	violated(p, "seccompProfile", "forbidden annotation%s %.*s", found.list.len == 1 ? "" : "s",
		STR_ARG(buf_str(&b)));
	buf_free(&b);
}

static bool bad_seccomp(
	struct checked_pod *p, const struct seccomp_profile *s, struct names *values)
{
	if (!s || str_eq(s->type, STR("RuntimeDefault")) || str_eq(s->type, STR("Localhost")))
		return false;
	names_add(p, values, s->type);
	return true;
}

void check_seccomp_baseline(struct checked_pod *p)
{
	struct names containers = {0}, values = {0};

	if (p->minor < 19) {
		check_seccomp_annotations(p);
		return;
	}
	bool pod = p->security && bad_seccomp(p, p->security->seccomp_profile, &values);

	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && bad_seccomp(p, s->seccomp_profile, &values))
			names_add(p, &containers, p->containers[i].name);
	}
	str setters = names_setters(p, pod, &containers);

	if (setters.at)
		violated(p, "seccompProfile",
			"%.*s must not set securityContext.seccompProfile.type to %.*s",
			STR_ARG(setters), STR_ARG(names_sorted(p, &values)));
}

void check_sysctls(struct checked_pod *p)
{
	static const struct {
		const char *name;
		int from;
	} allowed[] = {{"kernel.shm_rmid_forced", 0}, {"net.ipv4.ip_local_port_range", 0},
		{"net.ipv4.tcp_syncookies", 0}, {"net.ipv4.ping_group_range", 0},
		{"net.ipv4.ip_unprivileged_port_start", 0},
		{"net.ipv4.ip_local_reserved_ports", 27}, {"net.ipv4.tcp_keepalive_time", 29},
		{"net.ipv4.tcp_fin_timeout", 29}, {"net.ipv4.tcp_keepalive_intvl", 29},
		{"net.ipv4.tcp_keepalive_probes", 29}, {"net.ipv4.tcp_rmem", 32},
		{"net.ipv4.tcp_wmem", 32}};
	str text = {NULL, 0};

	for (size_t i = 0; p->security && i < p->security->sysctls.len; i++) {
		str name = p->security->sysctls.at[i].name;
		bool good = false;

		for (size_t k = 0; k < COUNT_OF(allowed); k++)
			good |= p->minor >= allowed[k].from &&
				str_eq(name, str_of(allowed[k].name));
		if (!good)
			text = arena_fmt(p->arena, "%.*s%s%.*s", STR_ARG(text), text.at ? ", " : "",
				STR_ARG(name));
	}
	if (text.at)
		violated(p, "forbidden sysctls", "%.*s", STR_ARG(text));
}

static bool is_host_process(const struct windows_security_context_options *o)
{
	return o && o->host_process && *o->host_process;
}

void check_windows_host_process(struct checked_pod *p)
{
	struct names containers = {0};

	for (size_t i = 0; i < p->count; i++) {
		const struct security_context *s = p->containers[i].security;

		if (s && is_host_process(s->windows_options))
			names_add(p, &containers, p->containers[i].name);
	}
	str setters = names_setters(
		p, p->security && is_host_process(p->security->windows_options), &containers);

	if (setters.at)
		violated(p, "hostProcess",
			"%.*s must not set securityContext.windowsOptions.hostProcess=true",
			STR_ARG(setters));
}
