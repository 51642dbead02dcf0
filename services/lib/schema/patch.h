/*
 * The three patches of a PATCH request. As upstream, each works on the object's JSON as a
 * tree and the result is decoded anew, so that what a patch says of unknown fields,
 * directives and types comes out the same: RFC 6902 with the leniencies of
 * evanphx/json-patch v4, RFC 7386, and strategic merge patch
 * (apimachinery/pkg/util/strategicpatch), which asks the type tables for merge keys.
 *
 * `target` and `patch` are consumed: parts of both make up the result. Lifetimes: the arena's.
 * Errors are in upstream's words: ERR_INVALID for a patch that is malformed (400), ERR_CONFLICT
 * for one that does not apply (422), ERR_LIMIT for one that is too large (413), ERR_INTERNAL for
 * what upstream has no better answer to (500).
 */
#pragma once

#include "lib/codec/tree.h"
#include "lib/schema/type.h"

enum {
	PATCH_OPERATIONS_MAX = 10000,
	PATCH_COPIED_MAX_BYTES = 3 << 20, /* by all "copy" operations of one patch */
};

NODISCARD int patch_json(struct arena *a, struct tree *target, const struct tree *patch,
	struct tree **to, struct err *e);

NODISCARD int patch_merge(
	struct arena *a, struct tree *target, struct tree *patch, struct tree **to, struct err *e);

/* `t` is the type of the target. */
NODISCARD int patch_strategic(struct arena *a, const struct type *t, struct tree *target,
	struct tree *patch, struct tree **to, struct err *e);
