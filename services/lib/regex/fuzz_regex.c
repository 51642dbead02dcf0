/* A pattern up to the first newline, then the text. */
#include "lib/regex/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { TEXT_MAX = 4096 };
	str text = str_span((const char *)data, size), pattern = str_cut(&text, '\n');
	struct regex *r;
	struct err e;

	if (regex_compile(pattern, &r, &e) < 0)
		return 0;
	if (text.at)
		(void)regex_matches(r, str_slice(text, 0, TEXT_MAX));
	regex_free(r);
	return 0;
}
