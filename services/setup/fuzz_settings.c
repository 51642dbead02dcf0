/* Any command line and any file is read or refused; what is resolved without a problem is kept and
 * resolves the same. */
#include "setup/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_span((const char *)data, size);
	struct setting_sources from = {0}, again = {0};
	struct settings first, second;
	struct buf problems, kept;
	struct arena a;
	struct err e;

	arena_init(&a, 4 << 20);
	buf_init(&problems, BUF_NO_LIMIT);
	buf_init(&kept, BUF_NO_LIMIT);
	if (settings_read_cmdline(&a, text, &from.at[SOURCE_CMDLINE], &e) < 0)
		from.at[SOURCE_CMDLINE].len = 0;
	if (settings_read_file(&a, text, &from.at[SOURCE_CONFIG_DISK], &e) < 0)
		from.at[SOURCE_CONFIG_DISK].len = 0;
	settings_resolve(&from, &first, &problems);
	if (!problems.len) {
		settings_put_kept(&first, &kept);
		if (settings_read_file(&a, buf_str(&kept), &again.at[SOURCE_KEPT], &e) < 0)
			abort();
		settings_resolve(&again, &second, &problems);
		if (problems.len || !str_eq(first.at[SETTING_ROLE], second.at[SETTING_ROLE]))
			abort();
	}
	buf_free(&problems);
	buf_free(&kept);
	arena_free(&a);
	return 0;
}
