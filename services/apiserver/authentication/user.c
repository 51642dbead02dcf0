#include "apiserver/authentication/user.h"

#include "api/authentication_v1.h"
#include "lib/value/name.h"

#include <stdlib.h>

/* Where the copy's texts and lists go: first counted with `at` NULL, then filled. */
struct room {
	char *at;
	size_t bytes;
};

static void *take(struct room *r, size_t bytes);
static str copy_text(struct room *r, str s);
static struct str_list copy_list(struct room *r, struct str_list l);
static size_t copy_into(struct room *r, const struct user *from, struct user *to);
static void destroy(struct counted *c);

struct user *user_new(const struct user *from)
{
	struct user parts, *u;
	struct room r = {0};
	size_t bytes = copy_into(&r, from, &parts);

	u = calloc(1, sizeof(*u) + bytes);
	if (!u)
		abort();
	r = (struct room){(char *)(u + 1), 0};
	copy_into(&r, from, u);
	counted_init(&u->counted, destroy);
	return u;
}

struct user *user_new_authenticated(const struct user *from)
{
	struct user u = *from;
	struct arena a;

	if (str_eq(from->name, STR(USER_ANONYMOUS)) || user_in_group(from, STR(GROUP_ALL)) ||
		user_in_group(from, STR(GROUP_NOBODY)))
		return user_new(from);
	arena_init(&a, ARENA_NO_LIMIT);
	u.groups.at = arena_get(&a, (from->groups.len + 1) * sizeof(*u.groups.at));
	if (from->groups.len > 0)
		memcpy(u.groups.at, from->groups.at, from->groups.len * sizeof(*u.groups.at));
	u.groups.at[u.groups.len++] = STR(GROUP_ALL);
	struct user *made = user_new(&u);

	arena_free(&a);
	return made;
}

bool user_in_group(const struct user *u, str group)
{
	for (size_t i = 0; i < u->groups.len; i++)
		if (str_eq(u->groups.at[i], group))
			return true;
	return false;
}

struct str_list user_extra(const struct user *u, str key)
{
	for (size_t i = 0; i < u->extra_count; i++)
		if (str_eq(u->extra[i].key, key))
			return u->extra[i].values;
	return (struct str_list){NULL, 0};
}

bool user_service_account(str user_name, str *ns, str *name)
{
	struct name_faults f;
	str prefix = STR(USER_SA_PREFIX);

	if (!str_starts(user_name, prefix))
		return false;
	str rest = str_slice(user_name, prefix.len, user_name.len);
	str first = str_cut(&rest, ':');

	if (!name_check(NAME_DNS1123_LABEL, first, &f) || !rest.at ||
		!name_check(NAME_DNS1123_SUBDOMAIN, rest, &f))
		return false;
	*ns = first;
	*name = rest;
	return true;
}

static size_t copy_into(struct room *r, const struct user *from, struct user *to)
{
	struct user_extra *extra = take(r, from->extra_count * sizeof(*extra));
	struct user_extra none;

	to->groups = copy_list(r, from->groups);
	for (size_t i = 0; i < from->extra_count; i++) {
		struct user_extra *x = r->at ? &extra[i] : &none;

		x->values = copy_list(r, from->extra[i].values);
		x->key = copy_text(r, from->extra[i].key);
	}
	to->extra = extra;
	to->extra_count = from->extra_count;
	to->name = copy_text(r, from->name);
	to->uid = copy_text(r, from->uid);
	return r->bytes;
}

static void *take(struct room *r, size_t bytes)
{
	void *at = r->at ? r->at + r->bytes : NULL;

	r->bytes += bytes;
	return at;
}

/* Lists are rounded up, so that the next one is aligned; texts of a list stand behind it. */
static struct str_list copy_list(struct room *r, struct str_list l)
{
	str *at;

	r->bytes = (r->bytes + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
	at = take(r, l.len * sizeof(*at));
	for (size_t i = 0; i < l.len; i++) {
		str text = copy_text(r, l.at[i]);

		if (at)
			at[i] = text;
	}
	return (struct str_list){at, l.len};
}

static str copy_text(struct room *r, str s)
{
	char *at = take(r, s.len);

	if (at && s.len > 0)
		memcpy(at, s.at, s.len);
	return s.at ? str_span(at ? at : "", s.len) : s;
}

static void destroy(struct counted *c)
{
	free(CONTAINER_OF(c, struct user, counted));
}

void user_info(struct arena *a, const struct user *u, struct authentication_user_info *to)
{
	to->username = arena_str(a, u->name);
	to->uid = arena_str(a, u->uid);
	to->groups = (struct str_list){
		arena_get(a, u->groups.len * sizeof(str) + 1), u->groups.len};
	for (size_t i = 0; i < u->groups.len; i++)
		to->groups.at[i] = arena_str(a, u->groups.at[i]);
	to->extra.at = arena_get(a, u->extra_count * sizeof(*to->extra.at) + 1);
	to->extra.len = u->extra_count;
	for (size_t i = 0; i < u->extra_count; i++) {
		struct str_list values = u->extra[i].values;
		str *copies = arena_get(a, values.len * sizeof(str) + 1);

		for (size_t k = 0; k < values.len; k++)
			copies[k] = arena_str(a, values.at[k]);
		to->extra.at[i].key = arena_str(a, u->extra[i].key);
		to->extra.at[i].value.items = (struct str_list){copies, values.len};
	}
}
