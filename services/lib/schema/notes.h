/*
 * What a strict reader complains of and a lenient one drops: unknown and duplicate fields, in the
 * order met, each once, in the words of sigs.k8s.io/json: unknown field "spec.foo". As there, what
 * comes after NOTES_MAX is not kept.
 *
 * Ownership: texts live in the arena.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/value/text_map.h"

enum {
	NOTES_MAX = 100,
	NOTES_MET_MAX = 10000, /* complaints, repeated ones too, before nobody looks any more */
};

struct notes {
	struct arena *arena;
	struct str_list texts;
	size_t met;
};

void notes_init(struct notes *n, struct arena *a);

NODISCARD int notes_add(struct notes *n, str text, struct err *e);

static inline bool notes_full(const struct notes *n)
{
	return n->texts.len == NOTES_MAX || n->met == NOTES_MET_MAX;
}

/* `what` is "unknown field" or "duplicate field". The path is quoted as Go's strconv.Quote does. */
NODISCARD int notes_add_field(struct notes *n, const char *what, str path, struct err *e);
