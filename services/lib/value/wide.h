/*
 * Decimal integers of up to 38 digits, for quantity*.c alone.
 */
#pragma once

#include "lib/value/quantity.h"

enum { WIDE_DIGITS = 38 };

/* Ten to the power of n, at most WIDE_DIGITS. */
static inline __int128 wide_pow10(int32_t n)
{
	__int128 power = 1;

	for (; n > 0; n--)
		power *= 10;
	return power;
}

static inline bool wide_fits(__int128 value)
{
	const __int128 bound = (__int128)10000000000000000000u * 10000000000000000000u;

	return value > -bound && value < bound;
}

/* Multiplies by ten to the power of n; false, and nothing changed, if that needs more digits. */
static inline bool wide_shift(__int128 *value, int64_t n)
{
	if (*value == 0)
		return true;
	if (n > WIDE_DIGITS)
		return false;
	__int128 room = wide_pow10(WIDE_DIGITS - (int32_t)n), factor = wide_pow10((int32_t)n);

	if (*value >= room || *value <= -room)
		return false;
	*value *= factor;
	return true;
}

static inline __int128 wide_of(const struct quantity *q)
{
	return (__int128)((unsigned __int128)(uint64_t)q->high << 64 | q->low);
}

static inline void wide_set(struct quantity *q, __int128 value)
{
	q->low = (uint64_t)value;
	q->high = (int64_t)(value >> 64);
}
