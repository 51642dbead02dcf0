/*
 * How the cells of a row are made, for table.c and printers_*.c.
 */
#pragma once

#include "api/kinds.h"
#include "lib/base/buf.h"
#include "lib/schema/object.h"

enum { CELLS_MAX = 20 };

/* The cells of one row under way, as JSON texts. */
struct cells {
	struct arena *arena;
	int64_t now_s;
	str at[CELLS_MAX];
	size_t len;
	str condition, condition_reason; /* of the row: "Completed" and why; absent otherwise */
};

struct column {
	const char *name, *type, *format; /* NULL: none */
	int priority;                     /* 1: for wide output */
};

struct printer {
	enum api_type type;
	const struct column *columns; /* ends with a NULL name */
	void (*print)(struct cells *c, const void *object);
};

/* Each ends with a NULL print. */
extern const struct printer printers_core[];
extern const struct printer printers_workloads[];
extern const struct printer printers_groups[];
extern const struct printer printers_storage[];

/* NULL: name and creation time, as any kind. */
const struct printer *printer_find(const struct type *t);

#define COLUMN_NAME \
	{ \
		"Name", "string", "name", 0 \
	}
#define COLUMN_AGE \
	{ \
		"Age", "string", NULL, 0 \
	}
#define COLUMNS_END \
	{ \
		NULL, NULL, NULL, 0 \
	}

void cell_text(struct cells *c, str text);
void cell_fmt(struct cells *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cell_number(struct cells *c, int64_t value);
void cell_bool(struct cells *c, bool value);

/* For an optional text. */
void cell_or(struct cells *c, const str *text, const char *otherwise);

/* "<none>" where there is nothing. */
void cell_text_or_none(struct cells *c, str text);

/* Since when: 5m, 3d4h; "<unknown>" for a time that is not set. */
void cell_age(struct cells *c, const struct time_value *since);
void put_age(struct buf *to, int64_t seconds);

/* "a=b,c=d"; "<none>". */
void cell_labels(struct cells *c, const struct str_map *labels);

/* A LabelSelector as kubectl shows selectors; "<none>" for an empty one. */
struct label_selector;
void cell_selector(struct cells *c, const struct label_selector *s);

/* "a,b"; what is left out of a long list is counted by the caller. */
void cell_joined(struct cells *c, const struct str_list *texts);
