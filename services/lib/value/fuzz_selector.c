/* A selector is the same when printed and read again; names take any bytes. What is no UTF-8
 * becomes another text when it is unescaped, and may sort otherwise then. */
#include "lib/value/name.h"
#include "lib/value/selector.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int parse(struct arena *a, str text, struct selector *to, struct err *e);
typedef void print(struct buf *b, const struct selector *s);

static int parse_labels(struct arena *a, str text, struct selector *to, struct err *e)
{
	return selector_parse(a, text, (str){NULL, 0}, to, e);
}

/* False if there is nothing more to compare. */
static bool again(struct arena *a, str text, parse *read, print *write, struct buf *to, bool ours)
{
	struct selector s;
	struct err e;

	if (read(a, text, &s, &e) < 0) {
		if (ours && e.kind != ERR_LIMIT)
			abort();
		return false;
	}
	write(to, &s);
	return true;
}

/* Terms are sorted as they were written, so that only the second time is final. */
static void check(struct arena *a, str text, parse *read, print *write)
{
	struct buf first, second, third;

	buf_init(&first, BUF_NO_LIMIT);
	buf_init(&second, BUF_NO_LIMIT);
	buf_init(&third, BUF_NO_LIMIT);
	if (str_is_utf8(text) && again(a, text, read, write, &first, false) &&
		again(a, buf_str(&first), read, write, &second, true) &&
		again(a, buf_str(&second), read, write, &third, true) &&
		!str_eq(buf_str(&second), buf_str(&third)))
		abort();
	buf_free(&first);
	buf_free(&second);
	buf_free(&third);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str_entry entries[] = {{STR("a"), STR("1")}, {STR("b"), STR("")}};
	struct str_map labels = {entries, COUNT_OF(entries)};
	str text = str_span((const char *)data, size);
	struct selector s;
	struct name_faults faults;
	struct arena a;
	struct err e;

	arena_init(&a, 64 << 20);
	check(&a, text, parse_labels, selector_put);
	check(&a, text, selector_parse_fields, selector_put_fields);
	if (parse_labels(&a, text, &s, &e) == 0)
		(void)selector_matches(&s, &labels);
	if (selector_parse_fields(&a, text, &s, &e) == 0)
		(void)selector_matches_fields(&s, &labels);
	for (int form = NAME_DNS1123_LABEL; form <= NAME_DECIMAL_INTEGER; form++)
		(void)name_check((enum name_form)form, text, &faults);
	arena_free(&a);
	return 0;
}
