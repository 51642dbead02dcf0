/*
 * Objects of Kubernetes: C structs whose layout a type table knows (type.h), and the one engine
 * that walks both: decode, encode, default, compare, copy, patch, paths.
 *
 * A Go value is embedded, a Go pointer is a pointer, a slice is a LIST, a map a MAP sorted by key.
 * Two bits a field, at the head of each struct, keep what the text said: key present, and null.
 * Reading structs needs neither; defaults, patches and server-side apply do.
 *
 * Lifetimes: everything that hangs from an object lives in the arena given at its making. Strings
 * may point into the decoded text, which must live as long. Objects in caches are not changed; copy
 * first.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/schema/type.h"

enum format {
	FORMAT_JSON,
	FORMAT_YAML,
	FORMAT_PROTOBUF, /* with the k8s\0 envelope */
};

/* The head of every kind. apiVersion and kind are text, because a request may leave them out. */
struct object {
	const struct type *type;
	str api_version, kind;
};

/*
 * What a strict reader complains of and a lenient one drops: unknown fields, duplicate fields, in
 * the order met and in upstream's words: unknown field "spec.foo". At most NOTES_MAX, then one
 * "...".
 */
struct notes;

/*
 * Decodes one object of type `t`. On failure `*out` is untouched. `n` may be NULL: nobody asks.
 * A JSON text whose kind or apiVersion differs from the type's is taken: callers compare (options
 * kinds come under any group-version, requests without a kind).
 */
NODISCARD int object_decode(struct arena *a, const struct type *t, enum format f, str in,
	void **out, struct notes *n, struct err *e);

NODISCARD int object_encode(const void *o, enum format f, struct buf *to, struct err *e);

/* Fills what the schema's defaults say is unset. New memory comes from the arena. */
void object_default(struct arena *a, void *o);

/* Semantic equality as Kubernetes' apiequality: nil and empty lists and maps are the same,
 * quantities and times compare by value. Types are the same. */
bool object_equal(const void *a, const void *b);

/* A copy that shares nothing but strings, which it copies too when `deep_text`. */
void *object_copy(struct arena *a, const void *o, bool deep_text);
