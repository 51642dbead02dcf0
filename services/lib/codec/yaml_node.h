/*
 * The nodes of a YAML document, for yaml*.c alone: between libyaml's events and JSON.
 *
 * Ownership: all lies in the arena.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/codec/tree.h"

#define YAML_TAG "tag:yaml.org,2002:"

enum yaml_node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
	NODE_ALIAS,
};

struct yaml_node {
	enum yaml_node_kind kind;
	bool plain;     /* a scalar without quotes or tag */
	bool expanding; /* an alias of it is being followed */
	str tag, text;  /* text of an alias: the anchor's name */
	struct yaml_node *target;
	struct yaml_node **children; /* of a map: keys and values in turn */
	size_t len, cap;
	size_t line;
};

/* The first document's root; NULL if the text has none. */
NODISCARD int yaml_read_nodes(struct arena *a, str text, struct yaml_node **root, struct err *e);

/* Stands for null as a key, which JSON cannot have; so do "NaN", "+Inf" and "-Inf" as numbers. */
extern const str yaml_null_key;

/* Follows aliases within go-yaml's bound; no root becomes null. Complaints of keys that are there
 * twice go to `duplicates`, which may be NULL. */
NODISCARD int yaml_build(struct arena *a, struct yaml_node *root, struct buf *duplicates,
	struct tree **to, struct err *e);
