/* Any text is read or refused; what is read is expanded; s6's files are read whatever they hold. */
#include "lib/supervise/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_span((const char *)data, size);
	struct service_deaths deaths;
	struct service_status status;
	struct pair_list values;
	struct run_file r;
	struct arena a;
	struct err e;
	str to;

	arena_init(&a, 4 << 20);
	if (run_file_read(&a, text, &r, &e) == 0 && pairs_read(&a, text, &values, &e) == 0)
		for (size_t i = 0; i < r.argv.len; i++)
			(void)!run_expand(&a, r.argv.at[i], &values, &to, &e);
	(void)!service_status_read(text, &status, &e);
	service_deaths_read(text, &deaths);
	arena_free(&a);
	return 0;
}
