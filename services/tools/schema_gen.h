/*
 * The schema text in memory: what schema_gen_parse.c reads, schema_gen_resolve.c completes and the
 * writers print. One program's run, one arena; nothing is freed before its end.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/map.h"
#include "lib/schema/row.h"

struct member {
	str json;     /* name in JSON; of an inline field, its protobuf name */
	str c_name;   /* member of the C struct */
	str type_ref; /* as written */
	str default_json, merge_key, list_keys, markers;
	uint32_t number;
	uint16_t flags; /* enum field_flags */
	int line;

	/* From here on: schema_gen_resolve.c. */
	enum field_shape shape;
	enum field_kind kind;
	struct decl *type; /* of KIND_STRUCT */
	bool in_head;      /* kind and apiVersion, which lie in struct object */
	str go_type;
	str values;
};

enum decl_what {
	DECL_ALIAS,
	DECL_STRUCT,
	DECL_OBJECT,
};

struct decl {
	struct module *module;
	str name;
	str c_name;
	str go_type;      /* "v1.PodSpec" */
	str type_ref;     /* of an alias */
	str values;       /* of an alias: its enum */
	str default_call; /* C function that fills defaults */
	struct member *members;
	size_t member_count, member_cap;
	enum decl_what what;
	enum type_form form;
	bool milli; /* of an alias: its quantities are rounded up to thousandths */
	int line;

	/* From here on: schema_gen_resolve.c. */
	size_t index; /* row in the table of types */
	struct flat *flat;
	size_t flat_count, flat_cap;
	uint16_t flags;    /* enum type_flags */
	bool is_map_value; /* needs a C struct for map entries */
	bool done, open;   /* while types are ordered by embedding */
};

/* One row as JSON has it: a member, inside the inline structs that it is reached through. */
struct flat {
	const struct decl *owner;
	const struct member *member;
	size_t member_index; /* in its owner */
	str c_path;          /* "volume_source." or empty */
	str go_path;         /* "VolumeSource" or empty */
};

struct module {
	str path; /* of the file */
	str id;   /* "apps/v1" */
	str c_id; /* "apps_v1": the name of the header */
	str group, version, prefix;
	str *uses;
	size_t use_count, use_cap;
	struct decl **decls;
	size_t decl_count, decl_cap;
	struct map by_name;
};

struct model {
	struct arena *arena;
	struct module **modules;
	size_t module_count, module_cap;
	struct decl **types; /* in row order: what is embedded comes first */
	size_t type_count, type_cap;
	struct map by_id; /* modules */
};

void model_init(struct model *m, struct arena *a);
void model_free(struct model *m);

/* Adds what a .schema or .defaults file says; the latter after all of the former. */
NODISCARD int schema_parse(struct model *m, const char *path, str text, struct err *e);
NODISCARD int defaults_parse(struct model *m, const char *path, str text, struct err *e);

/* Finds what names mean, lays out JSON's rows and numbers the types. */
NODISCARD int schema_resolve(struct model *m, struct err *e);

void schema_write_header(const struct model *m, struct module *module, struct buf *to);
void schema_write_kinds(const struct model *m, struct buf *to);
void schema_write_tables(const struct model *m, struct buf *to);

/* The text of lib/api/schema/resources; kinds that it names must be resolved. */
NODISCARD int schema_write_resources(
	struct model *m, const char *path, str text, struct buf *to, struct err *e);

/* An array that grows in the model's arena, by one item of `size` bytes. */
void model_push(
	struct model *m, void *array, size_t *len, size_t *cap, const void *item, size_t size);

/* podIPs -> pod_ips, HTTPGetAction -> http_get_action;
 * what C keeps for itself gets a trailing "_". */
str c_name(struct arena *a, str go_name);

/* The next word of a line, a run without blanks outside quotes; absent at the end. */
str line_word(str *rest);
