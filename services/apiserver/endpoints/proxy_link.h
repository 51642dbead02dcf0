/*
 * Connections of one loop to aggregated API servers, kept for the next request. HTTP/2 is shared by
 * many at once; HTTP/1.1 carries one and waits for the next.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include "apiserver/endpoints/request.h"
#include "lib/http/client.h"

struct proxy_link {
	struct endpoints_io *io;
	struct http_client *http;
	struct tls_context *tls; /* a reference */
	str address, name;       /* allocated, in one piece behind the struct */
	size_t calls;
	bool shared; /* it speaks HTTP/2 */
	struct proxy_link *next;
};

/* One with room for a call, which is counted until proxy_link_leave. */
NODISCARD int proxy_link_enter(struct endpoints_io *io, const struct aggregated *s, str address,
	struct proxy_link **to, struct err *e);
void proxy_link_leave(struct proxy_link *l);
void proxy_links_free(struct endpoints_io *io);
