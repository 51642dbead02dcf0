/* A text that is read as YAML is written as YAML and read as the same. */
#include "lib/codec/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	ARENA_MAX_BYTES = 64 << 20,
	TEXT_MAX_BYTES = 8 << 20,
};

/* False past a limit. What was written by us can always be read. */
static bool through_yaml(struct arena *a, str json, str *back)
{
	struct json_item root;
	struct buf b;
	struct err e;

	if (json_parse(a, json, &root, &e) < 0) {
		if (e.kind != ERR_LIMIT)
			abort();
		return false;
	}
	buf_init(&b, TEXT_MAX_BYTES);
	bool done = yaml_put_item(a, &b, &root, &e) == 0 &&
		yaml_to_json(a, buf_str(&b), back, NULL, &e) == 0;

	if (!done && e.kind != ERR_LIMIT)
		abort();
	buf_free(&b);
	return done;
}

/* As upstream's writer, ours leaves "<<" without quotes, which as a key means something else. */
static bool has_merge_key(str json)
{
	return str_find(json, STR("\"\\u003c\\u003c\"")) >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str rest = str_span((const char *)data, size), json, duplicates, once, twice;
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_MAX_BYTES);
	for (str document = yaml_cut(&rest); document.at; document = yaml_cut(&rest)) {
		if (yaml_to_json(&a, document, &json, &duplicates, &e) == 0 &&
			!has_merge_key(json) && through_yaml(&a, json, &once) &&
			through_yaml(&a, once, &twice) && !str_eq(once, twice))
			abort();
		if (!rest.at)
			break;
	}
	arena_free(&a);
	return 0;
}
