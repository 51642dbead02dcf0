#include "apiserver/authentication/token_cache.h"

#include "lib/base/buf.h"
#include "lib/crypto/digest.h"

#include <pthread.h>
#include <stdlib.h>

enum { LOCKS = 32, SECRET_BYTES = 32 };

struct slot {
	uint8_t key[DIGEST_SHA256_BYTES];
	int64_t until_ns;
	struct token_verdict *verdict; /* NULL: free */
};

struct token_cache {
	const struct clock *clock;
	char secret[SECRET_BYTES];
	pthread_mutex_t locks[LOCKS]; /* of slots by number modulo LOCKS */
	struct slot slots[TOKEN_CACHE_SLOTS];
};

static size_t find(const struct token_cache *c, str token, struct str_list audiences,
	uint8_t key[DIGEST_SHA256_BYTES]);
static void destroy(struct counted *c);

struct token_verdict *token_verdict_new(struct user *u, struct str_list audiences)
{
	size_t bytes = audiences.len * sizeof(str);

	for (size_t i = 0; i < audiences.len; i++)
		bytes += audiences.at[i].len;
	struct token_verdict *v = calloc(1, sizeof(*v) + bytes);

	if (!v)
		abort();
	counted_init(&v->counted, destroy);
	counted_take(&u->counted);
	v->user = u;
	v->audiences = (struct str_list){(str *)(v + 1), audiences.len};
	char *text = (char *)(v->audiences.at + audiences.len);

	for (size_t i = 0; i < audiences.len; i++) {
		memcpy(text, audiences.at[i].at, audiences.at[i].len);
		v->audiences.at[i] = str_span(text, audiences.at[i].len);
		text += audiences.at[i].len;
	}
	return v;
}

struct token_cache *token_cache_new(const struct clock *clock)
{
	struct token_cache *c = calloc(1, sizeof(*c));
	struct random r;

	if (!c)
		abort();
	random_system(&r);
	r.fill(&r, c->secret, sizeof(c->secret));
	c->clock = clock;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&c->locks[i], NULL);
	return c;
}

void token_cache_free(struct token_cache *c)
{
	for (size_t i = 0; i < TOKEN_CACHE_SLOTS; i++)
		if (c->slots[i].verdict)
			counted_drop(&c->slots[i].verdict->counted);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&c->locks[i]);
	free(c);
}

struct token_verdict *token_cache_get(struct token_cache *c, str token, struct str_list audiences)
{
	uint8_t key[DIGEST_SHA256_BYTES];
	size_t at = find(c, token, audiences, key);
	struct slot *s = &c->slots[at];
	struct token_verdict *found = NULL;

	pthread_mutex_lock(&c->locks[at % LOCKS]);
	if (s->verdict && memcmp(s->key, key, sizeof(key)) == 0 &&
		c->clock->monotonic_ns(c->clock) < s->until_ns) {
		found = s->verdict;
		counted_take(&found->counted);
	}
	pthread_mutex_unlock(&c->locks[at % LOCKS]);
	return found;
}

void token_cache_put(
	struct token_cache *c, str token, struct str_list audiences, struct token_verdict *v)
{
	struct slot next = {
		.until_ns = c->clock->monotonic_ns(c->clock) + TOKEN_CACHE_S * NS_PER_S,
		.verdict = v,
	};
	size_t at = find(c, token, audiences, next.key);

	counted_take(&v->counted);
	pthread_mutex_lock(&c->locks[at % LOCKS]);
	struct token_verdict *before = c->slots[at].verdict;

	c->slots[at] = next;
	pthread_mutex_unlock(&c->locks[at % LOCKS]);
	if (before)
		counted_drop(&before->counted);
}

static void add_length(struct buf *b, size_t len)
{
	uint64_t value = len;

	buf_add(b, &value, sizeof(value));
}

/* Lengths stand in front, so that no two questions read the same. */
static size_t find(const struct token_cache *c, str token, struct str_list audiences,
	uint8_t key[DIGEST_SHA256_BYTES])
{
	struct buf b;
	uint32_t head;

	buf_init(&b, BUF_NO_LIMIT);
	add_length(&b, token.len);
	buf_add_str(&b, token);
	add_length(&b, audiences.len);
	for (size_t i = 0; i < audiences.len; i++) {
		add_length(&b, audiences.at[i].len);
		buf_add_str(&b, audiences.at[i]);
	}
	digest_hmac_sha256(str_span(c->secret, sizeof(c->secret)), buf_str(&b), key);
	buf_free(&b);
	memcpy(&head, key, sizeof(head));
	return head % TOKEN_CACHE_SLOTS;
}

static void destroy(struct counted *c)
{
	struct token_verdict *v = CONTAINER_OF(c, struct token_verdict, counted);

	counted_drop(&v->user->counted);
	free(v);
}
