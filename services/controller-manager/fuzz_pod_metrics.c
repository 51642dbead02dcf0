/*
 * Answers of the metrics APIs: what is read keeps within its arena, or is refused.
 */
#include "controller-manager/horizontal_metrics.h"

enum { ARENA_BYTES = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str json = str_span((const char *)data, size);
	struct hpa_samples pods = {0}, values = {0};
	struct arena a;
	struct err e;
	size_t count;

	arena_init(&a, ARENA_BYTES);
	if (hpa_read_pod_metrics(&a, json, STR("cpu"), STR(""), &pods, &count, &e) == 0 &&
		pods.len > count)
		__builtin_trap();
	if (hpa_read_values(&a, json, &values, &e) < 0 && e.kind == ERR_NONE)
		__builtin_trap();
	arena_free(&a);
	return 0;
}
