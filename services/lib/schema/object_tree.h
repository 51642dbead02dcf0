/*
 * Objects as JSON texts and trees, and back: for patches and what else works on JSON.
 *
 * Ownership: texts, trees and objects lie in the arena. Errors: ERR_LIMIT past JSON_TEXT_MAX or the
 * arena's limit; what the text does not fit, in the decoder's words.
 */
#pragma once

#include "lib/codec/tree.h"
#include "lib/schema/object.h"

NODISCARD int object_json(struct arena *a, const void *o, str *to, struct err *e);
NODISCARD int object_tree(struct arena *a, const void *o, struct tree **to, struct err *e);
NODISCARD int object_of_tree(
	struct arena *a, const struct type *t, const struct tree *tree, void **to, struct err *e);
