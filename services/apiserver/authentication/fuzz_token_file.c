#include "apiserver/authentication/token_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_file *f;
	struct err e;

	if (token_file_read(str_span((const char *)data, size), &f, &e) == 0)
		token_file_free(f);
	return 0;
}
