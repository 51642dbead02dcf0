/*
 * What is wrong with an object, field by field: apimachinery/pkg/util/validation/field.
 *
 * Paths are built on the stack while walking down, and only written out when something is wrong:
 *
 *	const struct field_path *spec = FIELD(NULL, "spec");
 *	for (size_t i = 0; i < n; i++)
 *		check(c, FIELD_INDEX(FIELD(spec, "containers"), i), ...);
 *
 * Ownership: texts live in the arena. A list of causes is bounded: what an object can be
 * blamed for grows with its size, which the request's limit bounds.
 */
#pragma once

#include "api/meta_v1.h"
#include "lib/base/arena.h"
#include "lib/schema/object.h"

struct field_path {
	const struct field_path *parent;
	const char *name; /* NULL: an index or key into the parent */
	str key;          /* absent: an index */
	size_t index;
};

/* These live until the end of the enclosing block. */
#define FIELD(parent, name)        (&(struct field_path){(parent), (name), {NULL, 0}, 0})
#define FIELD_INDEX(parent, index) (&(struct field_path){(parent), NULL, {NULL, 0}, (index)})
#define FIELD_KEY(parent, key)     (&(struct field_path){(parent), NULL, (key), 0})

/* "spec.containers[0].ports[http]"; the empty path writes nothing. */
void field_path_put(struct buf *b, const struct field_path *p);

enum cause_kind {
	CAUSE_NOT_FOUND,
	CAUSE_REQUIRED,
	CAUSE_DUPLICATE,
	CAUSE_INVALID,
	CAUSE_NOT_SUPPORTED,
	CAUSE_FORBIDDEN,
	CAUSE_TOO_LONG,
	CAUSE_TOO_SHORT,
	CAUSE_TOO_MANY,
	CAUSE_TOO_FEW,
	CAUSE_TYPE_INVALID,
	CAUSE_INTERNAL,
	CAUSE_KIND_COUNT
};

struct causes {
	struct arena *arena;
	struct status_cause *at;
	size_t len, cap;
};

static inline void causes_init(struct causes *c, struct arena *a)
{
	*c = (struct causes){.arena = a};
}

/* The value at fault as upstream's message shows it: text quoted, numbers bare, the rest as
 * JSON. */
struct cause_value {
	enum { CAUSE_NO_VALUE, CAUSE_TEXT, CAUSE_BARE } shown;
	str text;
};

struct cause_value cause_text(str s);
struct cause_value cause_i64(struct arena *a, int64_t value);
struct cause_value cause_bool(bool value);
struct cause_value cause_struct(struct arena *a, const struct type *t, const void *o);
struct cause_value cause_json(str json); /* written as it is */
struct cause_value cause_list(struct arena *a, const struct str_list *texts);

/* What `o`, of type `t`, has at a path (lib/schema/path.h); null when there is nothing. */
struct cause_value cause_field(
	struct arena *a, const struct type *t, const void *o, const char *path);

/* Invalid, type-invalid, not found, duplicate: kinds that show the value. */
void causes_add(struct causes *c, enum cause_kind kind, const struct field_path *p,
	struct cause_value value, const char *fmt, ...) PRINTF_LIKE(5, 6);

void causes_required(struct causes *c, const struct field_path *p, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void causes_invalid(struct causes *c, const struct field_path *p, struct cause_value value,
	const char *fmt, ...) PRINTF_LIKE(4, 5);
void causes_forbidden(struct causes *c, const struct field_path *p, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void causes_duplicate(struct causes *c, const struct field_path *p, struct cause_value value);

/* `supported` in the order in which upstream shows them; it sorts them itself where it does. */
void causes_not_supported(struct causes *c, const struct field_path *p, struct cause_value value,
	const str *supported, size_t count);
void causes_too_long(struct causes *c, const struct field_path *p, size_t max_bytes);
void causes_too_many(struct causes *c, const struct field_path *p, size_t actual, size_t max_items);

/* One that is made already. */
void causes_append(struct causes *c, const struct status_cause *one);

/* ": cause" or ": [cause, cause]", each once, as it follows "is invalid"; nothing for none. */
void causes_put(const struct causes *c, struct buf *b);
