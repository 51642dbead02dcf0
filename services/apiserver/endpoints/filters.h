/*
 * What every request passes before its handler.
 */
#pragma once

#include "apiserver/endpoints/request.h"

/* The handler of http_server_options: begins a request. */
void filters_run(struct http_handler *h, struct http_exchange *x);

/* What the request wants to do, as the authorizer is asked. */
struct attributes request_attributes(struct request *r);

/* 403 in upstream's words unless that is allowed. */
NODISCARD int require(struct request *r, const struct attributes *t, struct err *e);

/* Fills `e` with the 403; returns -1. */
int fail_forbidden(
	struct arena *a, const struct attributes *t, const struct buf *reason, struct err *e);

/* Whether a client's Audit-ID is taken over. */
bool audit_id_usable(str id);
