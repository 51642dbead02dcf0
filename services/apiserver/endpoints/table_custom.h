/*
 * Tables of custom resources: the columns that their definitions ask for, or else their age
 * (apiextensions-apiserver/pkg/registry/customresource/tableconvertor).
 */
#pragma once

#include "apiserver/endpoints/printers.h"

struct structural;

void custom_columns(struct arena *a, const struct structural *s, struct table *t);
NODISCARD int custom_cells(struct cells *c, const struct structural *s, const void *object,
	struct str_list *to, struct err *e);
