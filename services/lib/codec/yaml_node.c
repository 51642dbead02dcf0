#include "lib/codec/yaml_node.h"

#include "lib/base/map.h"
#include "lib/codec/yaml.h"

#include <yaml.h>

struct reader {
	struct arena *a;
	struct err *e;
	yaml_parser_t parser;
	struct map anchors;
	struct yaml_node *open[YAML_DEPTH_MAX];
	size_t depth, nodes;
	struct yaml_node *root;
};

static int read_document(struct reader *r);

int yaml_read_nodes(struct arena *a, str text, struct yaml_node **root, struct err *e)
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

static int new_node(struct reader *r, enum yaml_node_kind kind, const yaml_event_t *event,
	struct yaml_node **to)
{
	struct yaml_node *n = arena_try(r->a, sizeof(*n));

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

static int attach(struct reader *r, struct yaml_node *n)
{
	struct yaml_node *parent = r->depth > 0 ? r->open[r->depth - 1] : NULL;

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

static int name_anchor(struct reader *r, const yaml_char_t *anchor, struct yaml_node *n)
{
	str name;

	if (!anchor)
		return 0;
	TRY(copy_text(r, anchor, strlen((const char *)anchor), &name));
	map_put(&r->anchors, name, n);
	return 0;
}

static int open_node(struct reader *r, enum yaml_node_kind kind, const yaml_event_t *event,
	const yaml_char_t *anchor)
{
	struct yaml_node *n;

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
	struct yaml_node *n;

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
	struct yaml_node *n;

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
