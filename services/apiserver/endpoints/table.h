/*
 * Tables: objects as rows for people (meta/v1 Table; kubectl get). What the columns of a resource
 * are and how a cell is made from the object stands in printers_*.c, one table a resource.
 * Source: pkg/printers/internalversion/printers.go.
 */
#pragma once

#include "apiserver/endpoints/request.h"

/* An empty one with the columns of the request's resource. `includeObject` and `noHeaders` are read
 * from the query. */
NODISCARD int table_new(struct request *r, struct table **to, struct err *e);

/* One row for an object of the request's version. */
NODISCARD int table_add(struct request *r, struct table *t, void *object, struct err *e);

/* The same for one object, which may also be a list of this resource's kind. */
NODISCARD int table_of_object(struct request *r, void *object, struct table **to, struct err *e);

/* The same for an event of a watch: only the first has the columns. */
NODISCARD int table_of_event(
	struct request *r, void *object, bool first, struct table **to, struct err *e);
