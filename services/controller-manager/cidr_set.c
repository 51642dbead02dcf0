#include "controller-manager/cidr_set.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	IPV4_BITS = 32,
	IPV6_BITS = 128,
	WORD_BITS = 64,
	CIDR_TEXT_BYTES = INET6_ADDRSTRLEN + 4,
	PIECES_MAX_BITS_IPV4 = 24, /* a cluster of 10.0.0.0/8 with an address a node */
	PIECES_MAX_BITS_IPV6 = 16,
};

static uint64_t load(const uint8_t from[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | from[i];
	return v;
}

static void store(uint64_t v, uint8_t to[8])
{
	for (int i = 8; i-- > 0; v >>= 8)
		to[i] = (uint8_t)v;
}

/* The left `bits` of a word. */
static uint64_t left_mask(unsigned bits)
{
	if (bits == 0)
		return 0;
	return bits >= WORD_BITS ? UINT64_MAX : UINT64_MAX << (WORD_BITS - bits);
}

static void mask(struct cidr *c, unsigned bits)
{
	c->high &= left_mask(bits);
	c->low &= left_mask(bits > WORD_BITS ? bits - WORD_BITS : 0);
}

static bool parse_prefix(const char *text, unsigned max, unsigned *to)
{
	unsigned bits = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		bits = bits * 10 + (unsigned)(*text - '0');
		if (bits > max)
			return false;
	}
	*to = bits;
	return true;
}

int cidr_parse(str text, struct cidr *to, struct err *e)
{
	char copy[CIDR_TEXT_BYTES];
	uint8_t bytes[16] = {0};
	struct cidr c = {.prefix_bits = 0};
	char *slash;

	if (text.len >= sizeof(copy) || str_find_char(text, '\0') >= 0)
		return err_set(e, ERR_INVALID, "invalid CIDR address");
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	slash = strchr(copy, '/');
	if (!slash)
		return err_set(e, ERR_INVALID, "invalid CIDR address: %s", copy);
	*slash = '\0';
	c.ipv6 = inet_pton(AF_INET, copy, bytes) != 1;
	if ((c.ipv6 && inet_pton(AF_INET6, copy, bytes) != 1) ||
		!parse_prefix(slash + 1, c.ipv6 ? IPV6_BITS : IPV4_BITS, &c.prefix_bits))
		return err_set(e, ERR_INVALID, "invalid CIDR address: %.*s", STR_ARG(text));
	c.high = load(bytes);
	c.low = load(bytes + 8);
	mask(&c, c.prefix_bits);
	*to = c;
	return 0;
}

str cidr_text(struct arena *a, const struct cidr *c)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	store(c->high, bytes);
	store(c->low, bytes + 8);
	inet_ntop(c->ipv6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text));
	return arena_fmt(a, "%s/%u", text, c->prefix_bits);
}

bool cidr_overlap(const struct cidr *a, const struct cidr *b)
{
	unsigned bits = a->prefix_bits < b->prefix_bits ? a->prefix_bits : b->prefix_bits;
	struct cidr x = *a, y = *b;

	mask(&x, bits);
	mask(&y, bits);
	return a->ipv6 == b->ipv6 && x.high == y.high && x.low == y.low;
}

int cidr_set_init(
	struct cidr_set *s, const struct cidr *cluster, unsigned piece_bits, struct err *e)
{
	unsigned max = cluster->ipv6 ? PIECES_MAX_BITS_IPV6 : PIECES_MAX_BITS_IPV4;

	if (piece_bits < cluster->prefix_bits ||
		piece_bits > (cluster->ipv6 ? IPV6_BITS : IPV4_BITS))
		return err_set(e, ERR_INVALID,
			"Controller: Invalid --cluster-cidr, mask size of cluster CIDR must be "
			"less than or equal to --node-cidr-mask-size configured for CIDR family");
	if (piece_bits - cluster->prefix_bits > max)
		return err_set(
			e, ERR_INVALID, "New CIDR set failed; the node CIDR size is too big");
	*s = (struct cidr_set){.cluster = *cluster, .piece_bits = piece_bits};
	s->count = (size_t)1 << (piece_bits - cluster->prefix_bits);
	s->used = calloc(s->count / WORD_BITS + 1, sizeof(*s->used));
	if (!s->used)
		return err_set(e, ERR_SYSTEM, "no memory for the ranges of nodes");
	pthread_mutex_init(&s->lock, NULL);
	return 0;
}

void cidr_set_free(struct cidr_set *s)
{
	pthread_mutex_destroy(&s->lock);
	free(s->used);
}

static bool is_used(const struct cidr_set *s, size_t i)
{
	return s->used[i / WORD_BITS] >> (i % WORD_BITS) & 1;
}

static void put_used(struct cidr_set *s, size_t i, bool used)
{
	if (is_used(s, i) == used)
		return;
	s->used[i / WORD_BITS] ^= (uint64_t)1 << (i % WORD_BITS);
	if (used)
		s->taken++;
	else
		s->taken--;
}

/* The nth piece: n stands in the address' bits between the cluster's prefix and the piece's. */
static struct cidr piece_at(const struct cidr_set *s, uint64_t n)
{
	struct cidr c = s->cluster;

	c.prefix_bits = s->piece_bits;
	if (s->piece_bits == 0)
		return c;
	if (s->piece_bits <= WORD_BITS) {
		c.high |= n << (WORD_BITS - s->piece_bits);
		return c;
	}
	c.low |= n << (IPV6_BITS - s->piece_bits);
	if (s->piece_bits < IPV6_BITS)
		c.high |= n >> (s->piece_bits - WORD_BITS);
	return c;
}

static size_t piece_of(const struct cidr_set *s, const struct cidr *c)
{
	uint64_t high = c->high ^ s->cluster.high, low = c->low ^ s->cluster.low;

	if (s->piece_bits == 0)
		return 0;
	if (s->piece_bits <= WORD_BITS)
		return high >> (WORD_BITS - s->piece_bits);
	if (s->piece_bits == IPV6_BITS)
		return low;
	return low >> (IPV6_BITS - s->piece_bits) | high << (s->piece_bits - WORD_BITS);
}

int cidr_set_take(struct cidr_set *s, struct cidr *to, struct err *e)
{
	pthread_mutex_lock(&s->lock);
	if (s->taken == s->count) {
		pthread_mutex_unlock(&s->lock);
		return err_set(e, ERR_LIMIT,
			"CIDR allocation failed; there are no remaining CIDRs left to allocate in "
			"the accepted range");
	}
	size_t at = s->next;

	while (is_used(s, at))
		at = (at + 1) % s->count;
	put_used(s, at, true);
	s->next = (at + 1) % s->count;
	pthread_mutex_unlock(&s->lock);
	*to = piece_at(s, at);
	return 0;
}

static int put_range(struct cidr_set *s, const struct cidr *c, bool used, struct err *e)
{
	size_t first = 0, count = s->count;

	if (!cidr_overlap(&s->cluster, c))
		return err_set(e, ERR_INVALID, "the range is out of the cluster's");
	if (c->prefix_bits > s->cluster.prefix_bits) {
		first = piece_of(s, c);
		count = c->prefix_bits >= s->piece_bits
			? 1
			: (size_t)1 << (s->piece_bits - c->prefix_bits);
	}
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < count; i++)
		put_used(s, first + i, used);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int cidr_set_occupy(struct cidr_set *s, const struct cidr *c, struct err *e)
{
	return put_range(s, c, true, e);
}

int cidr_set_release(struct cidr_set *s, const struct cidr *c, struct err *e)
{
	return put_range(s, c, false, e);
}
