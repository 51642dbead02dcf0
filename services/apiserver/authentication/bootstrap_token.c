#include "apiserver/authentication/bootstrap_token.h"

#include "lib/crypto/digest.h"
#include "lib/value/selector.h"

#define GROUP_BOOTSTRAPPERS "system:bootstrappers"

enum { ID_CHARS = 6, SECRET_CHARS = 16, GROUP_SUFFIX_MAX_CHARS = 256 };

static bool is_lower_or_digit(str s);
static bool expired(const struct secret *s, int64_t now_s);
static bool read_groups(struct arena *a, const struct secret *s, struct str_list *to);

bool bootstrap_token_split(str token, str *id, str *secret)
{
	str rest = token;
	str first = str_cut(&rest, '.');

	if (first.len != ID_CHARS || rest.len != SECRET_CHARS || !is_lower_or_digit(first) ||
		!is_lower_or_digit(rest))
		return false;
	*id = first;
	*secret = rest;
	return true;
}

const struct user *bootstrap_token_user(
	struct arena *a, const struct secret *s, str id, str secret, int64_t now_s)
{
	struct str_list groups;

	if (s->metadata.deletion_timestamp ||
		!str_eq(s->type, STR("bootstrap.kubernetes.io/token")))
		return NULL;
	str kept = str_map_get(&s->data, STR("token-secret"));

	if (!kept.at || !digest_same(kept, secret) ||
		!str_eq(str_map_get(&s->data, STR("token-id")), id) || expired(s, now_s) ||
		!str_eq(str_map_get(&s->data, STR("usage-bootstrap-authentication")),
			STR("true")) ||
		!read_groups(a, s, &groups))
		return NULL;
	struct user *u = arena_get(a, sizeof(*u));

	*u = (struct user){
		.name = arena_fmt(a, "system:bootstrap:%.*s", STR_ARG(id)),
		.groups = groups,
	};
	return u;
}

static bool is_lower_or_digit(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!str_is_alphanumeric(s.at[i]) || (s.at[i] >= 'A' && s.at[i] <= 'Z'))
			return false;
	return true;
}

/* A time that cannot be read has passed. */
static bool expired(const struct secret *s, int64_t now_s)
{
	str text = str_map_get(&s->data, STR("expiration"));
	struct time_value until;
	struct err e;

	if (text.len == 0)
		return false;
	return time_parse(text, &until, &e) < 0 || until.seconds <= now_s;
}

/* \Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z */
static bool is_group(str g)
{
	str prefix = STR(GROUP_BOOTSTRAPPERS ":");
	str suffix = str_slice(g, prefix.len, g.len);

	if (!str_starts(g, prefix) || suffix.len == 0 || suffix.len > GROUP_SUFFIX_MAX_CHARS ||
		!is_lower_or_digit(str_slice(suffix, suffix.len - 1, 1)))
		return false;
	for (size_t i = 0; i < suffix.len; i++)
		if (suffix.at[i] != ':' && suffix.at[i] != '-' &&
			!is_lower_or_digit(str_slice(suffix, i, 1)))
			return false;
	return true;
}

/* Sorted, each once. */
static bool read_groups(struct arena *a, const struct secret *s, struct str_list *to)
{
	str extra = str_map_get(&s->data, STR("auth-extra-groups"));
	size_t count = 1;

	for (size_t i = 0; i < extra.len; i++)
		count += extra.at[i] == ',';
	to->at = arena_get(a, (count + 1) * sizeof(*to->at));
	to->at[0] = STR(GROUP_BOOTSTRAPPERS);
	to->len = 1;
	if (extra.len == 0)
		return true;
	while (extra.at) {
		str group = str_cut(&extra, ',');

		if (!is_group(group))
			return false;
		to->at[to->len++] = group;
	}
	selector_sort(to);
	return true;
}
