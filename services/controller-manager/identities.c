#include "controller-manager/identities.h"

#include "lib/client/throttle.h"

#include <pthread.h>
#include <stdlib.h>

enum {
	TOKEN_S = 3600,
	TOKEN_EARLY_S = 600, /* renewed so long before its end */
	CHATTY_RATE = 20,
	CHATTY_BURST = 100,
};

/* A client, and its token if it has one. */
struct identity {
	struct client_token source;
	struct identities *all;
	struct client *client;
	str account;
	pthread_mutex_t lock; /* of the token */
	struct arena arena;
	str token;
	int64_t ends_ns;
	struct identity *next;
};

struct identities {
	struct identities_options options;
	struct arena arena;
	struct transport *own, *anonymous;
	struct client *maker; /* of accounts and tokens */
	struct identity *first;
};

static int find_token(struct client_token *t, struct arena *a, str *to, struct err *e);

int identities_open(const struct identities_options *o, struct identities **to, struct err *e)
{
	struct transport_options t = {.config = o->config, .clock = o->clock};
	struct identities *i = calloc(1, sizeof(*i));

	if (!i)
		return err_set(e, ERR_SYSTEM, "no memory for identities");
	i->options = *o;
	arena_init(&i->arena, ARENA_NO_LIMIT);
	if (transport_open(&t, &i->own, e) < 0)
		goto failed;
	if (o->settings->use_service_account_credentials) {
		t.anonymous = true;
		if (transport_open(&t, &i->anonymous, e) < 0)
			goto failed;
	}
	if (identities_root(i, "tokens", 0, 0, &i->maker, e) < 0)
		goto failed;
	*to = i;
	return 0;
failed:
	identities_close(i);
	return -1;
}

void identities_close(struct identities *i)
{
	if (i->anonymous)
		transport_close(i->anonymous);
	if (i->own)
		transport_close(i->own);
	while (i->first) {
		struct identity *x = i->first;

		i->first = x->next;
		if (x->client)
			client_close(x->client);
		pthread_mutex_destroy(&x->lock);
		arena_free(&x->arena);
		free(x);
	}
	arena_free(&i->arena);
	free(i);
}

void identities_interrupt(struct identities *i)
{
	transport_interrupt(i->own);
	if (i->anonymous)
		transport_interrupt(i->anonymous);
}

static struct identity *add(struct identities *i, const char *account)
{
	struct identity *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	x->all = i;
	x->source.token = find_token;
	x->account = arena_str(&i->arena, str_of(account));
	pthread_mutex_init(&x->lock, NULL);
	arena_init(&x->arena, ARENA_NO_LIMIT);
	x->next = i->first;
	i->first = x;
	return x;
}

int identities_root(struct identities *i, const char *part, double qps, int64_t timeout_ns,
	struct client **to, struct err *e)
{
	struct identity *x = add(i, part);
	struct client_options o = {
		.transport = i->own,
		.config = i->options.config,
		.clock = i->options.clock,
		.user_agent = client_user_agent(
			&i->arena, STR("kube-controller-manager"), x->account),
		.qps = qps,
		.burst = (int)i->options.settings->kube_api_burst,
		.timeout_ns = timeout_ns,
	};

	TRY(client_open(&o, &x->client, e));
	*to = x->client;
	return 0;
}

int identities_controller(
	struct identities *i, const char *account, bool chatty, struct client **to, struct err *e)
{
	const struct settings *settings = i->options.settings;
	struct identity *x = add(i, account);
	struct client_options o = {
		.transport = i->own,
		.config = i->options.config,
		.clock = i->options.clock,
		.user_agent = client_user_agent(
			&i->arena, STR("kube-controller-manager"), x->account),
		.qps = settings->kube_api_qps * (chatty ? CHATTY_RATE : 1),
		.burst = (int)(settings->kube_api_burst * (chatty ? CHATTY_BURST : 1)),
	};

	if (i->anonymous) {
		o.transport = i->anonymous;
		o.config = NULL;
		o.token = &x->source;
		o.user_agent = client_user_agent(&i->arena, STR("kube-controller-manager"),
			arena_fmt(&i->arena, "system:serviceaccount:kube-system:%s", account));
	}
	TRY(client_open(&o, &x->client, e));
	*to = x->client;
	return 0;
}

static struct target account_target(const struct identity *x)
{
	return (struct target){.resource = meta_resource(API_SERVICE_ACCOUNT),
		.ns = STR("kube-system"),
		.name = x->account};
}

static int make_account(struct identity *x, struct arena *a, struct err *e)
{
	struct service_account *s = object_new(a, api_type(API_SERVICE_ACCOUNT));

	s->metadata.namespace = STR("kube-system");
	s->metadata.name = x->account;
	if (client_create(x->all->maker, a, account_target(x), s, NULL, e) < 0 &&
		e->kind != ERR_EXISTS)
		return -1;
	return 0;
}

static int ask_for_token(struct identity *x, struct arena *a, struct err *e)
{
	struct authentication_token_request *r = object_new(
		a, api_type(API_AUTHENTICATION_TOKEN_REQUEST));
	struct target t = account_target(x);
	const struct clock *c = x->all->options.clock;
	void *answer;

	t.sub = STR("token");
	r->spec.expiration_seconds = arena_i64(a, TOKEN_S);
	if (client_create(x->all->maker, a, t, r, &answer, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		TRY(make_account(x, a, e));
		TRY(client_create(x->all->maker, a, t, r, &answer, e));
	}
	const struct authentication_token_request *made = answer;
	int64_t lives_s = made->status.expiration_timestamp.seconds - c->wall_ns(c) / NS_PER_S;

	arena_reset(&x->arena);
	x->token = arena_str(&x->arena, made->status.token);
	x->ends_ns = c->monotonic_ns(c) + (lives_s - TOKEN_EARLY_S) * NS_PER_S;
	return 0;
}

static int find_token(struct client_token *t, struct arena *a, str *to, struct err *e)
{
	struct identity *x = CONTAINER_OF(t, struct identity, source);
	const struct clock *c = x->all->options.clock;
	struct arena own;
	int found = 0;

	pthread_mutex_lock(&x->lock);
	if (x->token.len == 0 || c->monotonic_ns(c) > x->ends_ns) {
		arena_init(&own, ARENA_NO_LIMIT);
		found = ask_for_token(x, &own, e);
		e->detail = NULL;
		arena_free(&own);
	}
	if (found == 0)
		*to = arena_str(a, x->token);
	pthread_mutex_unlock(&x->lock);
	return found;
}
