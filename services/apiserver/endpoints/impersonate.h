/*
 * Impersonation: Impersonate-User, -Group, -Uid and -Extra-* change who asks, if he may
 * (apiserver/pkg/endpoints/filters/impersonation).
 */
#pragma once

#include "apiserver/endpoints/request.h"

NODISCARD int impersonate(struct request *r, struct err *e);
