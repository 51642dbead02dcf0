/* What is read as a code is shown as one that reads the same. */
#include "lib/crypto/access_code.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access_code first, second;
	char text[ACCESS_CODE_CHARS + 1];

	if (!access_code_read(str_span((const char *)data, size), &first))
		return 0;
	access_code_text(&first, text);
	if (!access_code_read(str_of(text), &second) || memcmp(&first, &second, sizeof(first)) != 0)
		abort();
	return 0;
}
