#include "controller-manager/metrics_access.h"

#include "lib/base/clock.h"

int metrics_access_open(struct metrics_access *m, str ca_pem, const struct clock *c, struct err *e)
{
	*m = (struct metrics_access){.clock = c};
	return ca_pem.len > 0 ? cert_roots_read(ca_pem, &m->roots, e) : 0;
}

void metrics_access_close(struct metrics_access *m)
{
	if (m->roots)
		cert_roots_drop(m->roots);
}

static bool in_group(const struct cert *c)
{
	for (size_t i = 0; i < c->subject.organizations.len; i++) {
		str group = c->subject.organizations.at[i];

		if (str_eq(group, STR("system:masters")) || str_eq(group, STR("system:monitoring")))
			return true;
	}
	return false;
}

bool metrics_allowed(void *access, struct http_exchange *x)
{
	const struct metrics_access *m = access;
	int64_t now_s = m->clock->wall_ns(m->clock) / NS_PER_S;
	struct cert_list chain;
	struct cert leaf;
	struct err e;

	if (!m->roots || http_peer_chain(x, &chain, &e) < 0 || chain.len == 0 ||
		cert_verify(m->roots, chain, CERT_CLIENT_AUTH, now_s, &e) < 0 ||
		cert_read_der(&x->arena, chain.at[0], &leaf, &e) < 0) {
		http_respond(x, 401, NULL, STR("Unauthorized\n"));
		return false;
	}
	if (in_group(&leaf))
		return true;
	http_respond(x, 403, NULL, STR("Forbidden\n"));
	return false;
}
