/*
 * Whatever a disk, the kernel's command line or a message of its uevent socket holds: what is found
 * lies inside it.
 */
#include "stage1/probe.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(str part, str whole)
{
	if (part.at && (part.at < whole.at || part.at + part.len > whole.at + whole.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str input = str_span((const char *)data, size);

	if (probe_bytes(input) == PROBE_SQUASHFS && size < 4)
		abort();
	check_inside(probe_setting(input, STR("coracle.root=")), input);
	check_inside(probe_uevent(input), input);
	return 0;
}
