/*
 * URLs (RFC 3986): taken apart, decoded and encoded, with the leniency of Go's
 * net/url where Kubernetes' clients rely on it. Results lie in the input or in the
 * caller's arena. Threading: any.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"

struct url {
	str scheme; /* "http" or "https" */
	str host;   /* without brackets */
	uint16_t port;
	str path;  /* still encoded; "/" when there is none */
	str query; /* still encoded; absent without a question mark */
};

/* An absolute http or https URL without user and fragment:
 * a kubeconfig's server, a webhook's URL. */
NODISCARD int url_parse(str text, struct url *to, struct err *e);

/* "host", "host:port", "[v6]:port". */
NODISCARD int url_split_authority(
	str authority, uint16_t default_port, str *host, uint16_t *port, struct err *e);

/*
 * %XX decoded; the input itself when there is nothing to decode. A percent sign that starts no pair
 * of hexadecimal digits is ERR_INVALID.
 */
NODISCARD int url_decode(struct arena *a, str in, bool plus_is_space, str *to, struct err *e);

enum url_part { URL_PATH_SEGMENT, URL_QUERY_VALUE };

void url_add_encoded(struct buf *to, str text, enum url_part part);

struct url_param {
	str name, value;
};

struct url_query {
	const struct url_param *params;
	size_t len;
};

/* Pairs in their order, decoded; a semicolon as separator is refused, as Go does since 1.17. */
NODISCARD int url_query_parse(struct arena *a, str query, struct url_query *to, struct err *e);

/* The first value; absent when there is none. */
str url_query_get(const struct url_query *q, str name);
