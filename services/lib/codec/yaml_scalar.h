/*
 * What a plain YAML scalar means, for yaml*.c alone.
 */
#pragma once

#include "lib/base/buf.h"

enum yaml_kind {
	YAML_STR,
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT,
	YAML_TIMESTAMP,
};

struct yaml_scalar {
	enum yaml_kind kind;
	bool truth;
	bool negative;
	uint64_t size; /* of an integer, without its sign */
	double number;
};

struct yaml_scalar yaml_resolve(str text);

/* "1:30", which YAML 1.1 took for a number of base 60: quoted, for others' sake. */
bool yaml_is_base60(str text);

/* The shortest text that reads back as the same double, or float, in the form of Go's %g. */
void yaml_put_float(struct buf *b, double number, bool single);
