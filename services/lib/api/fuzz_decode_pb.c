/*
 * Protobuf objects in their envelope: what decodes is written, read again and written the same. A
 * kind that is not known is read as a CustomResourceDefinition, whose types contain themselves.
 */
#include "api/kinds.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_object(struct arena *a, const struct type *t, const void *o)
{
	struct buf once, again;
	struct err e;
	void *second;

	buf_init(&once, BUF_NO_LIMIT);
	buf_init(&again, BUF_NO_LIMIT);
	if (object_encode(o, FORMAT_PROTOBUF, &once, &e) < 0 ||
		object_decode(a, t, FORMAT_PROTOBUF, buf_str(&once), &second, NULL, &e) < 0 ||
		object_encode(second, FORMAT_PROTOBUF, &again, &e) < 0)
		abort();
	if (!str_eq(buf_str(&once), buf_str(&again)) || !object_equal(o, second))
		abort();
	buf_reset(&once);
	if (object_encode(o, FORMAT_JSON, &once, &e) < 0)
		abort();
	buf_free(&once);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_span((const char *)data, size), api_version, kind, message;
	const struct type *t = NULL;
	struct arena a;
	struct err e;
	void *o;

	if (object_open(in, &api_version, &kind, &message, &e) < 0)
		return 0;
	t = type_find_api_version(&api_schema, api_version, kind);
	if (!t)
		t = api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION);
	arena_init(&a, ARENA_BYTES);
	if (object_decode(&a, t, FORMAT_PROTOBUF, in, &o, NULL, &e) == 0) {
		a.limit_bytes = ARENA_NO_LIMIT;
		check_object(&a, t, o);
		object_default(&a, o);
	}
	arena_free(&a);
	return 0;
}
