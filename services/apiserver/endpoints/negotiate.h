/*
 * Content negotiation: in which form a request's body comes and its answer goes
 * (apiserver/pkg/endpoints/handlers/negotiation, helpers of discovery).
 *
 * Errors carry the Status of 406 and 415 in upstream's words.
 */
#pragma once

#include "lib/http/headers.h"
#include "lib/http/url.h"
#include "lib/schema/object.h"

enum answer_as {
	AS_OBJECT,
	AS_TABLE,
	AS_METADATA,      /* PartialObjectMetadata, or a list of them */
	AS_METADATA_LIST, /* ...List: only of lists */
	AS_DISCOVERY,     /* APIGroupDiscoveryList, apidiscovery.k8s.io/v2 */
};

struct answer_form {
	enum format format; /* FORMAT_JSON, FORMAT_YAML, FORMAT_PROTOBUF */
	enum answer_as as;
	str as_version; /* of meta.k8s.io: "v1", "v1beta1" */
	bool pretty, gzip;
};

enum accept_endpoint {
	ACCEPT_PLAIN,     /* no transformation */
	ACCEPT_OBJECT,    /* Table, PartialObjectMetadata */
	ACCEPT_LIST,      /* ... and PartialObjectMetadataList */
	ACCEPT_WATCH,     /* streams: YAML has no frames */
	ACCEPT_DISCOVERY, /* APIGroupDiscoveryList */
};

NODISCARD int negotiate_answer(struct arena *a, const struct http_headers *h,
	const struct url_query *q, enum accept_endpoint endpoint, struct answer_form *to,
	struct err *e);

/* The same where protobuf is none of the forms. */
NODISCARD int negotiate_text(struct arena *a, const struct http_headers *h,
	const struct url_query *q, enum accept_endpoint endpoint, struct answer_form *to,
	struct err *e);

/* Of errors and of what has only one form: JSON unless the client prefers another that we have. */
struct answer_form negotiate_error(
	struct arena *a, const struct http_headers *h, const struct url_query *q);

/* The Content-Type of an answer, and of a watch. */
str answer_content_type(const struct answer_form *f);
str answer_stream_type(struct arena *a, const struct answer_form *f);

/* The form of a body. ERR_UNSUPPORTED: 415. */
NODISCARD int negotiate_body(
	struct arena *a, const struct http_headers *h, enum format *to, struct err *e);
