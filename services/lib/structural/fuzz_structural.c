/* A schema up to the first newline, then an object; then a path of a printer column. */
#include "lib/structural/json_path.h"
#include "lib/structural/structure.h"
#include "lib/structural/value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 256 << 20 };

static void encode(struct arena *a, const void *o, str *to)
{
	struct buf b;
	struct err e;

	buf_init(&b, BUF_NO_LIMIT);
	if (object_encode(o, FORMAT_JSON, &b, &e) < 0)
		abort();
	*to = arena_str(a, buf_str(&b));
	buf_free(&b);
}

/* What was read, defaulted and written reads as the same again. */
static void use(struct arena *a, const struct structural *s, bool valid, str json)
{
	struct causes c;
	struct err e;
	void *o, *again;
	str once, twice;

	if (object_decode(a, s->type, FORMAT_JSON, json, &o, NULL, &e) < 0)
		return;
	object_default(a, o);
	encode(a, o, &once);
	if (object_decode(a, s->type, FORMAT_JSON, once, &again, NULL, &e) < 0) {
		if (e.kind != ERR_LIMIT)
			abort();
		return;
	}
	object_default(a, again);
	encode(a, again, &twice);
	if (valid && (!str_eq(once, twice) || !object_equal(o, again)))
		abort();
	causes_init(&c, a);
	structural_validate(s, STR(""), again, o, &c);
	causes_init(&c, a);
	structural_validate(s, STR(""), o, NULL, &c);
}

static void fuzz(struct arena *a, str schema, str json, str path)
{
	struct json_item root, found;
	struct structural s;
	struct causes c;
	struct err e;
	void *crd;
	str text = arena_fmt(a,
		"{\"spec\":{\"group\":\"g.io\",\"versions\":[{\"name\":\"v1\",\"schema\":{"
		"\"openAPIV3Schema\":%.*s}}]},\"status\":{\"acceptedNames\":{\"kind\":\"K\"}}}",
		STR_ARG(schema));

	if (json.at && json_parse(a, json, &root, &e) == 0)
		(void)json_path_find(&root, path.at ? path : STR(""), &found);
	if (object_decode(a, api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION), FORMAT_JSON, text, &crd,
		    NULL, &e) < 0)
		return;
	const struct crd_custom_resource_definition *d = crd;

	if (d->spec.versions.len != 1 || !d->spec.versions.at[0].schema ||
		!d->spec.versions.at[0].schema->open_apiv3_schema)
		return;
	causes_init(&c, a);
	structure_check(&c, d->spec.versions.at[0].schema->open_apiv3_schema, NULL, true);
	if (structural_init(&s, a, d, &d->spec.versions.at[0], &e) == 0)
		use(a, &s, c.len == 0, json.at ? json : STR("{}"));
	structural_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str rest = str_span((const char *)data, size);
	str schema = str_cut(&rest, '\n'), json = rest.at ? str_cut(&rest, '\n') : rest;
	struct arena a;

	arena_init(&a, MEMORY_MAX);
	fuzz(&a, schema, json, rest);
	arena_free(&a);
	return 0;
}
