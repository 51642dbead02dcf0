/*
 * OpenAPI: /openapi/v3, an index of the group-versions and a document for each, generated from the
 * schema's tables. What clients need of it, apply and explain above all, is there: definitions with
 * their kinds, list types and patch strategies, paths with their actions and parameters.
 *
 * Documents are made when they are first asked for and kept. Source: k8s.io/kube-openapi;
 * apiserver/pkg/endpoints/openapi; KEP-2896.
 */
#pragma once

#include "apiserver/endpoints/request.h"

NODISCARD int openapi_new(struct openapi **to, struct err *e);
void openapi_free(struct openapi *o);

/* False when the path is none of OpenAPI's. */
bool openapi_handle(struct request *r, str path);
