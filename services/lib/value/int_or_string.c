#include "lib/value/int_or_string.h"

#include "lib/value/quote.h"

#include <math.h>

static bool to_i32(str text, int32_t *to)
{
	int64_t value;

	if (!str_to_i64(text, &value) || value < INT32_MIN || value > INT32_MAX)
		return false;
	*to = (int32_t)value;
	return true;
}

struct int_or_string int_or_string_of(str text)
{
	struct int_or_string v = {0};

	if (!to_i32(text, &v.number)) {
		v.text = text;
		v.is_text = true;
	}
	return v;
}

/* Why Go's strconv.Atoi refuses the text: not a number, or too large a one. */
static const char *atoi_fault(str text)
{
	size_t at = text.len > 0 && (text.at[0] == '-' || text.at[0] == '+');

	if (at == text.len)
		return "invalid syntax";
	for (; at < text.len; at++) {
		if (text.at[at] < '0' || text.at[at] > '9')
			return "invalid syntax";
	}
	return "value out of range";
}

int int_or_string_scale(
	const struct int_or_string *v, int64_t total, bool round_up, int64_t *to, struct err *e)
{
	char whole[QUOTE_MAX], digits[QUOTE_MAX];
	int64_t percent;

	if (!v->is_text) {
		*to = v->number;
		return 0;
	}
	if (!str_ends(v->text, STR("%")))
		return err_set(e, ERR_INVALID,
			"invalid value for IntOrString: invalid type: string is not a percentage");
	str number = str_slice(v->text, 0, v->text.len - 1);

	if (!str_to_i64(number, &percent))
		return err_set(e, ERR_INVALID,
			"invalid value for IntOrString: invalid value %s: strconv.Atoi: parsing "
			"%s: %s",
			quote(whole, v->text), quote(digits, number), atoi_fault(number));
	double share = (double)percent * (double)total / 100;

	/* Upstream computes in doubles, too; beyond int64 its answer is the machine's. */
	share = round_up ? ceil(share) : floor(share);
	*to = share >= 0x1p63 ? INT64_MAX : share < -0x1p63 ? INT64_MIN : (int64_t)share;
	return 0;
}
