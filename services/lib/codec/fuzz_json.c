/* A text that is read is written, read again and written the same; as a tree, too. */
#include "lib/codec/tree.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	ARENA_MAX_BYTES = 16 << 20,
	TEXT_MAX_BYTES = 64 << 20,
};

static void write_again(struct arena *a, str text, struct buf *first, struct buf *second)
{
	struct json_item root;
	struct err e;

	if (json_parse(a, text, &root, &e) < 0)
		return;
	json_put_item(first, &root);
	if (json_parse(a, buf_str(first), &root, &e) < 0) {
		if (e.kind != ERR_LIMIT)
			abort();
		return;
	}
	json_put_item(second, &root);
	if (!str_eq(buf_str(first), buf_str(second)))
		abort();
}

static void change(struct arena *a, str text, struct buf *to)
{
	struct tree *t, *copy;
	struct err e;

	if (tree_read(a, text, &t, &e) < 0 || tree_copy(a, t, &copy, &e) < 0)
		return;
	tree_sort(copy);
	if (!tree_equal(t, copy))
		abort();
	tree_put(to, copy);
}

/* What is no JSON at all can still be a string. */
static void quote(struct arena *a, str text, struct buf *to)
{
	struct json_item root;
	struct err e;

	json_put_str(to, text);
	if (json_parse(a, buf_str(to), &root, &e) < 0 && e.kind != ERR_LIMIT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_span((const char *)data, size);
	struct buf first, second;
	struct arena a;

	arena_init(&a, ARENA_MAX_BYTES);
	buf_init(&first, TEXT_MAX_BYTES);
	buf_init(&second, TEXT_MAX_BYTES);
	write_again(&a, text, &first, &second);
	buf_reset(&first);
	change(&a, text, &first);
	buf_reset(&first);
	quote(&a, text, &first);
	buf_free(&first);
	buf_free(&second);
	arena_free(&a);
	return 0;
}
