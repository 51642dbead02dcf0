/*
 * Between etcd's values and struct stored: decode, default, stamp the revision, encode again; and
 * what of an object selectors ask for. For this folder.
 *
 * Ownership: a kind_of_entry lives as long as the storage. Threading: any; scratch is the caller's.
 */
#pragma once

#include "apiserver/storage/storage.h"
#include "lib/schema/path.h"

enum { FIELD_LABELS_MAX = 16 };

/* How the objects of one prefix are read and written. */
struct entry_kind {
	const struct resource *resource; /* the row whose type is the stored version's */
	const struct type *type;
	size_t metadata;  /* offset of struct object_meta */
	const str *paths; /* of field labels, by their order */
	size_t field_count;
	int node_field; /* spec.nodeName among them, -1: none */
};

/* The type of what lies in etcd as objects are held here; NULL: not served. */
const struct type *entry_stored_type(const struct resource *r);

NODISCARD int entry_kind_init(struct entry_kind *k, const struct resource *r, struct err *e);

/* Reused from one entry to the next. */
struct entry_scratch {
	struct arena arena;
	struct buf text;
};

void entry_scratch_init(struct entry_scratch *s);
void entry_scratch_free(struct entry_scratch *s);

/* `key` is "ns/name" or "name". What cannot be decoded is ERR_INTERNAL. */
NODISCARD int entry_read(struct entry_scratch *s, const struct entry_kind *k, str key, str value,
	int64_t revision, struct stored **to, struct err *e);

/* The same object under another revision: the last state of what was deleted. */
NODISCARD int entry_restamp(struct entry_scratch *s, const struct entry_kind *k,
	const struct stored *o, int64_t revision, struct stored **to, struct err *e);

/* The bytes for etcd: without resourceVersion. */
NODISCARD int entry_write(const struct entry_kind *k, const void *object, int64_t revision,
	struct buf *to, struct err *e);

/* Namespace and name that the object carries. */
void entry_name(const struct entry_kind *k, const void *object, str *ns, str *name);
