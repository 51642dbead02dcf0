#include "apiserver/authentication/peer.h"

#include "lib/base/buf.h"
#include "lib/crypto/digest.h"

#include <stdlib.h>

#define EXTRA_CREDENTIAL_ID "authentication.kubernetes.io/credential-id"

enum { CERT_ARENA_BYTES = 1 << 20 };

static void judge_proxy(const struct peer_rules *r, struct cert_list chain, const struct cert *leaf,
	int64_t now_s, struct peer *p);
static void judge_client(const struct peer_rules *r, struct cert_list chain,
	const struct cert *leaf, int64_t now_s, struct peer *p);
static void fault(struct peer *p, const char *text);
static void destroy(struct counted *c);

struct peer *peer_of(const struct peer_rules *r, struct http_exchange *x, int64_t now_s)
{
	struct counted *kept = http_peer_kept(x);
	struct cert_list chain = {0};
	struct err e;

	if (kept) {
		struct peer *p = CONTAINER_OF(kept, struct peer, counted);

		if (now_s < p->until_s) {
			counted_take(kept);
			return p;
		}
	}
	int result = http_peer_chain(x, &chain, &e);
	struct peer *p = peer_judge(r, chain, now_s);

	if (result < 0)
		fault(p, e.text);
	else
		http_peer_keep(x, &p->counted);
	return p;
}

struct peer *peer_judge(const struct peer_rules *r, struct cert_list chain, int64_t now_s)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct arena a;
	struct cert leaf;
	struct err e;

	if (!p)
		abort();
	counted_init(&p->counted, destroy);
	p->until_s = now_s + PEER_KEPT_S;
	if (chain.len == 0)
		return p;
	arena_init(&a, CERT_ARENA_BYTES);
	if (cert_read_der(&a, chain.at[0], &leaf, &e) < 0) {
		fault(p, e.text);
	} else {
		judge_proxy(r, chain, &leaf, now_s, p);
		judge_client(r, chain, &leaf, now_s, p);
	}
	arena_free(&a);
	return p;
}

static void judge_proxy(const struct peer_rules *r, struct cert_list chain, const struct cert *leaf,
	int64_t now_s, struct peer *p)
{
	bool named = r->proxy_names.len == 0;
	struct err e;

	if (!r->proxies)
		return;
	for (size_t i = 0; i < r->proxy_names.len; i++)
		named |= str_eq(r->proxy_names.at[i], leaf->subject.common_name);
	if (cert_verify(r->proxies, chain, CERT_CLIENT_AUTH, now_s, &e) < 0)
		fault(p, e.text);
	else if (!named)
		fault(p, "x509: subject is not in the allowed list");
	else
		p->is_proxy = true;
}

static str credential_id(struct arena *a, const struct cert *leaf)
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	struct buf b;

	digest_sha256(leaf->der, sum);
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("X509SHA256="));
	for (size_t i = 0; i < sizeof(sum); i++)
		buf_add_fmt(&b, "%02x", sum[i]);
	str id = arena_str(a, buf_str(&b));

	buf_free(&b);
	return id;
}

static struct user *user_of(const struct cert *leaf)
{
	struct arena a;

	arena_init(&a, CERT_ARENA_BYTES);
	str id = credential_id(&a, leaf);
	struct user_extra extra = {STR(EXTRA_CREDENTIAL_ID), {&id, 1}};
	struct user u = {
		.name = leaf->subject.common_name,
		.uid = leaf->subject.uids.len ? leaf->subject.uids.at[0] : (str){NULL, 0},
		.groups = {(str *)leaf->subject.organizations.at, leaf->subject.organizations.len},
		.extra = &extra,
		.extra_count = 1,
	};
	struct user *made = user_new_authenticated(&u);

	arena_free(&a);
	return made;
}

/* A good certificate without a common name is nobody's, which is no fault. */
static void judge_client(const struct peer_rules *r, struct cert_list chain,
	const struct cert *leaf, int64_t now_s, struct peer *p)
{
	const struct cert_list *uids = &leaf->subject.uids;
	struct err e;

	if (!r->clients)
		return;
	if (cert_verify(r->clients, chain, CERT_CLIENT_AUTH, now_s, &e) < 0)
		fault(p, e.text);
	else if (leaf->subject.common_name.len == 0)
		return;
	else if (uids->len > 1)
		fault(p, "expected 1 UID, but found multiple");
	else if (uids->len == 1 && uids->at[0].len == 0)
		fault(p, "UID cannot be an empty string");
	else
		p->user = user_of(leaf);
}

/* The first is told. */
static void fault(struct peer *p, const char *text)
{
	if (!p->fault.kind)
		err_write(&p->fault, ERR_UNAUTHORIZED, "%s", text);
}

static void destroy(struct counted *c)
{
	struct peer *p = CONTAINER_OF(c, struct peer, counted);

	if (p->user)
		counted_drop(&p->user->counted);
	free(p);
}
