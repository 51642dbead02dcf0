/*
 * Rows of the type tables: what the engine knows of an object's struct. Rows refer to each other by
 * index into the pools of one `struct schema`; the built-in tables are generated from
 * lib/api/schema, a custom resource's are made at run time, and nothing tells them apart.
 */
#pragma once

#include "lib/base/str.h"

/* What one value is, whatever the shape around it. The C type stands behind. */
enum field_kind {
	KIND_BOOL,          /* bool */
	KIND_INT32,         /* int32_t */
	KIND_INT64,         /* int64_t */
	KIND_FLOAT64,       /* double */
	KIND_STRING,        /* str */
	KIND_BYTES,         /* str, decoded */
	KIND_QUANTITY,      /* struct quantity */
	KIND_TIME,          /* struct time_value, seconds */
	KIND_MICROTIME,     /* struct time_value, microseconds */
	KIND_DURATION,      /* struct duration */
	KIND_INT_OR_STRING, /* struct int_or_string */
	KIND_RAW,           /* str: JSON text of RawExtension */
	KIND_FIELDS,        /* str: JSON text of FieldsV1 */
	KIND_JSON,          /* str: JSON text of apiextensions' JSON */
	KIND_ANY,           /* str: JSON text of an interface{} */
	KIND_STRUCT,        /* the struct of the row's type */
};

enum { KIND_COUNT = KIND_STRUCT + 1 };

enum field_shape {
	SHAPE_VALUE,
	SHAPE_POINTER,
	SHAPE_LIST,
	SHAPE_MAP,
};

enum field_flags {
	FIELD_OMITEMPTY = 1 << 0,
	FIELD_OMITZERO = 1 << 1,
	FIELD_INLINE = 1 << 2, /* members are the owner's in JSON, in protobuf a message */
	FIELD_REQUIRED = 1 << 3,
	FIELD_OPTIONAL = 1 << 4,
	FIELD_PATCH_MERGE = 1 << 5, /* strategic merge patch: merge by merge_key, or as a set */
	FIELD_PATCH_REPLACE = 1 << 6,
	FIELD_PATCH_RETAIN_KEYS = 1 << 7,
	FIELD_ATOMIC = 1 << 8, /* for apply: list, map or struct is one unit */
	FIELD_SET = 1 << 9,    /* list of distinct scalars */
	FIELD_KEYED = 1 << 10, /* list of structs told apart by list_keys */
	FIELD_GRANULAR = 1 << 11,
	FIELD_DEFAULT = 1 << 12,  /* the rules hold a default */
	FIELD_ESCAPED = 1 << 13,  /* the name needs escapes in JSON */
	FIELD_MILLI = 1 << 14,    /* defaults round its quantities up to thousandths */
	FIELD_NULLABLE = 1 << 15, /* a null that was given stays, whatever the default */
};

/* A run of the text pool. */
struct text {
	uint32_t at, len;
};

struct field {
	uint32_t name;   /* in the text pool, between ,"  and ": so that a writer takes the whole */
	uint32_t offset; /* of the value from the head of the struct */
	uint32_t has;    /* bit from the struct's head: key was there; the next: it was null */
	uint16_t type;   /* KIND_STRUCT: row in types */
	uint16_t number; /* in protobuf; 0: has none */
	uint16_t name_len;
	uint16_t flags; /* enum field_flags */
	uint16_t rules; /* row in rules; 0: none */
	uint8_t kind;   /* enum field_kind */
	uint8_t shape;  /* enum field_shape */
};

/* What few fields have, or few readers ask for. Row 0 is empty. */
struct field_rules {
	struct text default_json;
	struct text merge_key; /* strategic merge patch */
	struct text list_keys; /* of FIELD_KEYED, separated by commas */
	struct text values;    /* allowed ones, separated by blanks */
	struct text markers;   /* declarative validation, one a line */
};

/* What Go's messages say of a field; a table beside the rows. */
struct field_go {
	uint32_t type;     /* NUL-terminated: "v1.RestartPolicy", "[]v1.Container" */
	uint32_t embedded; /* NUL-terminated, dotted: the fields that it is inlined through */
};

/* How a type looks in JSON; in protobuf each is a message. */
enum type_form {
	FORM_STRUCT, /* an object */
	FORM_LIST,   /* its only field, which is a list or map, without the struct around */
	FORM_EITHER, /* one of its fields: a list as array, a pointer as object, a bool as such */
};

enum type_flags {
	TYPE_INLINES = 1 << 0,  /* some fields of it are inline */
	TYPE_DEFAULTS = 1 << 1, /* it or a type below it has defaults */
	TYPE_OBJECT = 1 << 2,   /* struct object at its head */
	TYPE_ATOMIC = 1 << 3,   /* for apply: one unit wherever it is used */
	TYPE_OPEN = 1 << 4,     /* a struct str_map at its end keeps what its rows cannot: open.h */
	TYPE_KEEPS = 1 << 5,    /* of those: members that have no row, too */
};

struct type {
	const struct schema *schema;
	uint32_t go_name; /* NUL-terminated: "v1.PodSpec" */
	uint32_t module;  /* NUL-terminated: where it is declared, "core/v1" */
	uint32_t size_bytes;
	uint32_t fields;      /* first of its own rows, in declaration order */
	uint32_t json_fields; /* first of the rows as JSON has them, inline structs laid open */
	uint32_t numbers; /* numbers[numbers + n]: own row of protobuf number n, plus 1; 0: none */
	uint32_t lookup;  /* first of the hash slots: JSON row plus 1; 0: free */
	uint16_t field_count, json_count;
	uint16_t number_max;
	uint16_t kind;          /* row in kinds, plus 1; 0: not an object of its own */
	uint16_t default_rules; /* row in functions, plus 1; 0: none */
	uint8_t lookup_bits;    /* log2 of the number of slots */
	uint8_t form;           /* enum type_form */
	uint8_t flags;          /* enum type_flags */
};

/* An object of its own: group, version, kind. Sorted. */
struct kind {
	uint32_t group, version, name; /* NUL-terminated; group "" is core */
	uint32_t api_version;          /* "v1", "apps/v1" */
	uint16_t type;
};

struct arena;

/* A default that is more than a value; runs on a struct before the defaults of its fields. */
typedef void default_function(struct arena *a, void *o);

struct schema {
	const struct type *types;
	const struct field *fields;
	const struct field_go *go; /* beside fields */
	const struct field_rules *rules;
	const struct kind *kinds;
	const uint16_t *numbers;
	const uint16_t *lookup;
	default_function *const *functions;
	const char *text;
	size_t type_count, kind_count;

	/* Of one made at run time: members stand by name, as Go marshals a map; defaults are
	 * values, beside the rules, which all objects share. */
	bool sorted;
	const void *const *default_values;
};
