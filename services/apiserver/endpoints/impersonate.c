#include "apiserver/endpoints/impersonate.h"

#include "apiserver/endpoints/filters.h"

#define HEADER_USER  "impersonate-user"
#define HEADER_GROUP "impersonate-group"
#define HEADER_UID   "impersonate-uid"
#define HEADER_EXTRA "impersonate-extra-"

static bool asked_for(const struct http_headers *h);
static int may(struct request *r, str group, str resource, str subresource, str ns, str name,
	struct err *e);
static int become_user(struct request *r, str name, struct user *to, struct err *e);
static int become_groups(struct request *r, struct user *to, struct err *e);
static int become_extra(struct request *r, struct user *to, struct err *e);
static void add_group(struct arena *a, struct user *u, str group);

int impersonate(struct request *r, struct err *e)
{
	const struct http_headers *h = &r->x->request.headers;
	str name = http_header(h, STR(HEADER_USER)), uid = http_header(h, STR(HEADER_UID));
	struct user to = {.name = name};

	if (!asked_for(h))
		return 0;
	if (name.len == 0)
		return status_fail(&r->arena, e, STATUS_INTERNAL_ERROR,
			"requested to impersonate groups, a uid or extra values without "
			"impersonating a user");
	TRY(become_user(r, name, &to, e));
	TRY(become_groups(r, &to, e));
	TRY(become_extra(r, &to, e));
	if (uid.len) {
		TRY(may(r, STR("authentication.k8s.io"), STR("uids"), STR(""), STR(""), uid, e));
		to.uid = uid;
	}
	struct user *now = user_new(&to);

	counted_drop(&r->user->counted);
	r->user = now;
	return 0;
}

static bool asked_for(const struct http_headers *h)
{
	for (size_t i = 0; i < h->len; i++)
		if (str_eq(h->at[i].name, STR(HEADER_USER)) ||
			str_eq(h->at[i].name, STR(HEADER_GROUP)) ||
			str_eq(h->at[i].name, STR(HEADER_UID)) ||
			str_starts(h->at[i].name, STR(HEADER_EXTRA)))
			return true;
	return false;
}

static int may(struct request *r, str group, str resource, str subresource, str ns, str name,
	struct err *e)
{
	struct attributes t = {
		.user = r->user,
		.verb = STR("impersonate"),
		.is_resource = true,
		.group = group,
		.version = group.len ? STR("v1") : STR(""),
		.resource = resource,
		.subresource = subresource,
		.ns = ns,
		.name = name,
	};

	return require(r, &t, e);
}

/* A service account brings its groups along unless others are named. */
static int become_user(struct request *r, str name, struct user *to, struct err *e)
{
	struct arena *a = &r->arena;
	str ns, account;

	if (!user_service_account(name, &ns, &account))
		return may(r, STR(""), STR("users"), STR(""), STR(""), name, e);
	TRY(may(r, STR(""), STR("serviceaccounts"), STR(""), ns, account, e));
	if (http_header(&r->x->request.headers, STR(HEADER_GROUP)).at)
		return 0;
	add_group(a, to, STR(GROUP_SA));
	add_group(a, to, arena_fmt(a, GROUP_SA ":%.*s", STR_ARG(ns)));
	return 0;
}

static int become_groups(struct request *r, struct user *to, struct err *e)
{
	const struct http_headers *h = &r->x->request.headers;
	bool anonymous = str_eq(to->name, STR(USER_ANONYMOUS));

	for (size_t i = 0; i < h->len; i++) {
		if (!str_eq(h->at[i].name, STR(HEADER_GROUP)))
			continue;
		TRY(may(r, STR(""), STR("groups"), STR(""), STR(""), h->at[i].value, e));
		add_group(&r->arena, to, h->at[i].value);
	}
	if (!user_in_group(to, STR(GROUP_NOBODY)) &&
		(anonymous || !user_in_group(to, STR(GROUP_ALL))))
		add_group(&r->arena, to, anonymous ? STR(GROUP_NOBODY) : STR(GROUP_ALL));
	return 0;
}

static void add_extra(struct arena *a, struct user *u, str key, str value)
{
	struct user_extra *extra = (struct user_extra *)u->extra;
	size_t at = 0;

	while (at < u->extra_count && str_cmp(extra[at].key, key) < 0)
		at++;
	if (at == u->extra_count || !str_eq(extra[at].key, key)) {
		struct user_extra *more = arena_get(a, (u->extra_count + 1) * sizeof(*more));

		if (u->extra_count) {
			memcpy(more, extra, at * sizeof(*more));
			memcpy(more + at + 1, extra + at, (u->extra_count - at) * sizeof(*more));
		}
		more[at] = (struct user_extra){.key = key};
		u->extra = extra = more;
		u->extra_count++;
	}
	struct str_list *values = &extra[at].values;
	str *all = arena_get(a, (values->len + 1) * sizeof(str));

	if (values->len)
		memcpy(all, values->at, values->len * sizeof(str));
	all[values->len] = value;
	*values = (struct str_list){all, values->len + 1};
}

/* The key is the rest of the field's name, in which characters may be escaped as in a URL. */
static int become_extra(struct request *r, struct user *to, struct err *e)
{
	const struct http_headers *h = &r->x->request.headers;
	struct err malformed;

	for (size_t i = 0; i < h->len; i++) {
		str name = h->at[i].name, key;

		if (!str_starts(name, STR(HEADER_EXTRA)))
			continue;
		name = str_slice(name, sizeof(HEADER_EXTRA) - 1, name.len);
		if (url_decode(&r->arena, name, false, &key, &malformed) < 0)
			key = name;
		TRY(may(r, STR("authentication.k8s.io"), STR("userextras"), key, STR(""),
			h->at[i].value, e));
		add_extra(&r->arena, to, key, h->at[i].value);
	}
	return 0;
}

static void add_group(struct arena *a, struct user *u, str group)
{
	str *all = arena_get(a, (u->groups.len + 1) * sizeof(str));

	if (u->groups.len)
		memcpy(all, u->groups.at, u->groups.len * sizeof(str));
	all[u->groups.len] = group;
	u->groups = (struct str_list){all, u->groups.len + 1};
}
