/*
 * Hashes. hash_keyed is SipHash-1-3, for tables whose keys a peer chooses: without the key he
 * cannot make them collide. hash_fnv32a is Kubernetes' choice where a hash becomes part of a name.
 */
#pragma once

#include "lib/base/str.h"

struct hash_key {
	uint64_t k0, k1;
};

/* Fresh from the kernel. */
struct hash_key hash_key_random(void);

uint64_t hash_keyed(struct hash_key key, str s) PURE;

#define HASH_FNV32A_START 2166136261u

/* Continues from `so_far`, which is HASH_FNV32A_START at first. */
uint32_t hash_fnv32a(uint32_t so_far, str s) PURE;
