/*
 * The ranges of addresses that nodes can be given: a range of the cluster, cut into pieces of one
 * size, and which of them are taken.
 *
 * Threading: any; a set has a lock of its own. Errors: ERR_INVALID in upstream's words.
 * Source: pkg/controller/nodeipam/ipam/cidrset/cidr_set.go.
 */
#pragma once

#include "lib/base/arena.h"

#include <pthread.h>

/* An address range, "10.1.2.0/24": the address' bits from the left, IPv4 has the first 32. */
struct cidr {
	uint64_t high, low;
	unsigned prefix_bits;
	bool ipv6;
};

/* What the mask takes away is zero. */
NODISCARD int cidr_parse(str text, struct cidr *to, struct err *e);
str cidr_text(struct arena *a, const struct cidr *c);
bool cidr_overlap(const struct cidr *a, const struct cidr *b);

struct cidr_set {
	struct cidr cluster;
	unsigned piece_bits; /* prefix length of a piece */
	size_t count, taken, next;
	uint64_t *used; /* a bit a piece */
	pthread_mutex_t lock;
};

NODISCARD int cidr_set_init(
	struct cidr_set *s, const struct cidr *cluster, unsigned piece_bits, struct err *e);
void cidr_set_free(struct cidr_set *s);

/* The next one that is free; ERR_LIMIT when none is. */
NODISCARD int cidr_set_take(struct cidr_set *s, struct cidr *to, struct err *e);

/* Every piece that the range touches; those that are taken, or free, already stay so. */
NODISCARD int cidr_set_occupy(struct cidr_set *s, const struct cidr *c, struct err *e);
NODISCARD int cidr_set_release(struct cidr_set *s, const struct cidr *c, struct err *e);
