/*
 * Managed fields of what a request writes: who it is that writes, and which fields that may be
 * (apiserver/pkg/endpoints/handlers/create.go, fieldmanager).
 */
#pragma once

#include "apiserver/endpoints/request.h"
#include "lib/api/managed.h"

/* `manager` is the request's option; "": the beginning of the User-Agent. */
struct managed_write managing_write(struct request *r, str manager);

/* Sets the managedFields of `now`, of the stored version; `before` is the stored object, NULL for a
 * new one. */
NODISCARD int managing_update(
	struct request *r, str manager, const void *before, void *now, struct err *e);
