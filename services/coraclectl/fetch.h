/*
 * Fetches what an appliance hands out against the code on its screen (lib/crypto/access_code.h).
 * The secret is sent only after the server has shown that it has the key of the CA that the code
 * names. Blocks.
 */
#pragma once

#include "lib/crypto/access_code.h"
#include "lib/http/url.h"

NODISCARD int fetch_kubeconfig(struct arena *a, const struct url *from,
	const struct access_code *code, str *to, struct err *e);
