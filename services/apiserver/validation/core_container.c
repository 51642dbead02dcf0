#include "apiserver/validation/rules.h"
#include "lib/schema/walk.h"

enum {
	MODE_MAX = 0777,
	RESTART_RULES_MAX = 20,
};

static void check_env_source(
	struct validation *v, const struct field_path *p, const struct env_var *e);
static void check_ports(
	struct validation *v, const struct field_path *p, const struct container *c);
static void check_env_from(struct causes *c, const struct field_path *p, const struct container *o);
static void check_restart_policy(
	struct causes *c, const struct field_path *p, const struct container *o);
static void check_probes(
	struct validation *v, const struct field_path *p, const struct container *c);
static void check_probe(
	struct causes *c, const struct field_path *p, const struct probe *probe, bool once);
static void check_mounts(struct causes *c, const struct field_path *p, const struct container *o);
static void check_limits(
	struct causes *c, const struct field_path *p, const struct resource_requirements *r);
static void check_list(
	struct causes *c, const struct field_path *p, const struct quantity_map *resources);

size_t count_set(enum api_type type, const void *o)
{
	const struct type *t = &api_schema.types[type];
	size_t set = 0;

	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++)
		set += f->shape == SHAPE_POINTER &&
			((const struct any_pointer *)field_at(o, f))->at;
	return set;
}

/* Also of ephemeral containers, whose fields lie in the same places. */
void check_container(struct validation *v, const struct field_path *p, const void *o)
{
	const struct container *c = o;
	str image = str_trim(c->image);

	if (!c->image.len)
		causes_required(v->causes, FIELD(p, "image"), "%s", "");
	else if (image.len != c->image.len)
		causes_invalid(v->causes, FIELD(p, "image"), cause_text(c->image),
			"must not have leading or trailing whitespace");
	check_ports(v, FIELD(p, "ports"), c);
	check_env_from(v->causes, FIELD(p, "envFrom"), c);
	check_probes(v, p, c);
	check_mounts(v->causes, p, c);
	check_restart_policy(v->causes, p, c);
}

void check_env_var(struct validation *v, const struct field_path *p, const void *o)
{
	const struct env_var *e = o;

	if (e->value_from)
		check_env_source(v, FIELD(p, "valueFrom"), e);
}

void check_one_of(struct causes *c, const struct field_path *p, enum api_type type, const void *o,
	const char *what)
{
	const struct type *t = &api_schema.types[type];
	size_t set = 0;

	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++) {
		if (f->shape != SHAPE_POINTER || !((const struct any_pointer *)field_at(o, f))->at)
			continue;
		if (set++)
			causes_forbidden(c, FIELD(p, arena_str(c->arena, field_name(t, f)).at),
				"may not specify more than 1 %s type", what);
	}
	if (!set)
		causes_required(c, p, "must specify a %s type", what);
}

void check_volume_mount(struct validation *v, const struct field_path *p, const void *o)
{
	const struct volume_mount *m = o;

	if (m->sub_path.len && m->sub_path_expr.len)
		causes_invalid(v->causes, FIELD(p, "subPathExpr"), cause_text(m->sub_path_expr),
			"subPathExpr and subPath are mutually exclusive");
	if (m->recursive_read_only && !str_eq(*m->recursive_read_only, STR("Disabled")) &&
		!m->read_only)
		causes_forbidden(v->causes, FIELD(p, "recursiveReadOnly"),
			"may only be specified when readOnly is true");
}

void check_key_to_path(struct validation *v, const struct field_path *p, const void *o)
{
	const struct key_to_path *k = o;

	check_local_path(v->causes, FIELD(p, "path"), k->path);
	check_mode(v->causes, FIELD(p, "mode"), k->mode);
}

void check_mode(struct causes *c, const struct field_path *p, const int32_t *mode)
{
	if (mode && (*mode < 0 || *mode > MODE_MAX))
		causes_invalid(c, p, cause_i64(c->arena, *mode),
			"must be a number between 0 and 0777 (octal), both inclusive");
}

void check_descending(struct causes *c, const struct field_path *p, str path)
{
	if (path.len && path.at[0] == '/')
		causes_invalid(c, p, cause_text(path), "must be a relative path");
	for (str rest = path; rest.at;)
		if (str_eq(str_cut(&rest, '/'), STR(".."))) {
			causes_invalid(c, p, cause_text(path), "must not contain '..'");
			return;
		}
}

void check_local_path(struct causes *c, const struct field_path *p, str path)
{
	size_t before = c->len;

	check_descending(c, p, path);
	if (c->len == before && str_starts(path, STR("..")))
		causes_invalid(c, p, cause_text(path), "must not start with '..'");
}

void check_probe_handler(struct validation *v, const struct field_path *p, const void *o)
{
	const struct probe_handler *h = o;

	check_one_of(v->causes, p, API_PROBE_HANDLER, o, "handler");
	check_handler_ports(v->causes, p, h->http_get, h->tcp_socket);
	if (h->grpc)
		check_port(v->causes, FIELD(FIELD(p, "grpc"), "port"), h->grpc->port);
}

void check_lifecycle_handler(struct validation *v, const struct field_path *p, const void *o)
{
	const struct lifecycle_handler *h = o;

	check_one_of(v->causes, p, API_LIFECYCLE_HANDLER, o, "handler");
	check_handler_ports(v->causes, p, h->http_get, h->tcp_socket);
	if (h->sleep && h->sleep->seconds < 0)
		causes_invalid(v->causes, FIELD(p, "sleep"),
			cause_i64(v->causes->arena, h->sleep->seconds),
			"must be non-negative and less than terminationGracePeriodSeconds");
}

void check_handler_ports(struct causes *c, const struct field_path *p,
	const struct http_get_action *http, const struct tcp_socket_action *tcp)
{
	if (http)
		check_port_or_name(c, FIELD(FIELD(p, "httpGet"), "port"), &http->port);
	if (tcp)
		check_port_or_name(c, FIELD(FIELD(p, "tcpSocket"), "port"), &tcp->port);
}

void check_resources(struct validation *v, const struct field_path *p, const void *o)
{
	const struct resource_requirements *r = o;

	check_list(v->causes, FIELD(p, "limits"), &r->limits);
	check_list(v->causes, FIELD(p, "requests"), &r->requests);
	check_limits(v->causes, p, r);
}

void check_seccomp(struct validation *v, const struct field_path *p, const void *o)
{
	const struct seccomp_profile *s = o;
	bool local = str_eq(s->type, STR("Localhost"));

	if (local && (!s->localhost_profile || !s->localhost_profile->len))
		causes_required(v->causes, FIELD(p, "localhostProfile"),
			"must be set when seccomp type is Localhost");
	else if (local)
		check_local_path(v->causes, FIELD(p, "localhostProfile"), *s->localhost_profile);
	else if (s->localhost_profile)
		causes_invalid(v->causes, FIELD(p, "localhostProfile"),
			cause_struct(v->causes->arena, &api_schema.types[API_SECCOMP_PROFILE], s),
			"can only be set when seccomp type is Localhost");
}

void check_security_context(struct validation *v, const struct field_path *p, const void *o)
{
	const struct security_context *s = o;
	bool escalates = !s->allow_privilege_escalation || *s->allow_privilege_escalation;

	check_id(v->causes, FIELD(p, "runAsUser"), s->run_as_user);
	check_id(v->causes, FIELD(p, "runAsGroup"), s->run_as_group);
	if (escalates)
		return;
	if (s->privileged && *s->privileged)
		causes_invalid(v->causes, p,
			cause_struct(v->causes->arena, &api_schema.types[API_SECURITY_CONTEXT], s),
			"cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	for (size_t i = 0; s->capabilities && i < s->capabilities->add.len; i++)
		if (str_eq(s->capabilities->add.at[i], STR("CAP_SYS_ADMIN")))
			causes_invalid(v->causes, p,
				cause_struct(v->causes->arena,
					&api_schema.types[API_SECURITY_CONTEXT], s),
				"cannot set `allowPrivilegeEscalation` to false and "
				"`capabilities.Add` CAP_SYS_ADMIN");
}

void check_id(struct causes *c, const struct field_path *p, const int64_t *id)
{
	if (id && (*id < 0 || *id > INT32_MAX))
		causes_invalid(c, p, cause_i64(c->arena, *id),
			"must be between 0 and 2147483647, inclusive");
}

static void check_env_source(
	struct validation *v, const struct field_path *p, const struct env_var *e)
{
	size_t set = count_set(API_ENV_VAR_SOURCE, e->value_from);

	if (!set)
		causes_invalid(v->causes, p, cause_text(STR("")),
			"must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
			"`secretKeyRef` or `fileKeyRef`");
	if (e->value.len) {
		if (set)
			causes_invalid(v->causes, p, cause_text(STR("")),
				"may not be specified when `value` is not empty");
	} else if (set > 1) {
		causes_invalid(v->causes, p, cause_text(STR("")),
			"may not have more than one field specified at a time");
	}
}

static void check_ports(struct validation *v, const struct field_path *p, const struct container *o)
{
	struct causes *c = v->causes;

	for (size_t i = 0; i < o->ports.len; i++) {
		const struct container_port *port = &o->ports.at[i];
		const struct field_path *here = FIELD_INDEX(p, i);

		for (size_t k = 0; port->name.len && k < i; k++)
			if (str_eq(o->ports.at[k].name, port->name)) {
				causes_duplicate(c, FIELD(here, "name"), cause_text(port->name));
				break;
			}
		if (!port->container_port)
			causes_required(c, FIELD(here, "containerPort"), "%s", "");
		else
			check_port(c, FIELD(here, "containerPort"), port->container_port);
	}
}

static void check_env_from(struct causes *c, const struct field_path *p, const struct container *o)
{
	for (size_t i = 0; i < o->env_from.len; i++) {
		size_t set = count_set(API_ENV_FROM_SOURCE, &o->env_from.at[i]);

		if (!set)
			causes_invalid(c, p, cause_text(STR("")),
				"must specify one of: `configMapRef` or `secretRef`");
		else if (set > 1)
			causes_invalid(c, p, cause_text(STR("")),
				"may not have more than one field specified at a time");
	}
}

static void check_restart_policy(
	struct causes *c, const struct field_path *p, const struct container *o)
{
	static const str actions[] = {STR_INIT("Restart"), STR_INIT("RestartAllContainers")};
	const struct field_path *rules = FIELD(p, "restartPolicyRules");

	if (o->restart_policy_rules.len && !o->restart_policy)
		causes_required(c, FIELD(p, "restartPolicy"),
			"must specify restartPolicy when restart rules are used");
	if (o->restart_policy_rules.len > RESTART_RULES_MAX)
		causes_too_many(c, rules, o->restart_policy_rules.len, RESTART_RULES_MAX);
	for (size_t i = 0; i < o->restart_policy_rules.len; i++) {
		const struct container_restart_rule *r = &o->restart_policy_rules.at[i];
		const struct field_path *here = FIELD_INDEX(rules, i);

		if (!str_eq(r->action, actions[0]) && !str_eq(r->action, actions[1]))
			causes_not_supported(c, FIELD(here, "action"), cause_text(r->action),
				actions, COUNT_OF(actions));
		if (!r->exit_codes)
			causes_required(c, FIELD(here, "exitCodes"), "must be specified");
	}
}

static void check_probes(
	struct validation *v, const struct field_path *p, const struct container *o)
{
	struct causes *c = v->causes;

	check_probe(c, FIELD(p, "livenessProbe"), o->liveness_probe, true);
	check_probe(c, FIELD(p, "startupProbe"), o->startup_probe, true);
	check_probe(c, FIELD(p, "readinessProbe"), o->readiness_probe, false);
	if (o->readiness_probe && o->readiness_probe->termination_grace_period_seconds)
		causes_invalid(c,
			FIELD(FIELD(p, "readinessProbe"), "terminationGracePeriodSeconds"),
			cause_i64(c->arena, *o->readiness_probe->termination_grace_period_seconds),
			"must not be set for readinessProbes");
}

static void check_probe(
	struct causes *c, const struct field_path *p, const struct probe *probe, bool once)
{
	if (!probe)
		return;
	if (once && probe->success_threshold != 1)
		causes_invalid(c, FIELD(p, "successThreshold"),
			cause_i64(c->arena, probe->success_threshold), "must be 1");
	if (probe->termination_grace_period_seconds &&
		*probe->termination_grace_period_seconds <= 0)
		causes_invalid(c, FIELD(p, "terminationGracePeriodSeconds"),
			cause_i64(c->arena, *probe->termination_grace_period_seconds),
			"must be greater than 0");
}

static void check_mounts(struct causes *c, const struct field_path *p, const struct container *o)
{
	const struct field_path *mounts = FIELD(p, "volumeMounts");

	for (size_t i = 0; i < o->volume_mounts.len; i++) {
		const struct volume_mount *m = &o->volume_mounts.at[i];
		check_descending(c, FIELD(mounts, "subPath"), m->sub_path);
		check_descending(c, FIELD(mounts, "subPathExpr"), m->sub_path_expr);
		bool privileged = o->security_context && o->security_context->privileged &&
			*o->security_context->privileged;

		for (size_t k = 0; m->mount_path.len && k < i; k++)
			if (str_eq(o->volume_mounts.at[k].mount_path, m->mount_path)) {
				causes_invalid(c, FIELD(FIELD_INDEX(mounts, i), "mountPath"),
					cause_text(m->mount_path), "must be unique");
				break;
			}
		if (m->mount_propagation && str_eq(*m->mount_propagation, STR("Bidirectional")) &&
			!privileged)
			causes_forbidden(c, FIELD(mounts, "mountPropagation"),
				"Bidirectional mount propagation is available only to privileged "
				"containers");
	}
}

static const struct quantity *quantity_of_name(const struct quantity_map *m, str name)
{
	for (size_t i = 0; i < m->len; i++)
		if (str_eq(m->at[i].key, name))
			return &m->at[i].value;
	return NULL;
}

/* A request is at most its limit; what cannot be overcommitted has both alike. */
static void check_limits(
	struct causes *c, const struct field_path *p, const struct resource_requirements *r)
{
	for (size_t i = 0; i < r->requests.len; i++) {
		str name = r->requests.at[i].key;
		const struct quantity *request = &r->requests.at[i].value;
		const struct quantity *limit = quantity_of_name(&r->limits, name);
		bool whole = str_starts(name, STR("hugepages-")) || str_find_char(name, '/') >= 0;
		struct cause_value value = cause_quantity(c->arena, request);
		str shown = limit ? cause_quantity(c->arena, limit).text : STR("");

		if (limit && whole && !quantity_equal(request, limit))
			causes_invalid(c, FIELD(p, "requests"), value,
				"must be equal to %.*s limit of %.*s", STR_ARG(name),
				STR_ARG(shown));
		else if (limit && quantity_compare(request, limit) > 0)
			causes_invalid(c, FIELD(p, "requests"), value,
				"must be less than or equal to %.*s limit of %.*s", STR_ARG(name),
				STR_ARG(shown));
		else if (!limit && whole)
			causes_required(c, FIELD(p, "limits"),
				"Limit must be set for non overcommitable resources");
	}
}

static void check_list(
	struct causes *c, const struct field_path *p, const struct quantity_map *resources)
{
	for (size_t i = 0; i < resources->len; i++) {
		const struct quantity_entry *one = &resources->at[i];
		const struct field_path *here = FIELD_KEY(p, one->key);

		check_resource_name(c, here, one->key);
		check_resource_value(c, here, one->key, &one->value);
	}
}
