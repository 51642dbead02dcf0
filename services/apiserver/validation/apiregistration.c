/*
 * APIServices (kube-aggregator/pkg/apis/apiregistration/validation).
 */
#include "apiserver/validation/rules.h"
#include "lib/value/quote.h"

enum { GROUP_PRIORITY_MAX = 20000, VERSION_PRIORITY_MAX = 1000, PORT_MAX = 65535 };

static void check_service_name(struct causes *c, const struct apiregistration_api_service *s)
{
	str needed = arena_fmt(
		c->arena, "%.*s.%.*s", STR_ARG(s->spec.version), STR_ARG(s->spec.group));
	char quoted[QUOTE_MAX];

	if (s->metadata.name.len && !str_eq(s->metadata.name, needed))
		causes_invalid(c, FIELD(FIELD(NULL, "metadata"), "name"),
			cause_text(s->metadata.name), "must be `spec.version+\".\"+spec.group`: %s",
			quote(quoted, needed));
}

static void check_priority(
	struct causes *c, const struct field_path *p, const char *field, int32_t value, int32_t max)
{
	if (value <= 0 || value > max)
		causes_invalid(c, FIELD(p, field), cause_i64(c->arena, value),
			"must be positive and less than %d", max);
}

static void check_local(struct causes *c, const struct field_path *p,
	const struct apiregistration_api_service_spec *s)
{
	if (s->ca_bundle.len)
		causes_invalid(c, FIELD(p, "caBundle"),
			cause_text(arena_fmt(c->arena, "%zu bytes", s->ca_bundle.len)),
			"local APIServices may not have a caBundle");
	if (s->insecure_skip_tls_verify)
		causes_invalid(c, FIELD(p, "insecureSkipTLSVerify"), cause_bool(true),
			"local APIServices may not have insecureSkipTLSVerify");
}

static void check_remote(struct causes *c, const struct field_path *p,
	const struct apiregistration_api_service_spec *s)
{
	const struct field_path *at = FIELD(p, "service");
	int32_t port = s->service->port ? *s->service->port : 0;

	if (!s->service->namespace.len)
		causes_required(c, FIELD(at, "namespace"), "%s", "");
	if (!s->service->name.len)
		causes_required(c, FIELD(at, "name"), "%s", "");
	if (port < 1 || port > PORT_MAX)
		causes_invalid(c, FIELD(at, "port"), cause_i64(c->arena, port),
			"port is not valid: must be between 1 and 65535, inclusive");
	if (s->insecure_skip_tls_verify && s->ca_bundle.len)
		causes_invalid(c, FIELD(p, "insecureSkipTLSVerify"), cause_bool(true),
			"may not be true if caBundle is present");
}

void check_api_service(struct validation *v, UNUSED const struct field_path *root, const void *o)
{
	const struct apiregistration_api_service *s = o;
	const struct field_path *p = FIELD(NULL, "spec");
	struct causes *c = v->causes;

	check_service_name(c, s);
	if (!s->spec.group.len && !str_eq(s->spec.version, STR("v1")))
		causes_required(c, FIELD(p, "group"),
			"only v1 may have an empty group and it better be legacy kube");
	if (s->spec.group.len)
		check_name(c, FIELD(p, "group"), NAME_DNS1123_SUBDOMAIN, s->spec.group);
	check_name(c, FIELD(p, "version"), NAME_DNS1035_LABEL, s->spec.version);
	check_priority(
		c, p, "groupPriorityMinimum", s->spec.group_priority_minimum, GROUP_PRIORITY_MAX);
	check_priority(c, p, "versionPriority", s->spec.version_priority, VERSION_PRIORITY_MAX);
	if (s->spec.service)
		check_remote(c, p, &s->spec);
	else
		check_local(c, p, &s->spec);
}

void update_api_service_status(struct validation *v, const void *now, UNUSED const void *before)
{
	static const str known[] = {STR_INIT("False"), STR_INIT("True"), STR_INIT("Unknown")};
	const struct apiregistration_api_service *s = now;
	const struct field_path *p = FIELD(FIELD(NULL, "status"), "conditions");

	for (size_t i = 0; i < s->status.conditions.len; i++) {
		str status = s->status.conditions.at[i].status;
		bool found = false;

		for (size_t k = 0; k < COUNT_OF(known); k++)
			found |= str_eq(status, known[k]);
		if (!found)
			causes_not_supported(v->causes, FIELD(FIELD_INDEX(p, i), "status"),
				cause_text(status), known, COUNT_OF(known));
	}
}
