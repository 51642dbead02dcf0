#include "apiserver/trust.h"

#include "lib/codec/json.h"
#include "lib/crypto/cert.h"
#include "lib/schema/object.h"

enum { EXPIRED_KEPT_S = 300 };

static const struct list_entry {
	str key;
	size_t offset; /* in struct trust */
	bool optional; /* not told when empty */
} lists[] = {
	{STR_INIT("requestheader-username-headers"), offsetof(struct trust, username_headers),
		false},
	{STR_INIT("requestheader-uid-headers"), offsetof(struct trust, uid_headers), true},
	{STR_INIT("requestheader-group-headers"), offsetof(struct trust, group_headers), false},
	{STR_INIT("requestheader-extra-headers-prefix"), offsetof(struct trust, extra_prefixes),
		false},
	{STR_INIT("requestheader-allowed-names"), offsetof(struct trust, allowed_names), false},
};

static str told(const struct str_map *before, str key);
static str unite_certificates(struct arena *a, str before, str ours, int64_t now_s);
static str unite_lists(struct arena *a, str before, const struct str_list *ours, bool *empty);

void trust_unite(struct arena *a, const struct trust *ours, const struct str_map *before,
	int64_t now_s, struct str_map *data)
{
	const str client_key = STR("client-ca-file"),
		  proxy_key = STR("requestheader-client-ca-file");
	str clients = unite_certificates(a, told(before, client_key), ours->client_ca_pem, now_s);
	str proxies = unite_certificates(a, told(before, proxy_key), ours->proxy_ca_pem, now_s);

	if (clients.len)
		str_map_set(a, data, client_key, clients);
	if (!proxies.len)
		return;
	str_map_set(a, data, proxy_key, proxies);
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		const void *list = (const char *)ours + lists[i].offset;
		bool empty;
		str text = unite_lists(a, told(before, lists[i].key), list, &empty);

		if (!empty || !lists[i].optional)
			str_map_set(a, data, lists[i].key, text);
	}
}

static str told(const struct str_map *before, str key)
{
	for (size_t i = 0; before && i < before->len; i++)
		if (str_eq(before->at[i].key, key))
			return before->at[i].value;
	return STR("");
}

static bool is_among(const struct cert *certificates, size_t count, str der)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(certificates[i].der, der))
			return true;
	return false;
}

static str unite_certificates(struct arena *a, str before, str ours, int64_t now_s)
{
	const str parts[] = {before, ours};
	struct cert *seen = NULL;
	size_t seen_count = 0;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t p = 0; p < COUNT_OF(parts); p++) {
		struct cert *at;
		size_t len;
		struct err e;

		if (!parts[p].len || cert_read(a, parts[p], &at, &len, &e) < 0)
			continue;
		for (size_t i = 0; i < len; i++)
			if (at[i].not_after_s > now_s - EXPIRED_KEPT_S &&
				!is_among(at, i, at[i].der) &&
				!is_among(seen, seen_count, at[i].der))
				buf_add_str(&b, cert_pem(at[i].der, a));
		seen = at;
		seen_count = len;
	}
	str pem = arena_str(a, buf_str(&b));
	buf_free(&b);
	return pem;
}

static void put_once(struct buf *b, struct str_list *all, str name)
{
	for (size_t i = 0; i < all->len; i++)
		if (str_eq(all->at[i], name))
			return;
	if (all->len)
		buf_add_char(b, ',');
	json_put_str(b, name);
	all->at[all->len++] = name;
}

static str unite_lists(struct arena *a, str before, const struct str_list *ours, bool *empty)
{
	struct json_item root = {.count = 0}, item;
	struct str_list all;
	struct buf b;
	struct err e;

	if (!before.len || json_parse(a, before, &root, &e) < 0)
		root = (struct json_item){.kind = JSON_NULL};
	all = (struct str_list){arena_get(a, (root.count + ours->len + 1) * sizeof(str)), 0};
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_char(&b, '[');
	if (root.kind == JSON_ARRAY)
		for (struct json_walk w = json_enter(&root); json_next(&w, &item);)
			if (item.kind == JSON_STRING)
				put_once(&b, &all, item.text);
	for (size_t i = 0; i < ours->len; i++)
		put_once(&b, &all, ours->at[i]);
	buf_add_char(&b, ']');
	*empty = !all.len;
	str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}
