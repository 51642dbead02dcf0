/*
 * Open structs: those of custom resources, whose rows are made at run time. Beside its fields such
 * a struct holds a map of texts, JSON by member, at its end: members that have no row but are to be
 * kept, nulls, and values that do not fit their row. Nothing that was sent or stored is lost before
 * validation has had its say, and nothing that is valid comes to lie there but nulls and what the
 * schema leaves open.
 *
 * A field whose name stands among the texts is nil; who sets it drops the text.
 *
 * Ownership: as the object. Threading: as the object.
 */
#pragma once

#include "lib/schema/type.h"

static inline struct str_map *open_texts(const struct type *t, const void *o)
{
	return (struct str_map *)((char *)(uintptr_t)o + t->size_bytes - sizeof(struct str_map));
}

/* NULL if there is none. */
const str *open_text(const struct type *t, const void *o, str name) PURE;
void open_drop(const struct type *t, void *o, str name);
