/*
 * IntOrString of apimachinery/pkg/util/intstr: a port number or its name, a count or a percentage.
 *
 * Ownership: `text` is borrowed from what was parsed.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

struct int_or_string {
	str text;
	int32_t number;
	bool is_text;
};

/* A number of 32 bits if all of the text is one, else the text:
 * what command lines and queries give. */
struct int_or_string int_or_string_of(str text);

/*
 * The number, or the percentage of `total` rounded up or down. ERR_INVALID in upstream's words if
 * the text is no percentage.
 */
NODISCARD int int_or_string_scale(
	const struct int_or_string *v, int64_t total, bool round_up, int64_t *to, struct err *e);
