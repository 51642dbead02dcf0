/*
 * CustomResourceDefinitions lie in etcd as apiextensions v1beta1, which says of all versions at
 * once what is the same for them; here they are v1. Between the two texts.
 *
 * Source: apiextensions-apiserver/pkg/apis/apiextensions/{v1,v1beta1}/conversion.go.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/* v1beta1, or v1 as it is, to v1; in the arena. */
NODISCARD int crd_form_read(struct arena *a, str json, str *to, struct err *e);

/* v1 in the buffer to v1beta1 in its place. */
NODISCARD int crd_form_write(struct buf *json, struct err *e);
