/* Two quantities, one a line: the same when printed and read again; sums and differences agree. */
#include "lib/value/quantity.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIGITS_SURE = 36 };

/* Upstream, and so we, print no suffix for exponents that have none, and read binary numbers
 * capped: such ones change. */
static bool prints_whole(const struct quantity *q)
{
	bool binary = q->format == QUANTITY_BINARY;
	struct quantity above = binary ? quantity_of(INT64_MAX, 0, QUANTITY_UNSET)
				       : quantity_of(1, 21, QUANTITY_UNSET);
	struct quantity below = above;

	if (!quantity_sub(&below, &above) || !quantity_sub(&below, &above))
		abort();
	return q->format == QUANTITY_DECIMAL_EXPONENT || q->format == QUANTITY_UNSET ||
		(quantity_compare(q, &above) < 0 && quantity_compare(q, &below) > 0);
}

static void check(struct quantity q)
{
	struct quantity back;
	struct buf b;
	struct err e;

	q.text = (str){NULL, 0};
	buf_init(&b, 4096);
	quantity_put(&b, &q);
	if (b.overflowed || quantity_compare(&q, &q) != 0)
		abort();
	bool read = quantity_parse(buf_str(&b), &back, &e) == 0;
	bool too_long = b.len > DIGITS_SURE; /* zeroes up to the suffix can make 39 digits of 38 */

	if (prints_whole(&q) && q.scale >= QUANTITY_NANO &&
		!(read ? quantity_equal(&q, &back) : too_long))
		abort();
	(void)quantity_value(&q);
	(void)quantity_milli(&q);
	quantity_round_up(&q, QUANTITY_MILLI);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str rest = str_span((const char *)data, size), first = str_cut(&rest, '\n');
	struct quantity q, other;
	struct err e;

	if (quantity_parse(first, &q, &e) < 0)
		return 0;
	check(q);
	if (!rest.at || quantity_parse(rest, &other, &e) < 0)
		return 0;
	struct quantity sum = q;

	if (quantity_compare(&q, &other) != -quantity_compare(&other, &q))
		abort();
	if (quantity_add(&sum, &other)) {
		check(sum);
		if (quantity_sub(&sum, &other) && !quantity_equal(&sum, &q))
			abort();
	}
	return 0;
}
