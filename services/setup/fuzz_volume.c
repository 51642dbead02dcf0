/* Whatever a disk begins with. */
#include "setup/volume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct volume_content c;

	volume_content(str_span((const char *)data, size), &c);
	return 0;
}
