#include "apiserver/authorization/rules.h"

#include "lib/value/quote.h"

static bool has(const struct str_list *l, str s);
static bool resource_matches(const struct rbac_policy_rule *r, const struct attributes *t);
static bool url_matches(str owned, str path);
static bool covers(const struct rbac_policy_rule *owner, const struct rbac_policy_rule *part);
static size_t part_count(const struct rbac_policy_rule *r);
static void break_down(const struct rbac_policy_rule *r, struct rbac_policy_rule *to, size_t *len);
static struct rbac_policy_rule *compact(struct arena *a, struct rule_list rules, size_t *len);
static void put_rule(struct buf *b, const struct rbac_policy_rule *r);

bool rule_allows(const struct rbac_policy_rule *r, const struct attributes *t)
{
	if (!has(&r->verbs, STR("*")) && !has(&r->verbs, t->verb))
		return false;
	if (t->is_resource)
		return (has(&r->api_groups, STR("*")) || has(&r->api_groups, t->group)) &&
			resource_matches(r, t) &&
			(r->resource_names.len == 0 || has(&r->resource_names, t->name));
	for (size_t i = 0; i < r->non_resource_urls.len; i++)
		if (url_matches(r->non_resource_urls.at[i], t->path))
			return true;
	return false;
}

int rules_missing(struct arena *a, struct rule_list owned, struct rule_list wanted,
	struct rule_list *to, struct err *e)
{
	size_t count = 0, len = 0, missing = 0;

	for (size_t i = 0; i < wanted.len; i++)
		count += part_count(&wanted.at[i]);
	struct rbac_policy_rule *parts = arena_try_array(a, count, sizeof(*parts));

	if (!parts)
		return arena_full(a, e);
	for (size_t i = 0; i < wanted.len; i++)
		break_down(&wanted.at[i], parts, &len);
	for (size_t i = 0; i < len; i++) {
		bool covered = false;

		for (size_t j = 0; j < owned.len && !covered; j++)
			covered = covers(&owned.at[j], &parts[i]);
		if (!covered)
			parts[missing++] = parts[i];
	}
	*to = (struct rule_list){parts, missing};
	return 0;
}

int rules_put_missing(struct buf *b, struct arena *a, struct rule_list rules, struct err *e)
{
	size_t len;
	struct rbac_policy_rule *shown = compact(a, rules, &len);

	if (!shown)
		return arena_full(a, e);
	struct str_list lines = {arena_get(a, len * sizeof(str) + 1), 0};

	for (size_t i = 0; i < len; i++) {
		struct buf line;

		buf_init(&line, BUF_NO_LIMIT);
		put_rule(&line, &shown[i]);
		lines.at[lines.len++] = arena_str(a, buf_str(&line));
		buf_free(&line);
	}
	selector_sort(&lines);
	for (size_t i = 0; i < lines.len; i++) {
		if (i > 0)
			buf_add_char(b, '\n');
		buf_add_str(b, lines.at[i]);
	}
	return 0;
}

static bool has(const struct str_list *l, str s)
{
	for (size_t i = 0; i < l->len; i++)
		if (str_eq(l->at[i], s))
			return true;
	return false;
}

/* "*", "pods", "pods/status", "*" "/status". */
static bool resource_matches(const struct rbac_policy_rule *r, const struct attributes *t)
{
	for (size_t i = 0; i < r->resources.len; i++) {
		str resource = r->resources.at[i];

		if (str_eq(resource, STR("*")))
			return true;
		if (t->subresource.len == 0) {
			if (str_eq(resource, t->resource))
				return true;
			continue;
		}
		ptrdiff_t slash = str_find_char(resource, '/');

		if (slash < 0)
			continue;
		str first = str_slice(resource, 0, (size_t)slash);
		str second = str_slice(resource, (size_t)slash + 1, resource.len);

		if ((str_eq(first, t->resource) || str_eq(first, STR("*"))) &&
			str_eq(second, t->subresource))
			return true;
	}
	return false;
}

/* Every star at the end goes, as strings.TrimRight takes them. */
static bool url_matches(str owned, str path)
{
	if (str_eq(owned, path))
		return true;
	if (!str_ends(owned, STR("*")))
		return false;
	while (str_ends(owned, STR("*")))
		owned.len--;
	return str_starts(path, owned);
}

static bool has_all(const struct str_list *l, const struct str_list *wanted)
{
	for (size_t i = 0; i < wanted->len; i++)
		if (!has(l, wanted->at[i]))
			return false;
	return true;
}

static bool covers_resource(const struct str_list *owned, str resource)
{
	ptrdiff_t slash = str_find_char(resource, '/');

	if (has(owned, resource))
		return true;
	if (slash < 0)
		return false;
	for (size_t i = 0; i < owned->len; i++)
		if (str_starts(owned->at[i], STR("*/")) &&
			str_eq(str_slice(owned->at[i], 1, owned->at[i].len),
				str_slice(resource, (size_t)slash, resource.len)))
			return true;
	return false;
}

static bool covers_resources(const struct str_list *owned, const struct str_list *wanted)
{
	if (has(owned, STR("*")))
		return true;
	for (size_t i = 0; i < wanted->len; i++)
		if (!covers_resource(owned, wanted->at[i]))
			return false;
	return true;
}

static bool covers_urls(const struct str_list *owned, const struct str_list *wanted)
{
	for (size_t i = 0; i < wanted->len; i++) {
		bool covered = false;

		for (size_t j = 0; j < owned->len && !covered; j++)
			covered = url_matches(owned->at[j], wanted->at[i]);
		if (!covered)
			return false;
	}
	return true;
}

static bool covers(const struct rbac_policy_rule *owner, const struct rbac_policy_rule *part)
{
	bool names = owner->resource_names.len == 0 ||
		(part->resource_names.len > 0 &&
			has_all(&owner->resource_names, &part->resource_names));

	return names && (has(&owner->verbs, STR("*")) || has_all(&owner->verbs, &part->verbs)) &&
		(has(&owner->api_groups, STR("*")) ||
			has_all(&owner->api_groups, &part->api_groups)) &&
		covers_resources(&owner->resources, &part->resources) &&
		covers_urls(&owner->non_resource_urls, &part->non_resource_urls);
}

static size_t part_count(const struct rbac_policy_rule *r)
{
	size_t names = r->resource_names.len ? r->resource_names.len : 1;

	return r->verbs.len *
		(r->api_groups.len * r->resources.len * names + r->non_resource_urls.len);
}

/* One element of a list as a list; the parts borrow it. */
static struct str_list one(const struct str_list *l, size_t i)
{
	return (struct str_list){&l->at[i], 1};
}

static void break_down(const struct rbac_policy_rule *r, struct rbac_policy_rule *to, size_t *len)
{
	size_t names = r->resource_names.len ? r->resource_names.len : 1;

	for (size_t g = 0; g < r->api_groups.len; g++)
		for (size_t s = 0; s < r->resources.len; s++)
			for (size_t v = 0; v < r->verbs.len; v++)
				for (size_t n = 0; n < names; n++)
					to[(*len)++] = (struct rbac_policy_rule){
						.api_groups = one(&r->api_groups, g),
						.resources = one(&r->resources, s),
						.verbs = one(&r->verbs, v),
						.resource_names = r->resource_names.len
							? one(&r->resource_names, n)
							: (struct str_list){NULL, 0},
					};
	for (size_t u = 0; u < r->non_resource_urls.len; u++)
		for (size_t v = 0; v < r->verbs.len; v++)
			to[(*len)++] = (struct rbac_policy_rule){
				.non_resource_urls = one(&r->non_resource_urls, u),
				.verbs = one(&r->verbs, v),
			};
}

/* Parts of break_down's making, so that lists have one element or none. */
static bool same_but_verb(const struct rbac_policy_rule *a, const struct rbac_policy_rule *b)
{
	return a->api_groups.len && b->api_groups.len &&
		str_eq(a->api_groups.at[0], b->api_groups.at[0]) &&
		str_eq(a->resources.at[0], b->resources.at[0]) &&
		a->resource_names.len == b->resource_names.len &&
		(a->resource_names.len == 0 ||
			str_eq(a->resource_names.at[0], b->resource_names.at[0]));
}

static struct rbac_policy_rule *compact(struct arena *a, struct rule_list rules, size_t *len)
{
	struct rbac_policy_rule *to = arena_try_array(a, rules.len, sizeof(*to));
	size_t *caps = arena_try_array(a, rules.len, sizeof(*caps));
	size_t count = 0;

	if (!to || !caps)
		return NULL;
	for (size_t i = 0; i < rules.len; i++) {
		size_t at = 0;

		while (at < count && !same_but_verb(&to[at], &rules.at[i]))
			at++;
		if (at == count) {
			to[count] = rules.at[i];
			to[count++].verbs = (struct str_list){NULL, 0};
		}
		struct str_list *verbs = &to[at].verbs;
		void *room = verbs->at;

		if (arena_grow(a, &room, verbs->len, &caps[at], sizeof(str)) < 0)
			return NULL;
		verbs->at = room;
		verbs->at[verbs->len++] = rules.at[i].verbs.at[0];
	}
	*len = count;
	return to;
}

static void put_rule(struct buf *b, const struct rbac_policy_rule *r)
{
	const struct {
		const char *name;
		const struct str_list *list;
	} parts[] = {{"APIGroups", &r->api_groups}, {"Resources", &r->resources},
		{"NonResourceURLs", &r->non_resource_urls}, {"ResourceNames", &r->resource_names},
		{"Verbs", &r->verbs}};
	bool first = true;

	buf_add_char(b, '{');
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (parts[i].list->len == 0)
			continue;
		buf_add_fmt(b, "%s%s:[", first ? "" : ", ", parts[i].name);
		for (size_t j = 0; j < parts[i].list->len; j++) {
			if (j > 0)
				buf_add_char(b, ' ');
			quote_put(b, parts[i].list->at[j]);
		}
		buf_add_char(b, ']');
		first = false;
	}
	buf_add_char(b, '}');
}
