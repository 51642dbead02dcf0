#include "apiserver/authentication/request_header.h"

#include "lib/http/url.h"

static str first_value(const struct http_headers *h, struct str_list names);
static struct str_list all_values(
	struct arena *a, const struct http_headers *h, struct str_list names);
static void add_extra(struct arena *a, struct user *u, str key, str value);

const struct user *request_header_user(
	struct arena *a, const struct request_header_names *n, const struct http_headers *h)
{
	struct user *u = arena_get(a, sizeof(*u));

	u->name = first_value(h, n->users);
	if (u->name.len == 0)
		return NULL;
	u->uid = first_value(h, n->uids);
	u->groups = all_values(a, h, n->groups);
	u->extra = arena_get(a, h->len * n->extra_prefixes.len * sizeof(*u->extra) + 1);
	for (size_t p = 0; p < n->extra_prefixes.len; p++) {
		str prefix = n->extra_prefixes.at[p];

		for (size_t i = 0; i < h->len; i++) {
			str name = h->at[i].name, key;
			struct err e;

			if (!str_eq_ignoring_case(str_slice(name, 0, prefix.len), prefix))
				continue;
			str encoded = str_slice(name, prefix.len, name.len);

			if (url_decode(a, encoded, false, &key, &e) < 0)
				key = encoded;
			add_extra(a, u, key, h->at[i].value);
		}
	}
	return u;
}

static str first_value(const struct http_headers *h, struct str_list names)
{
	for (size_t n = 0; n < names.len; n++)
		for (size_t i = 0; i < h->len; i++)
			if (str_eq_ignoring_case(h->at[i].name, names.at[n])) {
				if (h->at[i].value.len > 0)
					return h->at[i].value;
				break;
			}
	return (str){NULL, 0};
}

static struct str_list all_values(
	struct arena *a, const struct http_headers *h, struct str_list names)
{
	struct str_list values = {arena_get(a, h->len * names.len * sizeof(str) + 1), 0};

	for (size_t n = 0; n < names.len; n++)
		for (size_t i = 0; i < h->len; i++)
			if (str_eq_ignoring_case(h->at[i].name, names.at[n]) &&
				h->at[i].value.len > 0)
				values.at[values.len++] = h->at[i].value;
	return values;
}

/* Keeps the keys sorted; values of one key stay in the order in which they came. */
static void add_extra(struct arena *a, struct user *u, str key, str value)
{
	struct user_extra *extra = (struct user_extra *)u->extra;
	size_t at = 0;

	while (at < u->extra_count && str_cmp(extra[at].key, key) < 0)
		at++;
	if (at == u->extra_count || !str_eq(extra[at].key, key)) {
		memmove(&extra[at + 1], &extra[at], (u->extra_count - at) * sizeof(*extra));
		extra[at] = (struct user_extra){.key = key};
		u->extra_count++;
	}
	struct str_list *values = &extra[at].values;
	str *more = arena_get(a, (values->len + 1) * sizeof(*more));

	if (values->len > 0)
		memcpy(more, values->at, values->len * sizeof(*more));
	more[values->len] = value;
	*values = (struct str_list){more, values->len + 1};
}
