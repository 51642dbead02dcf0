/*
 * What a request asks for, read from its method, path and query alone: apiserver/pkg/endpoints/
 * request/requestinfo.go. Authorization, admission and dispatch all decide by this one reading.
 *
 * Ownership: texts lie in the path, the query or the arena. Threading: any.
 */
#pragma once

#include "lib/http/url.h"

struct request_info {
	bool is_resource;
	bool verb_in_path; /* /api/v1/watch/... */
	str path, verb;
	str prefix, group, version; /* "api" or "apis" */
	str resource, subresource, ns, name;
	str rest; /* behind the subresource, without its slash: of proxies; absent otherwise */
	str label_selector, field_selector; /* as sent; absent when not, or of no use */
};

/* ERR_INVALID: a special verb without anything behind it. */
NODISCARD int request_info_read(struct arena *a, str method, str path, const struct url_query *q,
	struct request_info *to, struct err *e);

/* A boolean option: there, and neither "false" nor "0". */
bool query_flag(const struct url_query *q, str name);
