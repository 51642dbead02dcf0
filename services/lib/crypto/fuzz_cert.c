#include "lib/crypto/cert.h"

/* Certificates in DER and PEM, and signing requests: what a peer sends in a handshake or a CSR. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARENA_BYTES = 1 << 20 };
	str in = str_span((const char *)data, size);
	struct cert_request request;
	struct cert one, *bundle;
	struct arena a;
	struct err e;
	size_t len;

	arena_init(&a, ARENA_BYTES);
	if (cert_read_der(&a, in, &one, &e) == 0 && one.der.len == 0)
		__builtin_trap();
	if (cert_read(&a, in, &bundle, &len, &e) == 0 && len == 0)
		__builtin_trap();
	if (cert_request_read(&a, in, &request, &e) == 0)
		key_drop(request.key);
	arena_free(&a);
	return 0;
}
