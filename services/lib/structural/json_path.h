/*
 * The part of kubectl's JSONPath that printer columns are written in: .a.b, ['a'], [0], [*] and
 * [?(@.type=="Ready")], backslashes before dots.
 *
 * Only the first value found counts. Errors: ERR_INVALID for what is no such path.
 */
#pragma once

#include "lib/codec/json.h"

/* True, and what the path leads to; false where there is nothing. */
bool json_path_find(const struct json_item *root, str path, struct json_item *to);

/* Whether it could lead anywhere. */
NODISCARD int json_path_check(str path, struct err *e);
