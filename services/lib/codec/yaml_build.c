#include "lib/codec/yaml_node.h"

#include "lib/codec/base64.h"
#include "lib/codec/yaml.h"
#include "lib/codec/yaml_scalar.h"

#include <math.h>

/* Turning nodes into a tree, aliases followed; counts as go-yaml does. */
struct builder {
	struct arena *a;
	struct err *e;
	size_t visited, by_alias;
	int alias_depth, depth;
	struct buf *duplicates; /* NULL: nobody asks */
};

static int new_tree(struct builder *b, enum json_kind kind, struct tree **to);
static int build(struct builder *b, struct yaml_node *n, struct tree **to);
static int build_map(struct builder *b, struct yaml_node *n, struct tree *to);
static int build_scalar(struct builder *b, const struct yaml_node *n, struct tree **to);
static int key_text(struct builder *b, struct yaml_node *n, str *to);

const str yaml_null_key = STR_INIT("\0null");

int yaml_build(struct arena *a, struct yaml_node *root, struct buf *duplicates, struct tree **to,
	struct err *e)
{
	struct builder b = {.a = a, .e = e, .duplicates = duplicates};

	return root ? build(&b, root, to) : new_tree(&b, JSON_NULL, to);
}

static int new_tree(struct builder *b, enum json_kind kind, struct tree **to)
{
	*to = tree_new(b->a, kind);
	return *to ? 0 : arena_full(b->a, b->e);
}

/* go-yaml's bound on what aliases may make of a document. */
static double allowed_alias_share(size_t visited)
{
	const double low = 400000, high = 4000000;

	if ((double)visited <= low)
		return 0.99;
	return (double)visited >= high ? 0.10
				       : 0.99 - 0.89 * (((double)visited - low) / (high - low));
}

static int count_visit(struct builder *b)
{
	b->visited++;
	b->by_alias += b->alias_depth > 0;
	if (b->by_alias > 100 && b->visited > 1000 &&
		(double)b->by_alias / (double)b->visited > allowed_alias_share(b->visited))
		return err_set(b->e, ERR_INVALID, "yaml: document contains excessive aliasing");
	return 0;
}

static int enter_alias(struct builder *b, struct yaml_node *n)
{
	TRY(count_visit(b));
	if (n->target->expanding)
		return err_set(b->e, ERR_INVALID, "yaml: anchor '%.*s' value contains itself",
			STR_ARG(n->text));
	n->target->expanding = true;
	b->alias_depth++;
	return 0;
}

static void leave_alias(struct builder *b, struct yaml_node *n)
{
	n->target->expanding = false;
	b->alias_depth--;
}

static int build_list(struct builder *b, struct yaml_node *n, struct tree *to)
{
	for (size_t i = 0; i < n->len; i++) {
		struct tree *item;

		TRY(build(b, n->children[i], &item));
		TRY(tree_insert(b->a, to, i, item, b->e));
	}
	return 0;
}

/* Aliases let a document be deeper than its text. */
static int build_container(struct builder *b, struct yaml_node *n, struct tree **to)
{
	bool map = n->kind == NODE_MAP;

	if (++b->depth > YAML_DEPTH_MAX)
		return err_set(b->e, ERR_LIMIT, "yaml: exceeded max depth of %d", YAML_DEPTH_MAX);
	TRY(new_tree(b, map ? JSON_OBJECT : JSON_ARRAY, to));
	if (map)
		TRY(build_map(b, n, *to));
	else
		TRY(build_list(b, n, *to));
	b->depth--;
	return 0;
}

static int build(struct builder *b, struct yaml_node *n, struct tree **to)
{
	if (n->kind == NODE_ALIAS) {
		TRY(enter_alias(b, n));
		TRY(build(b, n->target, to));
		leave_alias(b, n);
		return 0;
	}
	TRY(count_visit(b));
	return n->kind == NODE_SCALAR ? build_scalar(b, n, to) : build_container(b, n, to);
}

static bool is_merge(const struct yaml_node *n)
{
	return n->kind == NODE_SCALAR && str_eq(n->text, STR("<<")) &&
		(n->plain || str_eq(n->tag, STR(YAML_TAG "merge")));
}

static int merge_one(struct builder *b, struct yaml_node *n, struct tree *to)
{
	struct yaml_node *map = n->kind == NODE_ALIAS ? n->target : n;

	if (map->kind != NODE_MAP)
		return err_set(b->e, ERR_INVALID,
			"yaml: map merge requires map or sequence of maps as the value");
	if (n->kind == NODE_ALIAS)
		TRY(enter_alias(b, n));
	TRY(count_visit(b));
	if (++b->depth > YAML_DEPTH_MAX)
		return err_set(b->e, ERR_LIMIT, "yaml: exceeded max depth of %d", YAML_DEPTH_MAX);
	TRY(build_map(b, map, to));
	b->depth--;
	if (n->kind == NODE_ALIAS)
		leave_alias(b, n);
	return 0;
}

/* Of a list of maps, the earlier ones win. */
static int merge(struct builder *b, struct yaml_node *n, struct tree *to)
{
	if (n->kind != NODE_LIST)
		return merge_one(b, n, to);
	for (size_t i = n->len; i > 0; i--)
		TRY(merge_one(b, n->children[i - 1], to));
	return 0;
}

static void tell_duplicate(struct builder *b, size_t line, str key)
{
	if (b->duplicates->len == 0)
		buf_add_str(b->duplicates, STR("yaml: unmarshal errors:"));
	buf_add_fmt(b->duplicates, "\n  line %zu: key ", line);
	json_put_str(b->duplicates, key);
	buf_add_str(b->duplicates, STR(" already set in map"));
}

static int build_map(struct builder *b, struct yaml_node *n, struct tree *to)
{
	for (size_t i = 0; i + 1 < n->len; i += 2) {
		struct tree *value;
		str key;

		if (is_merge(n->children[i])) {
			TRY(merge(b, n->children[i + 1], to));
			continue;
		}
		TRY(key_text(b, n->children[i], &key));
		TRY(build(b, n->children[i + 1], &value));
		if (b->duplicates && tree_get(to, key))
			tell_duplicate(b, n->children[i + 1]->line, key);
		TRY(tree_set(b->a, to, key, value, b->e));
	}
	return 0;
}

static const struct {
	enum yaml_kind kind;
	str tag;
} scalar_tags[] = {
	{YAML_STR, STR_INIT(YAML_TAG "str")},
	{YAML_NULL, STR_INIT(YAML_TAG "null")},
	{YAML_BOOL, STR_INIT(YAML_TAG "bool")},
	{YAML_INT, STR_INIT(YAML_TAG "int")},
	{YAML_FLOAT, STR_INIT(YAML_TAG "float")},
	{YAML_TIMESTAMP, STR_INIT(YAML_TAG "timestamp")},
};

static str tag_of(enum yaml_kind kind)
{
	for (size_t i = 0; i < COUNT_OF(scalar_tags); i++) {
		if (scalar_tags[i].kind == kind)
			return scalar_tags[i].tag;
	}
	return STR("");
}

/* "tag:yaml.org,2002:int" as "!!int". */
static str short_tag(str tag)
{
	return str_slice(tag, sizeof(YAML_TAG) - 1, tag.len);
}

/* What the scalar means by its tag, which its text must fit; unknown tags make it a text. */
static int resolve(struct builder *b, const struct yaml_node *n, struct yaml_scalar *to)
{
	bool known = false;

	*to = (struct yaml_scalar){.kind = YAML_STR};
	for (size_t i = 0; i < COUNT_OF(scalar_tags); i++)
		known |= scalar_tags[i].kind != YAML_STR && str_eq(n->tag, scalar_tags[i].tag);
	if (!n->plain && !known)
		return 0;
	*to = yaml_resolve(n->text);
	if (!known || str_eq(n->tag, tag_of(to->kind)))
		return 0;
	if (to->kind == YAML_INT && str_eq(n->tag, tag_of(YAML_FLOAT))) {
		double number = (double)to->size;

		*to = (struct yaml_scalar){
			.kind = YAML_FLOAT, .number = to->negative ? -number : number};
		return 0;
	}
	return err_set(b->e, ERR_INVALID, "yaml: cannot decode !!%.*s `%.*s` as a !!%.*s",
		STR_ARG(short_tag(tag_of(to->kind))), STR_ARG(n->text), STR_ARG(short_tag(n->tag)));
}

static int number_text(struct builder *b, const struct yaml_scalar *s, str *to)
{
	struct buf text;

	buf_init(&text, 64);
	if (s->kind == YAML_INT && s->negative)
		buf_add_char(&text, '-');
	if (s->kind == YAML_INT)
		buf_add_u64(&text, s->size);
	else if (isfinite(s->number))
		json_put_f64(&text, s->number);
	else
		buf_add_str(&text,
			isnan(s->number)        ? STR("NaN")
				: s->number < 0 ? STR("-Inf")
						: STR("+Inf"));
	int result = arena_str_try(b->a, buf_str(&text), to, b->e);

	buf_free(&text);
	return result;
}

static int build_text(struct builder *b, const struct yaml_node *n, struct tree *t)
{
	t->kind = JSON_STRING;
	t->text = n->text;
	if (!str_eq(n->tag, STR(YAML_TAG "binary")) ||
		base64_read(b->a, n->text, &t->text, b->e) == 0)
		return 0;
	if (b->e->kind == ERR_LIMIT)
		return -1;
	return err_set(b->e, ERR_INVALID, "yaml: !!binary value contains invalid base64 data");
}

static int build_scalar(struct builder *b, const struct yaml_node *n, struct tree **to)
{
	struct yaml_scalar s;
	struct tree *t;

	TRY(resolve(b, n, &s));
	TRY(new_tree(b, JSON_NULL, &t));
	*to = t;
	switch (s.kind) {
	case YAML_NULL: return 0;
	case YAML_BOOL:
		t->kind = JSON_BOOL;
		t->truth = s.truth;
		return 0;
	case YAML_INT:
	case YAML_FLOAT: t->kind = JSON_NUMBER; return number_text(b, &s, &t->text);
	case YAML_STR:
	case YAML_TIMESTAMP: break;
	}
	return build_text(b, n, t);
}

/* As go-yaml writes a key: a float of 32 bits. */
static int float_key(struct builder *b, double number, str *to)
{
	struct buf text;

	buf_init(&text, 64);
	yaml_put_float(&text, number, true);
	int result = arena_str_try(b->a, buf_str(&text), to, b->e);

	buf_free(&text);
	return result;
}

static int key_text(struct builder *b, struct yaml_node *n, str *to)
{
	struct tree *t;
	struct yaml_scalar s;

	if (n->kind == NODE_ALIAS) {
		TRY(enter_alias(b, n));
		TRY(key_text(b, n->target, to));
		leave_alias(b, n);
		return 0;
	}
	if (n->kind != NODE_SCALAR)
		return err_set(b->e, ERR_INVALID, "yaml: invalid map key: a %s",
			n->kind == NODE_MAP ? "map" : "list");
	TRY(count_visit(b));
	TRY(resolve(b, n, &s));
	if (s.kind == YAML_FLOAT)
		return float_key(b, s.number, to);
	TRY(build_scalar(b, n, &t));
	if (t->kind == JSON_NULL)
		*to = yaml_null_key;
	else
		*to = t->kind == JSON_BOOL ? (t->truth ? STR("true") : STR("false")) : t->text;
	return 0;
}
