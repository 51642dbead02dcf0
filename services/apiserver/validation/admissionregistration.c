/*
 * Webhook configurations: pkg/apis/admissionregistration/validation, and the clients that they
 * name: apiserver/pkg/util/webhook/validation.go.
 */
#include "apiserver/validation/rules.h"
#include "lib/http/url.h"

#define URL_FORM "; desired format: https://host[/path]"

/* What both kinds of webhook have. */
struct hook {
	str name;
	const str *side_effects;
	const int32_t *timeout_s;
	const struct str_list *versions;
	size_t conditions;
};

static void check_hook(struct causes *c, const struct field_path *p, const struct hook *h);
static void check_versions(
	struct causes *c, const struct field_path *p, const struct str_list *versions);
static void check_service_reference(
	struct causes *c, const struct field_path *p, const struct admission_service_reference *s);

/* Names of `count` webhooks, each `bytes` long with its name at `offset`. */
static void check_names_differ(
	struct causes *c, const void *first, size_t count, size_t bytes, size_t offset)
{
	const char *at = first;

	for (size_t i = 0; i < count; i++) {
		str name = *(const str *)(at + i * bytes + offset);
		bool twice = false;

		for (size_t k = 0; k < i; k++)
			twice |= str_eq(name, *(const str *)(at + k * bytes + offset));
		if (twice && name.len > 0)
			causes_duplicate(c, FIELD(FIELD_INDEX(FIELD(NULL, "webhooks"), i), "name"),
				cause_text(name));
	}
}

void check_validating_webhooks(
	struct validation *v, UNUSED const struct field_path *p, const void *o)
{
	const struct admission_validating_webhook_configuration *k = o;

	check_names_differ(v->causes, k->webhooks.at, k->webhooks.len, sizeof(*k->webhooks.at),
		offsetof(struct admission_validating_webhook, name));
}

void check_mutating_webhooks(struct validation *v, UNUSED const struct field_path *p, const void *o)
{
	const struct admission_mutating_webhook_configuration *k = o;

	check_names_differ(v->causes, k->webhooks.at, k->webhooks.len, sizeof(*k->webhooks.at),
		offsetof(struct admission_mutating_webhook, name));
}

void check_validating_webhook(struct validation *v, const struct field_path *p, const void *o)
{
	const struct admission_validating_webhook *w = o;
	const struct hook h = {w->name, w->side_effects, w->timeout_seconds,
		&w->admission_review_versions, w->match_conditions.len};

	check_hook(v->causes, p, &h);
}

void check_mutating_webhook(struct validation *v, const struct field_path *p, const void *o)
{
	const struct admission_mutating_webhook *w = o;
	const struct hook h = {w->name, w->side_effects, w->timeout_seconds,
		&w->admission_review_versions, w->match_conditions.len};

	check_hook(v->causes, p, &h);
}

static void check_full_name(struct causes *c, const struct field_path *p, str name)
{
	size_t dots = 0;

	if (name.len == 0) {
		causes_required(c, p, "%s", "");
		return;
	}
	check_name(c, p, NAME_DNS1123_SUBDOMAIN, name);
	for (size_t i = 0; i < name.len; i++)
		dots += name.at[i] == '.';
	if (dots < 2)
		causes_invalid(c, p, cause_text(name),
			"should be a domain with at least three segments separated by dots");
}

static void check_hook(struct causes *c, const struct field_path *p, const struct hook *h)
{
	check_full_name(c, FIELD(p, "name"), h->name);
	if (!h->side_effects)
		causes_required(
			c, FIELD(p, "sideEffects"), "must specify one of None, NoneOnDryRun");
	if (h->timeout_s && (*h->timeout_s < 1 || *h->timeout_s > 30))
		causes_invalid(c, FIELD(p, "timeoutSeconds"), cause_i64(c->arena, *h->timeout_s),
			"the timeout value must be between 1 and 30 seconds");
	if (h->conditions > 0)
		causes_forbidden(c, FIELD(p, "matchConditions"),
			"this server does not evaluate CEL expressions yet");
	check_versions(c, FIELD(p, "admissionReviewVersions"), h->versions);
}

static void check_versions(
	struct causes *c, const struct field_path *p, const struct str_list *versions)
{
	bool known = false;

	if (versions->len == 0) {
		causes_required(c, p, "must specify one of v1, v1beta1");
		return;
	}
	for (size_t i = 0; i < versions->len; i++) {
		str version = versions->at[i];
		bool twice = false;

		for (size_t k = 0; k < i; k++)
			twice |= str_eq(versions->at[k], version);
		if (twice)
			causes_invalid(
				c, FIELD_INDEX(p, i), cause_text(version), "duplicate version");
		else
			check_name(c, FIELD_INDEX(p, i), NAME_DNS1035_LABEL, version);
		known |= str_eq(version, STR("v1")) || str_eq(version, STR("v1beta1"));
	}
	if (!known)
		causes_invalid(c, p, cause_list(c->arena, versions),
			"must include at least one of v1, v1beta1");
}

static bool has_star(const struct str_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (str_eq(l->at[i], STR("*")))
			return true;
	return false;
}

static void check_star(
	struct causes *c, const struct field_path *p, const struct str_list *l, const char *others)
{
	if (l->len == 0)
		causes_required(c, p, "%s", "");
	else if (l->len > 1 && has_star(l))
		causes_invalid(c, p, cause_list(c->arena, l),
			"if '*' is present, must not specify other %s", others);
}

void check_operations(struct validation *v, const struct field_path *p, const void *o)
{
	const struct admission_rule_with_operations *r = o;

	check_star(v->causes, FIELD(p, "operations"), &r->operations, "operations");
}

/* Whether "resource/sub" came before. */
static bool stands_before(const struct str_list *l, size_t nth, str resource, str sub)
{
	for (size_t i = 0; i < nth; i++) {
		str rest = l->at[i], first = str_cut(&rest, '/');

		if (rest.at && str_eq(first, resource) && str_eq(rest, sub))
			return true;
	}
	return false;
}

static void check_rule_resources(
	struct causes *c, const struct field_path *p, const struct str_list *l)
{
	bool all = false, plain = false, single = false;

	for (size_t i = 0; i < l->len; i++) {
		str text = l->at[i], sub = text, resource = str_cut(&sub, '/');

		if (text.len == 0) {
			causes_required(c, FIELD_INDEX(p, i), "%s", "");
			continue;
		}
		all |= str_eq(text, STR("*/*"));
		single |= str_eq(text, STR("*"));
		if (!sub.at) {
			plain = !str_eq(text, STR("*"));
			continue;
		}
		if (stands_before(l, i, resource, STR("*")))
			causes_invalid(c, FIELD_INDEX(p, i), cause_text(text),
				"if '%.*s/*' is present, must not specify %.*s", STR_ARG(resource),
				STR_ARG(text));
		if (stands_before(l, i, STR("*"), sub))
			causes_invalid(c, FIELD_INDEX(p, i), cause_text(text),
				"if '*/%.*s' is present, must not specify %.*s", STR_ARG(sub),
				STR_ARG(text));
	}
	if (l->len > 1 && all)
		causes_invalid(c, p, cause_list(c->arena, l),
			"if '*/*' is present, must not specify other resources");
	if (single && plain)
		causes_invalid(c, p, cause_list(c->arena, l),
			"if '*' is present, must not specify other resources without subresources");
}

void check_admission_rule(struct validation *v, const struct field_path *p, const void *o)
{
	const struct admission_rule *r = o;
	struct causes *c = v->causes;

	check_star(c, FIELD(p, "apiGroups"), &r->api_groups, "API groups");
	check_star(c, FIELD(p, "apiVersions"), &r->api_versions, "API versions");
	for (size_t i = 0; i < r->api_versions.len; i++)
		if (r->api_versions.at[i].len == 0)
			causes_required(c, FIELD_INDEX(FIELD(p, "apiVersions"), i), "%s", "");
	if (r->resources.len == 0)
		causes_required(c, FIELD(p, "resources"), "%s", "");
	check_rule_resources(c, FIELD(p, "resources"), &r->resources);
}

static void check_webhook_url(struct causes *c, const struct field_path *p, str text)
{
	ptrdiff_t hash = str_find_char(text, '#');
	struct url url;
	struct err e;

	if (!str_starts(text, STR("https://"))) {
		ptrdiff_t colon = str_find(text, STR("://"));

		causes_invalid(c, p,
			cause_text(colon < 0 ? STR("") : str_slice(text, 0, (size_t)colon)),
			"'https' is the only allowed URL scheme" URL_FORM);
		return;
	}
	if (hash >= 0) {
		causes_invalid(c, p, cause_text(str_slice(text, (size_t)hash + 1, text.len)),
			"fragments are not permitted in the URL");
		return;
	}
	if (url_parse(text, &url, &e) < 0) {
		causes_required(c, p, "url must be a valid URL: %s" URL_FORM, e.text);
		return;
	}
	if (url.query.len > 0)
		causes_invalid(c, p, cause_text(url.query),
			"query parameters are not permitted in the URL");
}

void check_client_config(struct validation *v, const struct field_path *p, const void *o)
{
	const struct admission_webhook_client_config *k = o;

	if (!k->url == !k->service)
		causes_required(v->causes, p, "exactly one of url or service is required");
	else if (k->url)
		check_webhook_url(v->causes, FIELD(p, "url"), *k->url);
	else
		check_service_reference(v->causes, FIELD(p, "service"), k->service);
}

static void check_service_reference(
	struct causes *c, const struct field_path *p, const struct admission_service_reference *s)
{
	const struct field_path *at = FIELD(p, "path");
	str rest = s->path ? *s->path : STR("");

	if (s->name.len == 0)
		causes_required(c, FIELD(p, "name"), "%s", "");
	if (s->namespace.len == 0)
		causes_required(c, FIELD(p, "namespace"), "%s", "");
	if (s->port && (*s->port < 1 || *s->port > 65535))
		causes_invalid(c, FIELD(p, "port"), cause_i64(c->arena, *s->port),
			"port is not valid: must be between 1 and 65535, inclusive");
	if (rest.len == 0 || str_eq(rest, STR("/")))
		return;
	if (!str_starts(rest, STR("/")))
		causes_invalid(c, at, cause_text(*s->path), "must start with a '/'");
	rest = str_slice(rest, 1, rest.len);
	if (str_ends(rest, STR("/")))
		rest.len--;
	for (size_t i = 0; rest.at; i++) {
		str step = str_cut(&rest, '/');
		struct name_faults faults;

		if (step.len == 0)
			causes_invalid(
				c, at, cause_text(*s->path), "segment[%zu] may not be empty", i);
		else if (!name_check(NAME_DNS1123_SUBDOMAIN, step, &faults))
			causes_invalid(
				c, at, cause_text(*s->path), "segment[%zu]: %s", i, faults.at[0]);
	}
}
