#include "lib/value/cron.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A schedule that is taken names a later time or none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cron c;
	struct err e;

	if (cron_parse(str_span((const char *)data, len), &c, &e) == 0) {
		int64_t next = cron_next(&c, 1341845100);

		if (next != -1 && next <= 1341845100)
			abort();
	}
	return 0;
}
