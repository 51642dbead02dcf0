#include "lib/codec/yaml.h"

#include "lib/base/map.h"
#include "lib/codec/base64.h"
#include "lib/codec/tree.h"
#include "lib/codec/yaml_scalar.h"

#include <math.h>
#include <yaml.h>

#define TAG "tag:yaml.org,2002:"

enum node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
	NODE_ALIAS,
};

/* What the parser's events say; children of a map are keys and values in turn. */
struct node {
	enum node_kind kind;
	bool plain;     /* a scalar without quotes or tag */
	bool expanding; /* an alias of it is being followed */
	str tag, text;  /* of an alias: the anchor's name */
	struct node *target;
	struct node **children;
	size_t len, cap;
	size_t line;
};

struct reader {
	struct arena *a;
	struct err *e;
	yaml_parser_t parser;
	struct map anchors;
	struct node *open[YAML_DEPTH_MAX];
	size_t depth, nodes;
	struct node *root;
};

/* Turning nodes into a tree, aliases followed; counts as go-yaml does. */
struct builder {
	struct arena *a;
	struct err *e;
	size_t visited, by_alias;
	int alias_depth, depth;
	struct buf *duplicates; /* NULL: nobody asks */
};

static int read_document(struct reader *r);
static int new_tree(struct builder *b, enum json_kind kind, struct tree **to);
static int build(struct builder *b, struct node *n, struct tree **to);
static int build_map(struct builder *b, struct node *n, struct tree *to);
static int build_scalar(struct builder *b, const struct node *n, struct tree **to);

static int read_nodes(struct arena *a, str text, struct node **root, struct err *e)
{
	struct reader r = {.a = a, .e = e};

	if (!yaml_parser_initialize(&r.parser))
		return err_set(e, ERR_LIMIT, "no memory for a YAML parser");
	map_init(&r.anchors);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.at, text.len);
	int result = read_document(&r);

	map_free(&r.anchors);
	yaml_parser_delete(&r.parser);
	*root = r.root;
	return result;
}

/* Stands for null as a key. */
static const char null_key[] = "\0null";

/* What JSON has no form for may still be replaced by a later value of its key: looked for last. */
static int check_values(const struct tree *t, struct err *e)
{
	char last = t->text.len > 0 ? t->text.at[t->text.len - 1] : 0;

	if (t->kind == JSON_NUMBER && (last == 'N' || last == 'f'))
		return err_set(e, ERR_INVALID, "json: unsupported value: %.*s", STR_ARG(t->text));
	for (size_t i = 0; t->kind == JSON_ARRAY && i < t->len; i++)
		TRY(check_values(t->items[i], e));
	for (size_t i = 0; t->kind == JSON_OBJECT && i < t->len; i++) {
		if (t->members[i].key.at == null_key)
			return err_set(e, ERR_INVALID, "unsupported map key of type: null");
		TRY(check_values(t->members[i].value, e));
	}
	return 0;
}

static int to_json(struct arena *a, struct tree *t, str *json, struct err *e)
{
	struct buf b;

	tree_sort(t);
	TRY(check_values(t, e));
	buf_init(&b, YAML_JSON_MAX);
	tree_put(&b, t);
	int result = buf_ok(&b, "the JSON of a YAML text", e);

	if (result == 0)
		result = arena_str_try(a, buf_str(&b), json, e);
	buf_free(&b);
	return result;
}

static int complaint(struct arena *a, const struct buf *lines, str *to, struct err *e)
{
	*to = (str){NULL, 0};
	if (lines->len == 0)
		return 0;
	return arena_str_try(a, buf_str(lines), to, e);
}

static int build_root(struct builder *b, struct node *root, struct tree **to)
{
	return root ? build(b, root, to) : new_tree(b, JSON_NULL, to);
}

int yaml_to_json(struct arena *a, str text, str *json, str *duplicates, struct err *e)
{
	struct builder b = {.a = a, .e = e};
	struct node *root;
	struct tree *t;
	struct buf lines;
	str told = {NULL, 0}, out;

	if (text.len > YAML_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "YAML text of %zu bytes is longer than %d", text.len,
			YAML_TEXT_MAX);
	TRY(read_nodes(a, text, &root, e));
	buf_init(&lines, 1 << 16);
	if (duplicates)
		b.duplicates = &lines;
	int result = build_root(&b, root, &t);

	if (result == 0)
		result = complaint(a, &lines, &told, e);
	buf_free(&lines);
	TRY(result);
	TRY(to_json(a, t, &out, e));
	*json = out;
	if (duplicates)
		*duplicates = told;
	return 0;
}

str yaml_cut(str *rest)
{
	str whole = *rest;
	ptrdiff_t at = str_find(whole, STR("\n---"));

	*rest = (str){NULL, 0};
	if (at < 0)
		return whole;
	str behind = str_slice(whole, (size_t)at + 4, whole.len);
	ptrdiff_t line_end = str_find_char(behind, '\n');

	if (line_end >= 0)
		*rest = str_slice(behind, (size_t)line_end + 1, behind.len);
	return str_slice(whole, 0, (size_t)at);
}

static int parser_fault(const struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	size_t line = p->problem_mark.line;
	const char *problem = p->problem ? p->problem : "unknown problem parsing YAML content";

	if (p->error == YAML_MEMORY_ERROR)
		return err_set(r->e, ERR_LIMIT, "no memory for a YAML text");
	/* The parser names the line behind, the scanner its own, both counting from 0. */
	if (line != 0)
		line += p->error == YAML_SCANNER_ERROR;
	else
		line = p->context_mark.line;
	if (line == 0)
		return err_set(r->e, ERR_INVALID, "yaml: %s", problem);
	return err_set(r->e, ERR_INVALID, "yaml: line %zu: %s", line, problem);
}

static int copy_text(struct reader *r, const void *at, size_t len, str *to)
{
	return arena_str_try(r->a, str_span(at, len), to, r->e);
}

static int new_node(
	struct reader *r, enum node_kind kind, const yaml_event_t *event, struct node **to)
{
	struct node *n = arena_try(r->a, sizeof(*n));

	if (!n)
		return arena_full(r->a, r->e);
	if (++r->nodes > YAML_NODES_MAX)
		return err_set(
			r->e, ERR_LIMIT, "a YAML text has more than %d nodes", YAML_NODES_MAX);
	n->kind = kind;
	n->line = event->start_mark.line + 1;
	*to = n;
	return 0;
}

static int attach(struct reader *r, struct node *n)
{
	struct node *parent = r->depth > 0 ? r->open[r->depth - 1] : NULL;

	if (!parent) {
		r->root = n;
		return 0;
	}
	void *children = parent->children;

	if (arena_grow(r->a, &children, parent->len, &parent->cap, sizeof(n)) < 0)
		return arena_full(r->a, r->e);
	parent->children = children;
	parent->children[parent->len++] = n;
	return 0;
}

static int name_anchor(struct reader *r, const yaml_char_t *anchor, struct node *n)
{
	str name;

	if (!anchor)
		return 0;
	TRY(copy_text(r, anchor, strlen((const char *)anchor), &name));
	map_put(&r->anchors, name, n);
	return 0;
}

static int open_node(
	struct reader *r, enum node_kind kind, const yaml_event_t *event, const yaml_char_t *anchor)
{
	struct node *n;

	TRY(new_node(r, kind, event, &n));
	TRY(name_anchor(r, anchor, n));
	TRY(attach(r, n));
	if (r->depth == YAML_DEPTH_MAX)
		return err_set(r->e, ERR_LIMIT, "yaml: exceeded max depth of %d", YAML_DEPTH_MAX);
	r->open[r->depth++] = n;
	return 0;
}

static int add_scalar(struct reader *r, const yaml_event_t *event)
{
	const yaml_char_t *tag = event->data.scalar.tag;
	struct node *n;

	TRY(new_node(r, NODE_SCALAR, event, &n));
	TRY(copy_text(r, event->data.scalar.value, event->data.scalar.length, &n->text));
	if (tag && strcmp((const char *)tag, "!") != 0)
		TRY(copy_text(r, tag, strlen((const char *)tag), &n->tag));
	n->plain = !tag && event->data.scalar.plain_implicit;
	TRY(name_anchor(r, event->data.scalar.anchor, n));
	return attach(r, n);
}

static int add_alias(struct reader *r, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct node *n;

	TRY(new_node(r, NODE_ALIAS, event, &n));
	TRY(copy_text(r, name, strlen(name), &n->text));
	n->target = map_get(&r->anchors, n->text);
	if (!n->target)
		return err_set(r->e, ERR_INVALID, "yaml: unknown anchor '%s' referenced", name);
	return attach(r, n);
}

static int take_event(struct reader *r, const yaml_event_t *event)
{
	const yaml_version_directive_t *version;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		version = event->data.document_start.version_directive;
		if (version && (version->major != 1 || version->minor != 1))
			return err_set(r->e, ERR_INVALID, "yaml: found incompatible YAML document");
		return 0;
	case YAML_SCALAR_EVENT: return add_scalar(r, event);
	case YAML_ALIAS_EVENT: return add_alias(r, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(r, NODE_LIST, event, event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return open_node(r, NODE_MAP, event, event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: r->depth--; return 0;
	default: return 0;
	}
}

static int read_document(struct reader *r)
{
	for (bool done = false; !done;) {
		yaml_event_t event;

		if (!yaml_parser_parse(&r->parser, &event))
			return parser_fault(r);
		done = event.type == YAML_STREAM_END_EVENT || event.type == YAML_DOCUMENT_END_EVENT;
		int result = take_event(r, &event);

		yaml_event_delete(&event);
		TRY(result);
	}
	return 0;
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

static int enter_alias(struct builder *b, struct node *n)
{
	TRY(count_visit(b));
	if (n->target->expanding)
		return err_set(b->e, ERR_INVALID, "yaml: anchor '%.*s' value contains itself",
			STR_ARG(n->text));
	n->target->expanding = true;
	b->alias_depth++;
	return 0;
}

static void leave_alias(struct builder *b, struct node *n)
{
	n->target->expanding = false;
	b->alias_depth--;
}

static int build_list(struct builder *b, struct node *n, struct tree *to)
{
	for (size_t i = 0; i < n->len; i++) {
		struct tree *item;

		TRY(build(b, n->children[i], &item));
		TRY(tree_insert(b->a, to, i, item, b->e));
	}
	return 0;
}

/* Aliases let a document be deeper than its text. */
static int build_container(struct builder *b, struct node *n, struct tree **to)
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

static int build(struct builder *b, struct node *n, struct tree **to)
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

static bool is_merge(const struct node *n)
{
	return n->kind == NODE_SCALAR && str_eq(n->text, STR("<<")) &&
		(n->plain || str_eq(n->tag, STR(TAG "merge")));
}

static int merge_one(struct builder *b, struct node *n, struct tree *to)
{
	struct node *map = n->kind == NODE_ALIAS ? n->target : n;

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
static int merge(struct builder *b, struct node *n, struct tree *to)
{
	if (n->kind != NODE_LIST)
		return merge_one(b, n, to);
	for (size_t i = n->len; i > 0; i--)
		TRY(merge_one(b, n->children[i - 1], to));
	return 0;
}

static int key_text(struct builder *b, struct node *n, str *to);

static void tell_duplicate(struct builder *b, size_t line, str key)
{
	if (b->duplicates->len == 0)
		buf_add_str(b->duplicates, STR("yaml: unmarshal errors:"));
	buf_add_fmt(b->duplicates, "\n  line %zu: key ", line);
	json_put_str(b->duplicates, key);
	buf_add_str(b->duplicates, STR(" already set in map"));
}

static int build_map(struct builder *b, struct node *n, struct tree *to)
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
	{YAML_STR, STR_INIT(TAG "str")},
	{YAML_NULL, STR_INIT(TAG "null")},
	{YAML_BOOL, STR_INIT(TAG "bool")},
	{YAML_INT, STR_INIT(TAG "int")},
	{YAML_FLOAT, STR_INIT(TAG "float")},
	{YAML_TIMESTAMP, STR_INIT(TAG "timestamp")},
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
	return str_slice(tag, sizeof(TAG) - 1, tag.len);
}

/* What the scalar means by its tag, which its text must fit; unknown tags make it a text. */
static int resolve(struct builder *b, const struct node *n, struct yaml_scalar *to)
{
	bool known = false;

	*to = (struct yaml_scalar){.kind = YAML_STR};
	for (size_t i = 0; i < COUNT_OF(scalar_tags); i++)
		known |= str_eq(n->tag, scalar_tags[i].tag);
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

static int build_text(struct builder *b, const struct node *n, struct tree *t)
{
	t->kind = JSON_STRING;
	t->text = n->text;
	if (!str_eq(n->tag, STR(TAG "binary")) || base64_read(b->a, n->text, &t->text, b->e) == 0)
		return 0;
	if (b->e->kind == ERR_LIMIT)
		return -1;
	return err_set(b->e, ERR_INVALID, "yaml: !!binary value contains invalid base64 data");
}

static int build_scalar(struct builder *b, const struct node *n, struct tree **to)
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

static int key_text(struct builder *b, struct node *n, str *to)
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
		*to = str_span(null_key, sizeof(null_key) - 1);
	else
		*to = t->kind == JSON_BOOL ? (t->truth ? STR("true") : STR("false")) : t->text;
	return 0;
}
