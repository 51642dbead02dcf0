/*
 * What a cluster has from the first moment on: its own namespaces.
 */
#pragma once

#include "apiserver/registry/registry.h"

struct bootstrap_options {
	struct registry *registry;
	str admission_user; /* as whom the objects are made */
	str advertise_address;
};

/* Makes what is missing. Blocks. */
NODISCARD int bootstrap(const struct bootstrap_options *o, struct err *e);
