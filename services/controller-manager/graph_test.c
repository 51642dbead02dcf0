#include "controller-manager/graph.h"
#include "lib/base/test.h"

/* What the graph asks for, as "delete:UID later:UID orphan:UID wrong:UID". */
struct asked {
	struct graph_sink sink;
	struct buf text;
};

static void add(struct graph_sink *s, const char *what, str uid)
{
	struct buf *b = &CONTAINER_OF(s, struct asked, sink)->text;

	buf_add_fmt(b, "%s%s:%.*s", b->len ? " " : "", what, STR_ARG(uid));
}

static void try_delete(struct graph_sink *s, str uid)
{
	add(s, "delete", uid);
}

static void later(struct graph_sink *s, str uid)
{
	add(s, "later", uid);
}

static void orphan(struct graph_sink *s, str uid)
{
	add(s, "orphan", uid);
}

static void wrong(struct graph_sink *s, const struct graph_node *n,
	UNUSED const struct graph_reference *owner)
{
	add(s, "wrong", n->id.uid);
}

static struct graph *make(struct asked *a)
{
	*a = (struct asked){.sink = {try_delete, later, orphan, wrong}};
	buf_init(&a->text, BUF_NO_LIMIT);
	return graph_new(&a->sink);
}

/* What was asked since the last call. */
static str asked(struct test *t, struct asked *a)
{
	str text = arena_str(&t->arena, buf_str(&a->text));

	buf_reset(&a->text);
	return text;
}

static void done(struct graph *g, struct asked *a)
{
	graph_free(g);
	buf_free(&a->text);
}

static struct object_meta *meta(struct test *t, const char *uid, const char *ns)
{
	struct object_meta *m = arena_get(&t->arena, sizeof(*m));

	m->uid = m->name = str_of(uid);
	m->namespace = str_of(ns);
	return m;
}

static void owned_by(struct test *t, struct object_meta *m, const char *owner, bool blocks)
{
	struct owner_reference *all = arena_get(
		&t->arena, (m->owner_references.len + 1) * sizeof(*all));

	if (m->owner_references.len > 0)
		memcpy(all, m->owner_references.at, m->owner_references.len * sizeof(*all));
	all[m->owner_references.len] = (struct owner_reference){.api_version = STR("v1"),
		.kind = STR("Thing"),
		.name = str_of(owner),
		.uid = str_of(owner),
		.block_owner_deletion = arena_bool(&t->arena, blocks)};
	m->owner_references.at = all;
	m->owner_references.len++;
}

static void deleting(struct test *t, struct object_meta *m, const char *finalizer)
{
	str *f = arena_get(&t->arena, sizeof(*f));

	*f = str_of(finalizer);
	m->finalizers = (struct str_list){f, 1};
	m->deletion_timestamp = arena_get(&t->arena, sizeof(struct time_value));
}

static void put(struct graph *g, const struct object_meta *before, const struct object_meta *now)
{
	graph_put(g, STR("v1"), STR("Thing"), before, now);
}

TEST(graph_tries_the_dependents_of_what_is_gone)
{
	struct asked a;
	struct graph *g = make(&a);
	struct object_meta *owner = meta(t, "o", "ns"), *dep = meta(t, "d", "ns");

	owned_by(t, dep, "o", false);
	put(g, NULL, owner);
	put(g, NULL, dep);
	CHECK_STR(asked(t, &a), "");
	graph_remove(g, STR("v1"), STR("Thing"), owner);
	CHECK_STR(asked(t, &a), "delete:d");
	CHECK(graph_is_absent(g,
		(struct graph_identity){STR("o"), STR("v1"), STR("Thing"), STR("ns"), STR("o")}));
	done(g, &a);
}

TEST(graph_asks_for_an_owner_that_nobody_has_seen)
{
	struct asked a;
	struct graph *g = make(&a);
	struct object_meta *dep = meta(t, "d", "ns");

	owned_by(t, dep, "o", false);
	put(g, NULL, dep);
	CHECK_STR(asked(t, &a), "delete:o");
	REQUIRE(graph_find(g, STR("o")) != NULL);
	CHECK(graph_find(g, STR("o"))->is_virtual);
	graph_absent(
		g, (struct graph_identity){STR("o"), STR("v1"), STR("Thing"), STR("ns"), STR("o")});
	CHECK_STR(asked(t, &a), "delete:d");
	CHECK(graph_find(g, STR("o")) == NULL);
	put(g, NULL, meta(t, "o", "ns"));
	CHECK(!graph_find(g, STR("o"))->is_virtual);
	done(g, &a);
}

TEST(graph_begins_foreground_and_orphan_deletion)
{
	struct asked a;
	struct graph *g = make(&a);
	struct object_meta *owner = meta(t, "o", "ns"), *dep = meta(t, "d", "ns"),
			   *other = meta(t, "p", "ns");

	owned_by(t, dep, "o", true);
	put(g, NULL, owner);
	put(g, NULL, dep);
	put(g, NULL, other);
	struct object_meta *going = meta(t, "o", "ns"), *left = meta(t, "p", "ns");

	deleting(t, going, "foregroundDeletion");
	put(g, owner, going);
	CHECK_STR(asked(t, &a), "delete:d delete:o");
	put(g, going, going);
	CHECK_STR(asked(t, &a), "");
	deleting(t, left, "orphan");
	put(g, other, left);
	CHECK_STR(asked(t, &a), "orphan:p");
	/* The last dependent is gone: the owner may go. */
	graph_remove(g, STR("v1"), STR("Thing"), dep);
	CHECK_STR(asked(t, &a), "delete:o");
	done(g, &a);
}

TEST(graph_looks_at_an_owner_that_is_blocked_no_more)
{
	struct asked a;
	struct graph *g = make(&a);
	struct object_meta *dep = meta(t, "d", "ns"), *freed = meta(t, "d", "ns");

	put(g, NULL, meta(t, "o", "ns"));
	owned_by(t, dep, "o", true);
	put(g, NULL, dep);
	owned_by(t, freed, "o", false);
	put(g, dep, freed);
	CHECK_STR(asked(t, &a), "delete:o");
	put(g, freed, meta(t, "d", "ns"));
	CHECK_STR(asked(t, &a), "");
	CHECK_INT(graph_find(g, STR("o"))->dependent_count, 0);
	done(g, &a);
}

TEST(graph_reports_an_owner_of_another_namespace)
{
	struct asked a;
	struct graph *g = make(&a);
	struct object_meta *dep = meta(t, "d", "here");

	put(g, NULL, meta(t, "o", "there"));
	owned_by(t, dep, "o", false);
	put(g, NULL, dep);
	CHECK_STR(asked(t, &a), "wrong:d delete:d");
	done(g, &a);
}

TEST(graph_survives_a_circle)
{
	struct asked a;
	struct graph *g = make(&a);
	struct object_meta *x = meta(t, "x", "ns"), *y = meta(t, "y", "ns");

	owned_by(t, x, "y", false);
	owned_by(t, y, "x", false);
	put(g, NULL, x);
	put(g, NULL, y);
	(void)asked(t, &a);
	graph_remove(g, STR("v1"), STR("Thing"), x);
	CHECK_STR(asked(t, &a), "delete:y");
	graph_remove(g, STR("v1"), STR("Thing"), y);
	CHECK(graph_find(g, STR("y")) == NULL);
	done(g, &a);
}
