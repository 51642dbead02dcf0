#include "apiserver/validation/rules.h"
#include "lib/crypto/cert.h"

enum {
	CSR_LIFE_MIN_S = 600,
	PRIORITY_MAX = 1000000000,
};

static const str system_prefix = STR_INIT("system-");

void check_pdb_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct pod_disruption_budget_spec *s = o;
	const struct int_or_string *const both[] = {s->min_available, s->max_unavailable};
	static const char *const names[] = {"minAvailable", "maxUnavailable"};

	if (s->min_available && s->max_unavailable)
		causes_invalid(v->causes, p,
			cause_struct(v->causes->arena,
				&api_schema.types[API_POD_DISRUPTION_BUDGET_SPEC], s),
			"minAvailable and maxUnavailable cannot be both set");
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		if (both[i] && both[i]->is_text)
			check_name(v->causes, FIELD(p, names[i]), NAME_PERCENT, both[i]->text);
		else if (both[i])
			check_not_negative(v->causes, FIELD(p, names[i]), both[i]->number);
	}
}

void check_csr_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct certificates_certificate_signing_request_spec *s = o;
	struct causes *c = v->causes;
	struct cert_request request;
	struct err e = {.kind = ERR_NONE};

	if (str_find(s->request, STR("-----BEGIN CERTIFICATE REQUEST-----")) < 0)
		err_write(&e, ERR_INVALID, "PEM block type must be CERTIFICATE REQUEST");
	else if (cert_request_read(c->arena, s->request, &request, &e) == 0)
		key_drop(request.key);
	if (e.kind != ERR_NONE)
		causes_invalid(c, FIELD(p, "request"),
			cause_field(c->arena,
				&api_schema
					 .types[API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST_SPEC],
				s, "request"),
			"%s", e.text);
	if (!s->usages.len)
		causes_required(c, FIELD(p, "usages"), "%s", "");
	if (!s->signer_name.len)
		causes_required(c, FIELD(p, "signerName"), "%s", "");
	else if (str_eq(s->signer_name, STR("kubernetes.io/legacy-unknown")))
		causes_invalid(c, FIELD(p, "signerName"), cause_text(s->signer_name),
			"the legacy signerName is not allowed via this API version");
	else if (str_find_char(s->signer_name, '/') < 0)
		causes_invalid(c, FIELD(p, "signerName"), cause_text(s->signer_name),
			"must be a fully qualified domain and path of the form "
			"'example.com/signer-name'");
	if (s->expiration_seconds && *s->expiration_seconds < CSR_LIFE_MIN_S)
		causes_invalid(c, FIELD(p, "expirationSeconds"),
			cause_i64(c->arena, *s->expiration_seconds),
			"may not specify a duration less than 600 seconds (10 minutes)");
}

void check_priority_class(struct validation *v, const struct field_path *p, const void *o)
{
	const struct priority_class *c = o;
	bool node = str_eq(c->metadata.name, STR("system-node-critical"));
	bool cluster = str_eq(c->metadata.name, STR("system-cluster-critical"));

	if (node || cluster)
		return;
	if (str_starts(c->metadata.name, system_prefix))
		causes_forbidden(v->causes, FIELD(FIELD(p, "metadata"), "name"),
			"priority class names with 'system-' prefix are reserved for system use "
			"only. error: %.*s is not a known system priority class",
			STR_ARG(c->metadata.name));
	if (c->value > PRIORITY_MAX)
		causes_forbidden(v->causes, FIELD(p, "value"),
			"maximum allowed value of a user defined priority is %d", PRIORITY_MAX);
}

void update_priority_class(struct validation *v, const void *now, const void *before)
{
	const struct priority_class *a = now, *b = before;

	if (a->value != b->value)
		causes_forbidden(
			v->causes, FIELD(NULL, "value"), "may not be changed in an update.");
	str x = a->preemption_policy ? *a->preemption_policy : STR("");
	str y = b->preemption_policy ? *b->preemption_policy : STR("");
	if (!str_eq(x, y))
		causes_invalid(v->causes, FIELD(NULL, "preemptionPolicy"), cause_text(x),
			"field is immutable");
}

void check_lease_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct lease_spec *s = o;

	if (s->lease_duration_seconds && *s->lease_duration_seconds <= 0)
		causes_invalid(v->causes, FIELD(p, "leaseDurationSeconds"),
			cause_i64(v->causes->arena, *s->lease_duration_seconds),
			"must be greater than 0");
	if (s->lease_transitions && *s->lease_transitions < 0)
		causes_invalid(v->causes, FIELD(p, "leaseTransitions"),
			cause_i64(v->causes->arena, *s->lease_transitions),
			"must be greater than or equal to 0");
}
