/*
 * Forms of names that the API prescribes, each with upstream's messages, which clients see
 * (apimachinery/pkg/util/validation, pkg/api/validate/content).
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/str.h"

enum name_form {
	NAME_DNS1123_LABEL,
	NAME_DNS1123_SUBDOMAIN,
	NAME_DNS1123_SUBDOMAIN_UNDERSCORE,
	NAME_DNS1035_LABEL,
	NAME_WILDCARD_SUBDOMAIN,
	NAME_SHORT,         /* of declared rules: k8s-short-name, */
	NAME_LONG,          /* k8s-long-name, */
	NAME_LONG_CASELESS, /* and k8s-long-name-caseless */
	NAME_QUALIFIED,     /* keys of labels and annotations, resource names */
	NAME_LABEL_VALUE,
	NAME_PATH_SEGMENT,
	NAME_PATH_SEGMENT_PREFIX,
	NAME_CONFIG_MAP_KEY,
	NAME_ENV_VAR,
	NAME_ENV_VAR_RELAXED,
	NAME_PORT,
	NAME_HTTP_HEADER,
	NAME_C_IDENTIFIER,
	NAME_PERCENT,
	NAME_DECIMAL_INTEGER,
};

enum { NAME_FAULTS_MAX = 6 };

/* What is wrong, in upstream's order; texts are constants. */
struct name_faults {
	const char *at[NAME_FAULTS_MAX];
	size_t len;
};

/* True if the name has the form; else `f` says why not. */
bool name_check(enum name_form form, str name, struct name_faults *f);

/* What upstream checks in place of a generateName: a dash at its end may stay. */
str name_of_prefix(struct arena *a, str prefix);
