#include "lib/api/managed.h"

#include "api/kinds.h"
#include "lib/api/meta.h"
#include "lib/api/status.h"
#include "lib/base/test.h"
#include "lib/schema/object.h"

#include <stdlib.h>

/* --- tests/oracle/patch made these cases; the answers are upstream's */

enum { RESETS_MAX = 4 };

struct writing {
	struct arena *arena;
	const struct tree *all;
	const struct type *type;
	str resets[RESETS_MAX];
	struct managed_write write;
};

static str member_text(const struct tree *all, str name)
{
	const struct tree *t = tree_get(all, name);

	return t ? t->text : STR("");
}

static str json_of(struct test *t, const struct tree *tree)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	tree_put(&b, tree);
	return test_take(t, &b);
}

static struct writing read_writing(struct test *t, struct arena *a, str line)
{
	struct writing w = {.arena = a};
	struct tree *all;
	struct err e;

	REQUIRE_OK(tree_read(a, line, &all, &e), &e);
	str id = member_text(all, STR("kind"));
	size_t dot = id.len;

	while (id.at[dot - 1] != '.')
		dot--;
	w.all = all;
	w.write.arena = a;
	w.write.api_version = str_slice(id, 0, dot - 1);
	w.write.type = w.type = type_find_api_version(
		&api_schema, w.write.api_version, str_slice(id, dot, id.len));
	REQUIRE(w.type != NULL);
	w.write.subresource = member_text(all, STR("subresource"));
	w.write.manager = member_text(all, STR("manager"));
	w.write.now = (struct time_value){.seconds = 1000, .set = true};
	const struct tree *reset = tree_get(all, STR("reset"));

	for (size_t i = 0; reset && i < reset->len; i++)
		w.resets[i] = reset->items[i]->text;
	w.write.reset_count = reset ? reset->len : 0;
	return w;
}

/* NULL if the case has none of that name. */
static void *object_of(struct test *t, const struct writing *w, str name)
{
	const struct tree *tree = tree_get(w->all, name);
	void *o = NULL;
	struct err e;

	if (tree)
		REQUIRE_OK(object_decode(
				   w->arena, w->type, FORMAT_JSON, json_of(t, tree), &o, NULL, &e),
			&e);
	return o;
}

static int by_name(const void *a, const void *b)
{
	const struct managed_fields_entry *x = a, *y = b;
	int order = str_cmp(x->manager, y->manager);

	order = order ? order : str_cmp(x->operation, y->operation);
	order = order ? order : str_cmp(x->api_version, y->api_version);
	return order ? order : str_cmp(x->subresource, y->subresource);
}

/* As the oracle leaves it: without times, entries sorted. */
static str outcome(struct test *t, const struct writing *w, void *object)
{
	struct object_meta *m = meta_of(object);
	struct buf b;
	struct err e;

	m->uid = STR("u-1");
	for (size_t i = 0; i < m->managed_fields.len; i++)
		m->managed_fields.at[i].time = NULL;
	if (m->managed_fields.len)
		qsort(m->managed_fields.at, m->managed_fields.len, sizeof(*m->managed_fields.at),
			by_name);
	((struct object *)object)->kind = STR("");
	((struct object *)object)->kind = str_of(w->type->schema->text + type_kind(w->type)->name);
	((struct object *)object)->api_version = w->write.api_version;
	buf_init(&b, BUF_NO_LIMIT);
	REQUIRE_OK(object_encode(object, FORMAT_JSON, &b, &e), &e);
	return test_take(t, &b);
}

static int apply(struct test *t, const struct writing *w, void **to, struct err *e)
{
	void *live = object_of(t, w, STR("live"));
	const struct tree *force = tree_get(w->all, STR("force"));

	return managed_apply(
		&w->write, live, tree_get(w->all, STR("object")), force && force->truth, to, e);
}

static void replay(struct test *t, struct writing *w)
{
	const struct tree *want = tree_get(w->all, STR("result"));
	void *object = NULL;
	struct err e;
	int result = 0;

	w->write.reset = w->resets;
	if (str_eq(member_text(w->all, STR("operation")), STR("apply"))) {
		result = apply(t, w, &object, &e);
	} else {
		object = object_of(t, w, STR("object"));
		managed_update(&w->write, object_of(t, w, STR("live")), object);
	}
	if (result < 0)
		CHECK_BYTES(status_of(w->arena, &e)->message, member_text(w->all, STR("error")));
	else if (want)
		CHECK_BYTES(outcome(t, w, object), json_of(t, want));
	else
		CHECK_STR(STR(""), json_of(t, tree_get(w->all, STR("error"))).at);
}

TEST(managed_fields_are_upstreams)
{
	int count = 0;

	for (str rest = test_file(t, "tests/data/managed.jsonl"); rest.len > 0; count++) {
		struct arena a;
		str line = str_cut(&rest, '\n');

		arena_init(&a, 64 << 20);
		struct writing w = read_writing(t, &a, line);

		test_note(t, "case %d: %.*s", count + 1, (int)(line.len < 200 ? line.len : 200),
			line.at);
		replay(t, &w);
		arena_free(&a);
	}
	CHECK(count >= 500);
}
