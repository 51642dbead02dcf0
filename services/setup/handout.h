/*
 * Hands the administrator's kubeconfig out, once, to who knows the code on the screen: HTTPS on
 * port 6444, POST /kubeconfig with the code's secret as body. The certificate is the API server's,
 * with the CA behind it, by whose hash in the code the client knows us. After five wrong tries the
 * code is replaced by a new one.
 *
 * Threading: the loop's. Ownership: handout_start's owner lives as long as the process.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/crypto/access_code.h"
#include "lib/http/server.h"

struct handout {
	void (*changed)(struct handout *h); /* the code; set by the owner */
	struct http_handler handler;
	struct http_server *server;
	struct tls_context *tls;
	struct random *random;
	struct access_code code;
	int wrong_tries;
	bool used;
};

NODISCARD int handout_start(struct handout *h, struct loop *l, struct random *r, struct err *e);

/* Takes a certificate that has been made anew. */
NODISCARD int handout_renew(struct handout *h, struct err *e);

/* Empty once it has been used. */
void handout_code(const struct handout *h, char to[ACCESS_CODE_CHARS + 1]);
