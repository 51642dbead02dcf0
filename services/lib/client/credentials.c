#include "lib/client/credentials.h"

#include "lib/crypto/digest.h"
#include "lib/os/file.h"

#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20 };

struct credentials {
	struct arena arena;
	struct kubeconfig config;
	bool tls, anonymous;
	struct tls_context *context;
	uint8_t sum[DIGEST_SHA256_BYTES]; /* of what the context was made of */
};

/* What the context is made of, as it is now. */
struct material {
	str ca_pem, cert_pem, key_pem;
};

static int read_material(
	const struct credentials *c, struct arena *a, struct material *to, struct err *e);
static int make_context(const struct material *m, struct tls_context **to, struct err *e);
static void sum_of(const struct material *m, uint8_t to[DIGEST_SHA256_BYTES]);

static str keep(struct arena *a, str s)
{
	return s.at ? arena_str(a, s) : s;
}

int credentials_open(const struct kubeconfig *k, bool tls, bool anonymous, struct credentials **to,
	struct err *e)
{
	struct credentials *c = calloc(1, sizeof(*c));
	bool changed;

	if (!c)
		return err_set(e, ERR_SYSTEM, "no memory for credentials");
	arena_init(&c->arena, ARENA_NO_LIMIT);
	c->tls = tls;
	c->anonymous = anonymous;
	c->config = (struct kubeconfig){
		.ca_pem = keep(&c->arena, k->ca_pem),
		.ca_file = keep(&c->arena, k->ca_file),
		.cert_pem = keep(&c->arena, k->cert_pem),
		.cert_file = keep(&c->arena, k->cert_file),
		.key_pem = keep(&c->arena, k->key_pem),
		.key_file = keep(&c->arena, k->key_file),
	};
	if (credentials_refresh(c, &changed, e) < 0) {
		credentials_free(c);
		return -1;
	}
	*to = c;
	return 0;
}

void credentials_free(struct credentials *c)
{
	if (!c)
		return;
	if (c->context)
		tls_context_drop(c->context);
	arena_free(&c->arena);
	free(c);
}

struct tls_context *credentials_tls(const struct credentials *c)
{
	return c->context;
}

int credentials_refresh(struct credentials *c, bool *changed, struct err *e)
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	struct tls_context *context;
	struct material m;
	struct arena a;

	*changed = false;
	if (!c->tls)
		return 0;
	arena_init(&a, ARENA_NO_LIMIT);
	if (read_material(c, &a, &m, e) < 0)
		goto failed;
	sum_of(&m, sum);
	if (!c->context || memcmp(sum, c->sum, sizeof(sum)) != 0) {
		if (make_context(&m, &context, e) < 0)
			goto failed;
		if (c->context)
			tls_context_drop(c->context);
		c->context = context;
		memcpy(c->sum, sum, sizeof(sum));
		*changed = true;
	}
	arena_free(&a);
	return 0;
failed:
	arena_free(&a);
	return -1;
}

static int text_or_file(struct arena *a, str text, str path, str *to, struct err *e)
{
	if (text.len > 0 || path.len == 0) {
		*to = text;
		return 0;
	}
	return file_read(a, path.at, FILE_BYTES_MAX, to, e);
}

static int read_material(
	const struct credentials *c, struct arena *a, struct material *to, struct err *e)
{
	const struct kubeconfig *k = &c->config;

	*to = (struct material){{NULL, 0}, {NULL, 0}, {NULL, 0}};
	TRY(text_or_file(a, k->ca_pem, k->ca_file, &to->ca_pem, e));
	if (to->ca_pem.len == 0)
		return err_set(e, ERR_INVALID,
			"no certificate-authority: the server could not be verified");
	if (c->anonymous)
		return 0;
	TRY(text_or_file(a, k->cert_pem, k->cert_file, &to->cert_pem, e));
	return text_or_file(a, k->key_pem, k->key_file, &to->key_pem, e);
}

static int make_context(const struct material *m, struct tls_context **to, struct err *e)
{
	struct tls_options o = {
		.cert_pem = m->cert_pem,
		.key_pem = m->key_pem,
		.protocols = TLS_HTTP2,
	};
	struct cert_roots *roots;

	TRY(cert_roots_read(m->ca_pem, &roots, e));
	o.roots = roots;
	int made = tls_client_context(&o, to, e);

	cert_roots_drop(roots);
	return made;
}

static void sum_of(const struct material *m, uint8_t to[DIGEST_SHA256_BYTES])
{
	uint8_t parts[3][DIGEST_SHA256_BYTES];

	digest_sha256(m->ca_pem, parts[0]);
	digest_sha256(m->cert_pem, parts[1]);
	digest_sha256(m->key_pem, parts[2]);
	digest_sha256(str_span((const char *)parts, sizeof(parts)), to);
}
