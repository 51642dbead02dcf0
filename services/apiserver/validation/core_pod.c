#include "apiserver/validation/rules.h"

enum {
	NAMESERVERS_MAX = 3,
	SEARCHES_MAX = 32,
	SEARCHES_BYTES_MAX = 2048,
};

static void check_containers(
	struct validation *v, const struct field_path *p, const struct pod_spec *s);
static void check_init(struct causes *c, const struct field_path *p, const struct container *o);
static void check_mounted(struct causes *c, const struct field_path *p, const struct pod_spec *s,
	const struct container *o);
static void check_host_ports(
	struct causes *c, const struct field_path *p, const struct pod_spec *s);
static bool name_taken(const struct pod_spec *s, str name, size_t init_before, size_t before) PURE;
static void check_host_network(
	struct causes *c, const struct field_path *p, const struct pod_spec *s);
static void check_gates(struct causes *c, const struct field_path *p, const struct pod_spec *s);
static void check_dns(struct causes *c, const struct field_path *p, const struct pod_spec *s);

void check_pod_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct pod_spec *s = o;
	struct causes *c = v->causes;

	if (!s->containers.len)
		causes_required(c, FIELD(p, "containers"), "%s", "");
	check_containers(v, p, s);
	check_unique_volumes(c, FIELD(p, "volumes"), s);
	check_host_ports(c, FIELD(p, "containers"), s);
	check_host_network(c, p, s);
	if (s->active_deadline_seconds &&
		(*s->active_deadline_seconds < 1 || *s->active_deadline_seconds > INT32_MAX))
		causes_invalid(c, FIELD(p, "activeDeadlineSeconds"),
			cause_i64(c->arena, *s->active_deadline_seconds),
			"must be between 1 and 2147483647, inclusive");
	if (s->share_process_namespace && *s->share_process_namespace && s->host_pid)
		causes_invalid(c, FIELD(FIELD(p, "securityContext"), "shareProcessNamespace"),
			cause_bool(true),
			"ShareProcessNamespace and HostPID cannot both be enabled");
	check_dns(c, p, s);
	check_gates(c, p, s);
	if (!v->before && object_type(v->root) == &api_schema.types[API_POD]) {
		if (s->ephemeral_containers.len)
			causes_forbidden(
				c, FIELD(p, "ephemeralContainers"), "cannot be set on create");
		if (s->node_name.len && s->scheduling_gates.len)
			causes_forbidden(c, FIELD(p, "nodeName"),
				"cannot be set until all schedulingGates have been cleared");
	}
}

void check_pod_security_context(struct validation *v, const struct field_path *p, const void *o)
{
	const struct pod_security_context *s = o;

	check_id(v->causes, FIELD(p, "fsGroup"), s->fs_group);
	check_id(v->causes, FIELD(p, "runAsUser"), s->run_as_user);
	check_id(v->causes, FIELD(p, "runAsGroup"), s->run_as_group);
	for (size_t i = 0; i < s->supplemental_groups.len; i++)
		check_id(v->causes, FIELD_INDEX(FIELD(p, "supplementalGroups"), i),
			&s->supplemental_groups.at[i]);
	for (size_t i = 0; i < s->sysctls.len; i++) {
		const struct field_path *name = FIELD(FIELD_INDEX(FIELD(p, "sysctls"), i), "name");

		if (!s->sysctls.at[i].name.len)
			causes_required(v->causes, name, "%s", "");
		for (size_t k = 0; k < i; k++)
			if (str_eq(s->sysctls.at[k].name, s->sysctls.at[i].name)) {
				causes_duplicate(
					v->causes, name, cause_text(s->sysctls.at[i].name));
				break;
			}
	}
}

void check_toleration(struct validation *v, const struct field_path *p, const void *o)
{
	const struct toleration *t = o;
	struct causes *c = v->causes;
	bool exists = str_eq(t->operator, STR("Exists"));

	if (t->key.len)
		check_label_key(c, FIELD(p, "key"), t->key);
	else if (!exists)
		causes_invalid(c, FIELD(p, "operator"), cause_text(t->operator),
			"operator must be Exists when `key` is empty, which means \"match all "
			"values "
			"and all keys\"");
	if (t->toleration_seconds && !str_eq(t->effect, STR("NoExecute")))
		causes_invalid(c, FIELD(p, "effect"), cause_text(t->effect),
			"effect must be 'NoExecute' when `tolerationSeconds` is set");
	if (exists && t->value.len)
		causes_invalid(c, FIELD(p, "operator"), cause_text(t->value),
			"value must be empty when `operator` is 'Exists'");
	else if (!exists)
		check_name(c, FIELD(p, "operator"), NAME_LABEL_VALUE, t->value);
}

void check_taint(struct validation *v, const struct field_path *p, const void *o)
{
	const struct taint *t = o;

	check_label_key(v->causes, FIELD(p, "key"), t->key);
	check_name(v->causes, FIELD(p, "value"), NAME_LABEL_VALUE, t->value);
}

void check_node_selector_requirement(
	struct validation *v, const struct field_path *p, const void *o)
{
	const struct node_selector_requirement *r = o;
	struct causes *c = v->causes;
	bool in = str_eq(r->operator, STR("In")) || str_eq(r->operator, STR("NotIn"));
	bool exists = str_eq(r->operator, STR("Exists")) ||
		str_eq(r->operator, STR("DoesNotExist"));
	bool order = str_eq(r->operator, STR("Gt")) || str_eq(r->operator, STR("Lt"));

	if (in && !r->values.len)
		causes_required(c, FIELD(p, "values"),
			"must be specified when `operator` is 'In' or 'NotIn'");
	else if (exists && r->values.len)
		causes_forbidden(c, FIELD(p, "values"),
			"may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	else if (order && r->values.len != 1)
		causes_required(c, FIELD(p, "values"),
			"must be specified single value when `operator` is 'Lt' or 'Gt'");
	else if (!in && !exists && !order)
		causes_invalid(c, FIELD(p, "operator"), cause_text(r->operator),
			"not a valid selector operator");
	check_label_key(c, FIELD(p, "key"), r->key);
}

void check_preferred_weight(struct validation *v, const struct field_path *p, const void *o)
{
	const struct preferred_scheduling_term *t = o;

	if (t->weight < 1 || t->weight > 100)
		causes_invalid(v->causes, FIELD(p, "weight"),
			cause_i64(v->causes->arena, t->weight), "must be in the range 1-100");
}

void check_pod_affinity_weight(struct validation *v, const struct field_path *p, const void *o)
{
	const struct weighted_pod_affinity_term *t = o;

	if (t->weight < 1 || t->weight > 100)
		causes_invalid(v->causes, FIELD(p, "weight"),
			cause_i64(v->causes->arena, t->weight), "must be in the range 1-100");
}

void check_topology_spread(struct validation *v, const struct field_path *p, const void *o)
{
	const struct topology_spread_constraint *t = o;

	if (t->min_domains && !str_eq(t->when_unsatisfiable, STR("DoNotSchedule")))
		causes_invalid(v->causes, FIELD(p, "minDomains"),
			cause_i64(v->causes->arena, *t->min_domains),
			"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %.*s",
			STR_ARG(t->when_unsatisfiable));
	if (t->match_label_keys.len && !t->label_selector)
		causes_forbidden(v->causes, FIELD(p, "matchLabelKeys"),
			"must not be specified when labelSelector is not set");
}

void check_dns_config(struct validation *v, const struct field_path *p, const void *o)
{
	const struct pod_dns_config *d = o;
	const struct type *t = &api_schema.types[API_POD_DNS_CONFIG];
	struct causes *c = v->causes;
	size_t bytes = 0;

	if (d->nameservers.len > NAMESERVERS_MAX)
		causes_invalid(c, FIELD(p, "nameservers"),
			cause_field(c->arena, t, o, "nameservers"),
			"must not have more than %d nameservers", NAMESERVERS_MAX);
	if (d->searches.len > SEARCHES_MAX)
		causes_invalid(c, FIELD(p, "searches"), cause_field(c->arena, t, o, "searches"),
			"must not have more than %d search paths", SEARCHES_MAX);
	for (size_t i = 0; i < d->searches.len; i++)
		bytes += d->searches.at[i].len + (i > 0);
	if (bytes > SEARCHES_BYTES_MAX)
		causes_invalid(c, FIELD(p, "searches"), cause_field(c->arena, t, o, "searches"),
			"must not have more than %d characters (including spaces) in the search "
			"list",
			SEARCHES_BYTES_MAX);
}

static void check_containers(
	struct validation *v, const struct field_path *p, const struct pod_spec *s)
{
	struct causes *c = v->causes;

	for (size_t i = 0; i < s->init_containers.len; i++) {
		const struct container *o = &s->init_containers.at[i];
		const struct field_path *here = FIELD_INDEX(FIELD(p, "initContainers"), i);

		if (o->name.len && name_taken(s, o->name, i, s->containers.len))
			causes_duplicate(c, FIELD(here, "name"), cause_text(o->name));
		check_init(c, here, o);
		check_mounted(c, here, s, o);
	}
	for (size_t i = 0; i < s->containers.len; i++) {
		const struct container *o = &s->containers.at[i];
		const struct field_path *here = FIELD_INDEX(FIELD(p, "containers"), i);

		if (o->name.len && name_taken(s, o->name, 0, i))
			causes_duplicate(c, FIELD(here, "name"), cause_text(o->name));
		check_mounted(c, here, s, o);
	}
	for (size_t i = 0; i < s->ephemeral_containers.len; i++) {
		const struct ephemeral_container *o = &s->ephemeral_containers.at[i];
		const struct field_path *here = FIELD_INDEX(FIELD(p, "ephemeralContainers"), i);
		str name = o->ephemeral_container_common.name;
		bool taken = name_taken(s, name, s->init_containers.len, s->containers.len);

		for (size_t k = 0; k < i && !taken; k++)
			taken = str_eq(name,
				s->ephemeral_containers.at[k].ephemeral_container_common.name);
		if (taken)
			causes_duplicate(c, FIELD(here, "name"), cause_text(name));
		if (o->target_container_name.len &&
			!name_taken(s, o->target_container_name, s->init_containers.len,
				s->containers.len))
			causes_add(c, CAUSE_NOT_FOUND, FIELD(here, "targetContainerName"),
				cause_text(o->target_container_name), "%s", "");
	}
}

static void check_init(struct causes *c, const struct field_path *p, const struct container *o)
{
	static const char forbidden[] =
		"may not be set for init containers without restartPolicy=Always";

	if (o->restart_policy && str_eq(*o->restart_policy, STR("Always")))
		return;
	if (o->lifecycle)
		causes_forbidden(c, FIELD(p, "lifecycle"), "%s", forbidden);
	if (o->liveness_probe)
		causes_forbidden(c, FIELD(p, "livenessProbe"), "%s", forbidden);
	if (o->readiness_probe)
		causes_forbidden(c, FIELD(p, "readinessProbe"), "%s", forbidden);
	if (o->startup_probe)
		causes_forbidden(c, FIELD(p, "startupProbe"), "%s", forbidden);
}

/* What a container mounts is one of the pod's volumes. */
static void check_mounted(struct causes *c, const struct field_path *p, const struct pod_spec *s,
	const struct container *o)
{
	for (size_t i = 0; i < o->volume_mounts.len; i++) {
		str name = o->volume_mounts.at[i].name;
		size_t k = 0;

		while (k < s->volumes.len && !str_eq(s->volumes.at[k].name, name))
			k++;
		if (k == s->volumes.len)
			causes_add(c, CAUSE_NOT_FOUND,
				FIELD(FIELD_INDEX(FIELD(p, "volumeMounts"), i), "name"),
				cause_text(name), "%s", "");
	}
}

static bool name_taken(const struct pod_spec *s, str name, size_t init_before, size_t before)
{
	for (size_t i = 0; i < init_before; i++)
		if (str_eq(s->init_containers.at[i].name, name))
			return true;
	for (size_t i = 0; i < before; i++)
		if (str_eq(s->containers.at[i].name, name))
			return true;
	return false;
}

static void check_host_ports(struct causes *c, const struct field_path *p, const struct pod_spec *s)
{
	const struct container_port *seen[256];
	size_t count = 0;

	for (size_t i = 0; i < s->containers.len; i++)
		for (size_t k = 0; k < s->containers.at[i].ports.len; k++) {
			const struct container_port *port = &s->containers.at[i].ports.at[k];
			size_t at = 0;

			if (!port->host_port)
				continue;
			while (at < count &&
				!(seen[at]->host_port == port->host_port &&
					str_eq(seen[at]->protocol, port->protocol) &&
					str_eq(seen[at]->host_ip, port->host_ip)))
				at++;
			if (at < count)
				causes_duplicate(c,
					FIELD(FIELD_INDEX(FIELD(FIELD_INDEX(p, i), "ports"), k),
						"hostPort"),
					cause_text(arena_fmt(c->arena, "%.*s/%.*s/%d",
						STR_ARG(port->protocol), STR_ARG(port->host_ip),
						port->host_port)));
			else if (count < COUNT_OF(seen))
				seen[count++] = port;
		}
}

static void check_host_network(
	struct causes *c, const struct field_path *p, const struct pod_spec *s)
{
	for (size_t i = 0; s->host_network && i < s->containers.len; i++)
		for (size_t k = 0; k < s->containers.at[i].ports.len; k++) {
			const struct container_port *port = &s->containers.at[i].ports.at[k];

			if (port->host_port != port->container_port)
				causes_invalid(c,
					FIELD(FIELD_INDEX(
						      FIELD(FIELD_INDEX(FIELD(p, "containers"), i),
							      "ports"),
						      k),
						"hostPort"),
					cause_i64(c->arena, port->host_port),
					"must match `containerPort` when `hostNetwork` is true");
		}
	if (!s->host_users || *s->host_users)
		return;
	if (s->host_network)
		causes_forbidden(c, FIELD(p, "hostNetwork"), "when `hostUsers` is false");
	if (s->host_pid)
		causes_forbidden(c, FIELD(p, "HostPID"), "when `hostUsers` is false");
	if (s->host_ipc)
		causes_forbidden(c, FIELD(p, "HostIPC"), "when `hostUsers` is false");
}

static void check_gates(struct causes *c, const struct field_path *p, const struct pod_spec *s)
{
	for (size_t i = 0; i < s->scheduling_gates.len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(s->scheduling_gates.at[i].name,
				    s->scheduling_gates.at[k].name)) {
				causes_duplicate(c, FIELD_INDEX(FIELD(p, "schedulingGates"), i),
					cause_text(s->scheduling_gates.at[i].name));
				break;
			}
}

static void check_dns(struct causes *c, const struct field_path *p, const struct pod_spec *s)
{
	if (!str_eq(s->dns_policy, STR("None")))
		return;
	if (!s->dns_config)
		causes_required(c, FIELD(p, "dnsConfig"),
			"must provide `dnsConfig` when `dnsPolicy` is None");
	else if (!s->dns_config->nameservers.len)
		causes_required(c, FIELD(FIELD(p, "dnsConfig"), "nameservers"),
			"must provide at least one DNS nameserver when `dnsPolicy` is None");
}
