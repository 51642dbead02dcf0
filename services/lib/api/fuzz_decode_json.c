/*
 * JSON objects of any kind: what decodes is written, read again and written the same. The kind is
 * the text's own, a CustomResourceDefinition if it names none.
 */
#include "api/kinds.h"
#include "lib/codec/json.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct type *type_of(struct arena *a, str text)
{
	struct json_item root, api_version, kind;
	const struct type *t = NULL;
	struct err e;

	if (json_parse(a, text, &root, &e) == 0 &&
		json_member(&root, STR("apiVersion"), &api_version) &&
		json_member(&root, STR("kind"), &kind))
		t = type_find_api_version(&api_schema, api_version.text, kind.text);
	return t ? t : api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION);
}

static void *must_decode(struct arena *a, const struct type *t, enum format f, str in)
{
	struct err e;
	void *o;

	if (object_decode(a, t, f, in, &o, NULL, &e) < 0)
		abort();
	return o;
}

static void must_encode(const void *o, enum format f, struct buf *to)
{
	struct err e;

	if (object_encode(o, f, to, &e) < 0)
		abort();
}

static void check_object(struct arena *a, void *o)
{
	struct buf once, again;

	buf_init(&once, BUF_NO_LIMIT);
	buf_init(&again, BUF_NO_LIMIT);
	must_encode(o, FORMAT_JSON, &once);
	must_encode(
		must_decode(a, object_type(o), FORMAT_JSON, buf_str(&once)), FORMAT_JSON, &again);
	if (!str_eq(buf_str(&once), buf_str(&again)))
		abort();
	if (!object_equal(o, object_copy(a, o, true)))
		abort();
	buf_reset(&once);
	must_encode(o, FORMAT_PROTOBUF, &once);
	must_decode(a, object_type(o), FORMAT_PROTOBUF, buf_str(&once));
	object_default(a, o);
	buf_free(&once);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_span((const char *)data, size);
	struct notes notes;
	struct arena a;
	struct err e;
	void *o;

	arena_init(&a, ARENA_BYTES);
	notes_init(&notes, &a);
	if (object_decode(&a, type_of(&a, text), FORMAT_JSON, text, &o, &notes, &e) == 0) {
		a.limit_bytes = ARENA_NO_LIMIT;
		check_object(&a, o);
	}
	arena_free(&a);
	return 0;
}
