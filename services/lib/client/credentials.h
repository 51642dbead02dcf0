/*
 * A transport's side of TLS: trusted roots and client certificate, from text or from files that are
 * read again. Threading: the transport's thread, once opened.
 */
#pragma once

#include "lib/client/kubeconfig.h"
#include "lib/crypto/tls.h"

struct credentials;

/* Without `tls` there are none, for a server that speaks plain HTTP/2. */
NODISCARD int credentials_open(const struct kubeconfig *k, bool tls, bool anonymous,
	struct credentials **to, struct err *e);
void credentials_free(struct credentials *c); /* NULL: nothing */

/* For the connections to come; NULL: plaintext. Borrowed. */
struct tls_context *credentials_tls(const struct credentials *c);

/* Looks at the files again. What cannot be read or used leaves all as it was. */
NODISCARD int credentials_refresh(struct credentials *c, bool *changed, struct err *e);
