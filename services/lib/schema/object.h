/*
 * Objects of Kubernetes: C structs whose layout a type table knows (type.h), and the one engine
 * that walks both: decode, encode, default, compare, copy, patch, paths.
 *
 * A Go value is embedded, a Go pointer is a pointer, a slice is a LIST, a map a list of entries
 * sorted by key. Two bits a field, at the head of each struct, keep what the text said: key
 * present, and null. Reading structs needs neither; defaults, patches and server-side apply do.
 *
 * Lifetimes: everything that hangs from an object lives in the arena given at its making. Strings
 * may point into the decoded text, which must live as long. Objects in caches are not changed; copy
 * first. Threading: an object that nobody changes is anybody's to read.
 *
 * Limits: the arena's, and OBJECT_DEPTH_MAX levels. What a peer sent too much of is ERR_LIMIT.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/schema/notes.h"
#include "lib/schema/type.h"

enum { OBJECT_DEPTH_MAX = 1000 };

enum format {
	FORMAT_JSON,
	FORMAT_YAML,
	FORMAT_PROTOBUF,      /* with the k8s\0 envelope */
	FORMAT_PROTOBUF_BARE, /* the message alone: no kind, no apiVersion */
};

/* The head of every kind. apiVersion and kind are text, because a request may leave them out. */
struct object {
	const struct type *type;
	str api_version, kind;
};

/*
 * Decodes one object of type `t`. On failure `*out` is untouched. `n` may be NULL: nobody asks.
 * A JSON text whose kind or apiVersion differs from the type's is taken: callers compare (options
 * kinds come under any group-version, requests without a kind).
 */
NODISCARD int object_decode(struct arena *a, const struct type *t, enum format f, str in,
	void **out, struct notes *n, struct err *e);

NODISCARD int object_encode(const void *o, enum format f, struct buf *to, struct err *e);

/* The same for a struct that is no kind of its own. It has no envelope:
 * FORMAT_PROTOBUF is refused. */
NODISCARD int struct_encode(
	const struct type *t, const void *o, enum format f, struct buf *to, struct err *e);

/* In an envelope that says so: the frames of a watch. */
NODISCARD int struct_wrap(const struct type *t, const void *o, str api_version, str kind,
	struct buf *to, struct err *e);

/* The message of an envelope, and what its head says, without a look inside. */
NODISCARD int object_open(str in, str *api_version, str *kind, str *message, struct err *e);

/* A new one, with apiVersion and kind of its type. */
void *object_new(struct arena *a, const struct type *t);

/* Fills what the schema's defaults say is unset. New memory comes from the arena. */
void object_default(struct arena *a, void *o);
void struct_default(struct arena *a, const struct type *t, void *o);

/* Semantic equality as Kubernetes' apiequality: nil and empty lists and maps are the same,
 * quantities and times compare by value. Types are the same. */
bool object_equal(const void *a, const void *b);
bool struct_equal(const struct type *t, const void *a, const void *b);

/* A copy that shares nothing but strings, which it copies too when `deep_text`. */
void *object_copy(struct arena *a, const void *o, bool deep_text);
void struct_copy(struct arena *a, const struct type *t, const void *from, void *to, bool deep_text);

static inline const struct type *object_type(const void *o)
{
	return ((const struct object *)o)->type;
}
