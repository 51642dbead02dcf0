/*
 * YAML as sigs.k8s.io/yaml takes and gives it, by way of JSON text.
 *
 * Reading resolves plain scalars as go-yaml v2 does, which is YAML 1.1 without base 60: yes, no, on
 * and off are bools, 010 and 0o10 are 8, timestamps stay text; << merges. Aliases are expanded
 * under go-yaml's bound. Keys become text and are sorted.
 *
 * Limits: YAML_TEXT_MAX bytes, YAML_DEPTH_MAX levels, YAML_NODES_MAX nodes, YAML_JSON_MAX bytes of
 * JSON; the arena. Errors: ERR_INVALID in go-yaml's words, ERR_LIMIT.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/codec/json.h"

enum {
	YAML_TEXT_MAX = 16 << 20,
	YAML_JSON_MAX = 64 << 20,
	YAML_NODES_MAX = 1 << 20,
	YAML_DEPTH_MAX = JSON_DEPTH_MAX,
};

/*
 * The first document as JSON, in the arena; an empty one is null. `duplicates` may be NULL: nobody
 * asks; else it gets go-yaml's complaint about keys that are there twice, of which the last one
 * counts, or is absent.
 */
NODISCARD int yaml_to_json(struct arena *a, str text, str *json, str *duplicates, struct err *e);

/* Cuts a stream at its next line of "---": returns the document in front. At the end `*rest` is
 * absent. */
str yaml_cut(str *rest);

/* Keys sorted as go-yaml sorts them, numbers in them by value; ends with a line feed. */
NODISCARD int yaml_put_item(
	struct arena *a, struct buf *b, const struct json_item *item, struct err *e);
