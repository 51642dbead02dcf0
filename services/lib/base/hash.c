#include "lib/base/hash.h"

#include <stdlib.h>
#include <sys/random.h>

struct hash_key hash_key_random(void)
{
	struct hash_key key;

	/* At most 256 bytes from an initialised pool cannot fail or come short. */
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		abort();
	return key;
}

static inline uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t hash_keyed(struct hash_key key, str s)
{
	uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d,
		key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
	uint64_t word, last = (uint64_t)s.len << 56;
	size_t at = 0;

	for (; s.len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, s.at + at, sizeof(word));
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; at + i < s.len; i++)
		last |= (uint64_t)(unsigned char)s.at[at + i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint32_t hash_fnv32a(uint32_t so_far, str s)
{
	for (size_t i = 0; i < s.len; i++)
		so_far = (so_far ^ (unsigned char)s.at[i]) * 16777619u;
	return so_far;
}
