/*
 * Quantities as in apimachinery/pkg/api/resource:
 * decimal numbers with a suffix, "100m", "1.5Gi", "12e6".
 *
 * The value is unscaled times ten to the power of scale, exact. Upstream's numbers have no bound;
 * ours have 38 significant digits and exponents of 32 bits, and what needs more is refused as not
 * numeric. As upstream, more than nine decimal places are rounded up (away from zero), binary
 * numbers are capped at 2^63-1.
 *
 * A quantity prints in canonical form, save that a text which upstream finds canonical at a glance
 * comes back as written ("1.500", "+1"): `text` keeps it. The zero struct is zero without a format.
 *
 * Ownership: `text` is borrowed from what was parsed; all else is a plain value.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum quantity_format {
	QUANTITY_UNSET,            /* prints like an exponent */
	QUANTITY_DECIMAL,          /* n u m "" k M G T P E */
	QUANTITY_BINARY,           /* Ki Mi Gi Ti Pi Ei */
	QUANTITY_DECIMAL_EXPONENT, /* e3 */
};

enum {
	QUANTITY_TEXT_MAX = 1024,
	QUANTITY_NANO = -9,
	QUANTITY_MILLI = -3,
};

struct quantity {
	str text; /* as written if it prints so, else absent */
	uint64_t low;
	int64_t high;
	int32_t scale;
	uint8_t format; /* enum quantity_format */
	bool exact; /* upstream holds it as an int64 with a scale, not as a decimal of any length */
};

/* Blanks around the number are the caller's to trim. ERR_INVALID in upstream's words. */
NODISCARD int quantity_parse(str text, struct quantity *to, struct err *e);

/* value times ten to the power of scale. */
struct quantity quantity_of(int64_t value, int32_t scale, enum quantity_format format);

void quantity_put(struct buf *b, const struct quantity *q);
str quantity_text(struct arena *a, const struct quantity *q);

int quantity_compare(const struct quantity *a, const struct quantity *b) PURE;
int quantity_sign(const struct quantity *q) PURE;

static inline bool quantity_equal(const struct quantity *a, const struct quantity *b)
{
	return quantity_compare(a, b) == 0;
}

/* `*to` becomes the sum or difference; zero takes over the other's format. False, and nothing
 * changed, if the result needs more than 38 digits. */
NODISCARD bool quantity_add(struct quantity *to, const struct quantity *q);
NODISCARD bool quantity_sub(struct quantity *to, const struct quantity *q);

/* In units of ten to the power of scale, rounded up; wraps past 64 bits as upstream's does. */
int64_t quantity_scaled(const struct quantity *q, int32_t scale) PURE;

static inline int64_t quantity_value(const struct quantity *q)
{
	return quantity_scaled(q, 0);
}

static inline int64_t quantity_milli(const struct quantity *q)
{
	return quantity_scaled(q, QUANTITY_MILLI);
}

/* Rounds to a multiple of ten to the power of scale, away from zero. */
void quantity_round_up(struct quantity *q, int32_t scale);
