/*
 * The hash by which a field is found from its JSON name. The generator lays the tables out with it,
 * so that it is the same there and here. It reads two words of the name, which tells API names
 * apart; a type's table is not open to keys that a peer chooses, only its lookups are.
 */
#pragma once

#include "lib/base/str.h"

static inline uint64_t name_word(const char *at, size_t len)
{
	uint64_t word = 0;
	uint32_t half;

	if (len >= 8) {
		memcpy(&word, at, 8);
		return word;
	}
	if (len >= 4) {
		memcpy(&half, at, 4);
		word = half;
		memcpy(&half, at + len - 4, 4);
		return word << 32 | half;
	}
	for (size_t i = 0; i < len; i++)
		word = word << 8 | (unsigned char)at[i];
	return word;
}

/* The first of 2^bits slots to look at. */
static inline size_t name_slot(str name, int bits)
{
	uint64_t first = name_word(name.at, name.len);
	uint64_t last = name.len > 8 ? name_word(name.at + name.len - 8, 8) : 0;
	uint64_t mixed = (first ^ (last << 7 | last >> 57) ^ name.len) * 0x9e3779b97f4a7c15u;

	return (size_t)(mixed >> (64 - bits));
}
