/*
 * The certificate of a server that was given none: made once and kept in --cert-dir as
 * apiserver.crt and apiserver.key, or, with an empty --cert-dir, made anew at each start
 * (apiserver/pkg/server/options/serving.go, MaybeDefaultWithSelfSignedCerts). It signs itself.
 */
#pragma once

#include "apiserver/flags.h"
#include "lib/base/clock.h"

NODISCARD int serving_cert(struct arena *a, const struct apiserver_flags *f, const struct clock *c,
	str *cert_pem, str *key_pem, struct err *e);
