#include "apiserver/apiserver.h"

#include "apiserver/bootstrap.h"
#include "apiserver/callout/callout.h"
#include "apiserver/file_watch.h"
#include "apiserver/flags.h"
#include "apiserver/serve.h"
#include "apiserver/serving_cert.h"
#include "lib/daemon/daemon.h"
#include "lib/os/file.h"
#include "lib/os/net.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	WORKERS = 64,
	WORK_WAITING_MAX = 2048,
	FILE_MAX_BYTES = 1 << 20,
	THREADS_MAX = 64,
	HISTORY_NS_S = 75,
	HISTORY_BYTES = 32 << 20, /* of a resource */
	STORAGE_WAIT_S = 60,
	RETRY_MS = 50,
};

struct apiserver {
	struct daemon daemon;
	struct apiserver_flags flags;
	struct metrics *metrics;
	struct storage *storage;
	struct authenticator *authenticator;
	struct authorizer *authorizer;
	struct callouts *callouts;
	struct admission *admission;
	struct registry *registry;
	struct extensions *extensions;
	struct aggregator *aggregator;
	struct endpoints_server *endpoints;
	struct io_threads *threads;
	struct pool workers;
	bool has_workers;
	struct tls_context *tls;
	struct file_watch certs;
	int listener;
	struct loop_task stop, stopped;
	struct loop_timer delay;
	atomic_bool stopping;
	struct health health;
	struct health_endpoint checked[3];
};

static int start(struct apiserver *s, struct err *e);
static void end(struct apiserver *s);
static str advertised(struct apiserver *s);
static void on_stop(struct loop_task *t);
static void on_delay(struct loop_timer *t);
static void on_stopped(struct loop_task *t);
static int check_etcd(void *owner, struct err *e);
static int check_authorizer(void *owner, struct err *e);
static int check_shutdown(void *owner, struct err *e);

static const struct health_check live_checks[] = {
	{"ping", NULL}, {"log", NULL}, {"etcd", check_etcd}};
static const struct health_check ready_checks[] = {{"ping", NULL}, {"log", NULL},
	{"etcd", check_etcd}, {"etcd-readiness", check_etcd}, {"informer-sync", check_authorizer},
	{"shutdown", check_shutdown}};

int apiserver_main(int argc, char **argv)
{
	struct apiserver *s = calloc(1, sizeof(*s));
	struct flag_table tables[APISERVER_FLAG_TABLES];
	struct err e;
	int status;

	if (!s)
		return 1;
	s->listener = -1;
	if (daemon_begin(&s->daemon, "kube-apiserver", apiserver_flag_tables(&s->flags, tables),
		    APISERVER_FLAG_TABLES, argc, argv, &status)) {
		free(s);
		return status;
	}
	s->stop.run = on_stop;
	s->stopped.run = on_stopped;
	s->delay.due = on_delay;
	status = 0;
	if (start(s, &e) < 0) {
		status = daemon_fail(&s->daemon, &e);
	} else {
		s->daemon.stop = &s->stop;
		daemon_ready(&s->daemon);
		loop_run(&s->daemon.loop);
	}
	end(s);
	daemon_end(&s->daemon);
	free(s);
	return status;
}

/* --- options */

static int read_file(struct arena *a, str path, str *to, struct err *e)
{
	if (path.len)
		TRY(file_read(a, arena_str(a, path).at, FILE_MAX_BYTES, to, e));
	return 0;
}

static int open_storage(struct apiserver *s, struct err *e)
{
	const struct apiserver_flags *f = &s->flags;
	struct storage_options o = {
		.servers = f->etcd_servers,
		.prefix = f->etcd_prefix,
		.compaction_interval_ns = f->etcd_compaction_interval_ns,
		.history_ns = HISTORY_NS_S * NS_PER_S,
		.history_bytes = HISTORY_BYTES,
		.clock = &clock_system,
	};

	if (f->etcd_servers.len == 0)
		return err_set(e, ERR_INVALID, "--etcd-servers must be specified");
	TRY(read_file(&s->daemon.arena, f->etcd_cafile, &o.ca_pem, e));
	TRY(read_file(&s->daemon.arena, f->etcd_certfile, &o.cert_pem, e));
	TRY(read_file(&s->daemon.arena, f->etcd_keyfile, &o.key_pem, e));
	return storage_open(&o, s->metrics, &s->storage, e);
}

static void retry(UNUSED struct loop_timer *t)
{
}

/* Nothing is served before the cache has been filled once; etcd may come up behind us. */
static int wait_storage(struct apiserver *s, struct err *e)
{
	struct loop *l = &s->daemon.loop;
	struct loop_timer again = {.due = retry};
	int64_t until_ns = clock_system.monotonic_ns(&clock_system) + STORAGE_WAIT_S * NS_PER_S;
	int result;

	while ((result = storage_wait_here(s->storage, 0, e)) < 0) {
		if (clock_system.monotonic_ns(&clock_system) > until_ns)
			break;
		loop_timer_set(
			l, &again, clock_system.monotonic_ns(&clock_system) + RETRY_MS * NS_PER_MS);
		loop_turn(l, true);
	}
	if (again.slot)
		loop_timer_clear(l, &again);
	return result;
}

static int open_authenticator(struct apiserver *s, struct err *e)
{
	const struct apiserver_flags *f = &s->flags;
	struct authenticator_options o = {
		.storage = s->storage,
		.clock = &clock_system,
		.random = &s->daemon.random,
		.requestheader_allowed_names = f->requestheader_allowed_names,
		.requestheader_username_headers = f->requestheader_username_headers,
		.requestheader_group_headers = f->requestheader_group_headers,
		.requestheader_uid_headers = f->requestheader_uid_headers,
		.requestheader_extra_prefixes = f->requestheader_extra_prefixes,
		.anonymous = f->anonymous_auth,
		.bootstrap_tokens = f->bootstrap_tokens,
		.service_account_issuers = f->service_account_issuers,
		.audiences = f->api_audiences,
		.extend_token_expiration = f->extend_token_expiration,
		.token_expiration_max_s = f->token_expiration_max_ns / NS_PER_S,
	};
	struct str_list *keys = &o.service_account_key_pems;

	TRY(read_file(&s->daemon.arena, f->client_ca_file, &o.client_ca_pem, e));
	TRY(read_file(
		&s->daemon.arena, f->requestheader_client_ca_file, &o.requestheader_ca_pem, e));
	TRY(read_file(&s->daemon.arena, f->token_auth_file, &o.token_csv, e));
	TRY(read_file(&s->daemon.arena, f->service_account_signing_key_file,
		&o.service_account_signing_key_pem, e));
	if (f->service_account_issuers.len)
		o.service_account_issuer = f->service_account_issuers.at[0];
	o.service_account_jwks_uri = f->service_account_jwks_uri.len
		? f->service_account_jwks_uri
		: arena_fmt(
			  &s->daemon.arena, "https://%.*s/openid/v1/jwks", STR_ARG(advertised(s)));
	keys->at = arena_get(
		&s->daemon.arena, (f->service_account_key_files.len + 1) * sizeof(str));
	for (size_t i = 0; i < f->service_account_key_files.len; i++)
		TRY(read_file(&s->daemon.arena, f->service_account_key_files.at[i],
			&keys->at[keys->len++], e));
	return authenticator_open(&o, &s->authenticator, e);
}

static int open_authorizer(struct apiserver *s, struct err *e)
{
	static const struct {
		const char *name;
		enum authorization_mode mode;
	} modes[] = {
		{"Node", AUTHZ_NODE},
		{"RBAC", AUTHZ_RBAC},
		{"AlwaysAllow", AUTHZ_ALWAYS_ALLOW},
		{"AlwaysDeny", AUTHZ_ALWAYS_DENY},
	};
	const struct str_list *wanted = &s->flags.authorization_mode;
	struct authorizer_options o = {
		.storage = s->storage,
		.loop = io_threads_loop(s->threads),
		.io = io_threads_storage(s->threads),
	};

	for (size_t i = 0; i < wanted->len && o.mode_count < COUNT_OF(o.modes); i++) {
		size_t k = 0;

		while (k < COUNT_OF(modes) && !str_eq(wanted->at[i], str_of(modes[k].name)))
			k++;
		if (k == COUNT_OF(modes))
			return err_set(e, ERR_INVALID,
				"--authorization-mode: %.*s is not a mode that is built; there are "
				"Node, RBAC, AlwaysAllow, AlwaysDeny",
				STR_ARG(wanted->at[i]));
		o.modes[o.mode_count++] = modes[k].mode;
	}
	if (o.mode_count == 0)
		o.modes[o.mode_count++] = AUTHZ_ALWAYS_ALLOW;
	return authorizer_open(&o, &s->authorizer, e);
}

static int open_registry(struct apiserver *s, struct err *e)
{
	const struct apiserver_flags *f = &s->flags;
	const struct callouts_options c = {
		.storage = s->storage,
		.clock = &clock_system,
		.endpoint_routing = f->enable_aggregator_routing,
	};

	TRY(callouts_open(&c, &s->callouts, e));
	struct admission_options a = {
		.storage = s->storage,
		.callouts = s->callouts,
		.authorizer = s->authorizer,
		.clock = &clock_system,
		.random = &s->daemon.random,
		.enabled = f->enable_admission_plugins,
		.disabled = f->disable_admission_plugins,
	};

	TRY(admission_open(&a, &s->admission, e));
	struct registry_options o = {
		.storage = s->storage,
		.authorizer = s->authorizer,
		.authenticator = s->authenticator,
		.admission = s->admission,
		.clock = &clock_system,
		.random = &s->daemon.random,
		.service_cluster_ip_range = f->service_cluster_ip_range,
		.service_node_port_range = f->service_node_port_range,
		.event_ttl_s = f->event_ttl_ns / NS_PER_S,
	};

	return registry_open(&o, &s->registry, e);
}

static int open_extensions(struct apiserver *s, struct err *e)
{
	struct extensions_options o = {
		.storage = s->storage, .registry = s->registry, .clock = &clock_system};

	return extensions_open(&o, &s->extensions, e);
}

static int open_aggregator(struct apiserver *s, struct err *e)
{
	struct aggregator_options o = {.storage = s->storage,
		.registry = s->registry,
		.extensions = s->extensions,
		.callouts = s->callouts,
		.clock = &clock_system,
		.endpoint_routing = s->flags.enable_aggregator_routing};

	TRY(read_file(&s->daemon.arena, s->flags.proxy_client_cert_file, &o.cert_pem, e));
	TRY(read_file(&s->daemon.arena, s->flags.proxy_client_key_file, &o.key_pem, e));
	return aggregator_open(&o, &s->aggregator, e);
}

static void make_health(struct apiserver *s)
{
	s->checked[0] = (struct health_endpoint){"/livez", live_checks, COUNT_OF(live_checks)};
	s->checked[1] = (struct health_endpoint){"/readyz", ready_checks, COUNT_OF(ready_checks)};
	s->checked[2] = (struct health_endpoint){"/healthz", live_checks, COUNT_OF(live_checks)};
	s->health = (struct health){s->checked, COUNT_OF(s->checked), s};
}

/* --- the network */

static int make_tls(struct apiserver *s, struct arena *a, struct tls_context **to, struct err *e)
{
	const struct apiserver_flags *f = &s->flags;
	str cert = {NULL, 0}, key = {NULL, 0}, clients = STR(""), proxies = STR("");

	if (f->tls_cert_file.len || f->tls_private_key_file.len) {
		TRY(read_file(a, f->tls_cert_file, &cert, e));
		TRY(read_file(a, f->tls_private_key_file, &key, e));
	} else {
		TRY(serving_cert(a, f, &clock_system, &cert, &key, e));
	}
	TRY(read_file(a, f->client_ca_file, &clients, e));
	TRY(read_file(a, f->requestheader_client_ca_file, &proxies, e));
	str cas = arena_fmt(a, "%.*s\n%.*s", STR_ARG(clients), STR_ARG(proxies));

	if (clients.len + proxies.len == 0)
		cas = (str){NULL, 0};
	return daemon_tls(a, cert, key, cas, f->bind_address, &clock_system, to, e);
}

static int open_tls(struct apiserver *s, struct err *e)
{
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	int done = make_tls(s, &a, &s->tls, e);

	arena_free(&a);
	return done;
}

/* A certificate and its key are two files: until the second is there, they do not fit. */
static void on_certs(struct file_watch *w)
{
	struct apiserver *s = CONTAINER_OF(w, struct apiserver, certs);
	struct tls_context *before = s->tls;
	struct err e;

	if (open_tls(s, &e) < 0) {
		log_warning("the certificate stays as it was: %s", e.text);
		return;
	}
	io_threads_set_tls(s->threads, s->tls);
	tls_context_drop(before);
	log_info("connections to come get the certificate that is now in %.*s",
		STR_ARG(s->flags.tls_cert_file));
}

/* One that we made ourselves is nobody else's to replace. */
static int follow_certs(struct apiserver *s, struct err *e)
{
	if (!s->flags.tls_cert_file.len)
		return 0;
	s->certs.changed = on_certs;
	return file_watch_start(&s->certs, &s->daemon.loop,
		arena_str(&s->daemon.arena, s->flags.tls_cert_file).at, e);
}

static int listen_secure(struct apiserver *s, struct err *e)
{
	struct net_address at;

	TRY(net_address_parse(s->flags.bind_address, (uint16_t)s->flags.secure_port, &at, e));
	return net_listen(&at, &s->listener, e);
}

static size_t thread_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
}

static str advertised(struct apiserver *s)
{
	const struct apiserver_flags *f = &s->flags;
	str address = f->advertise_address.len ? f->advertise_address : f->bind_address;

	return arena_fmt(
		&s->daemon.arena, "%.*s:%lld", STR_ARG(address), (long long)f->secure_port);
}

static int open_endpoints(struct apiserver *s, struct err *e)
{
	struct endpoints_options o = {
		.storage = s->storage,
		.authenticator = s->authenticator,
		.metrics = s->metrics,
		.workers = &s->workers,
		.clock = &clock_system,
		.random = &s->daemon.random,
		.health = &s->health,
		.max_requests = (int)s->flags.max_requests,
		.max_mutating = (int)s->flags.max_mutating,
		.request_timeout_ns = s->flags.request_timeout_ns,
		.min_request_timeout_ns = s->flags.min_request_timeout_s * NS_PER_S,
		.advertise_address = advertised(s),
	};

	return endpoints_open(&o, &s->endpoints, e);
}

static int read_trust(struct apiserver *s, struct trust *to, struct err *e)
{
	const struct apiserver_flags *f = &s->flags;

	to->allowed_names = f->requestheader_allowed_names;
	to->username_headers = f->requestheader_username_headers;
	to->uid_headers = f->requestheader_uid_headers;
	to->group_headers = f->requestheader_group_headers;
	to->extra_prefixes = f->requestheader_extra_prefixes;
	TRY(read_file(&s->daemon.arena, f->client_ca_file, &to->client_ca_pem, e));
	return read_file(&s->daemon.arena, f->requestheader_client_ca_file, &to->proxy_ca_pem, e);
}

static int start(struct apiserver *s, struct err *e)
{
	struct bootstrap_options b = {
		.clock = &clock_system,
		.random = &s->daemon.random,
		.advertise_address = s->flags.advertise_address,
		.secure_port = (int32_t)s->flags.secure_port,
		.service_cluster_ip_range = s->flags.service_cluster_ip_range,
	};

	make_health(s);
	s->metrics = metrics_new(endpoints_metrics, endpoints_metric_count);
	TRY(open_tls(s, e));
	TRY(listen_secure(s, e));
	TRY(open_storage(s, e));
	TRY(pool_init(&s->workers, WORKERS, WORK_WAITING_MAX, e));
	s->has_workers = true;
	TRY(wait_storage(s, e));
	TRY(open_authenticator(s, e));
	TRY(open_endpoints(s, e));
	TRY(io_threads_make(s->endpoints, thread_count(), &s->threads, e));
	TRY(open_authorizer(s, e));
	TRY(open_registry(s, e));
	TRY(open_extensions(s, e));
	TRY(open_aggregator(s, e));
	endpoints_set(s->endpoints, s->registry, s->authorizer, s->extensions, s->aggregator);
	b.storage = s->storage;
	b.registry = s->registry;
	for (size_t i = 0; i < s->flags.authorization_mode.len; i++)
		b.rbac |= str_eq(s->flags.authorization_mode.at[i], STR("RBAC"));
	TRY(read_trust(s, &b.trust, e));
	TRY(bootstrap(&b, e));
	TRY(io_threads_start(s->threads, s->listener, s->tls, e));
	return follow_certs(s, e);
}

static void end(struct apiserver *s)
{
	file_watch_end(&s->certs);
	if (s->has_workers)
		pool_free(&s->workers);
	if (s->threads)
		io_threads_free(s->threads);
	if (s->aggregator)
		aggregator_close(s->aggregator);
	if (s->extensions)
		extensions_close(s->extensions);
	if (s->registry)
		registry_close(s->registry);
	if (s->admission)
		admission_close(s->admission);
	if (s->callouts)
		callouts_close(s->callouts);
	if (s->authorizer)
		authorizer_close(s->authorizer);
	if (s->endpoints)
		endpoints_close(s->endpoints);
	if (s->authenticator)
		authenticator_close(s->authenticator);
	if (s->storage)
		storage_close(s->storage);
	if (s->listener >= 0)
		close(s->listener);
	if (s->tls)
		tls_context_drop(s->tls);
	if (s->metrics)
		metrics_free(s->metrics);
}

/* --- its end: not ready any more, then no new connections, then nothing under way */

static void on_stop(struct loop_task *t)
{
	struct apiserver *s = CONTAINER_OF(t, struct apiserver, stop);

	atomic_store(&s->stopping, true);
	loop_timer_set(
		&s->daemon.loop, &s->delay, s->daemon.loop.now_ns + s->flags.shutdown_delay_ns);
}

static void on_delay(struct loop_timer *t)
{
	struct apiserver *s = CONTAINER_OF(t, struct apiserver, delay);

	io_threads_drain(s->threads, &s->daemon.loop, &s->stopped);
}

static void on_stopped(struct loop_task *t)
{
	struct apiserver *s = CONTAINER_OF(t, struct apiserver, stopped);

	loop_stop(&s->daemon.loop);
}

/* --- health */

static int check_etcd(void *owner, struct err *e)
{
	struct apiserver *s = owner;

	return storage_ready(s->storage, e);
}

static int check_authorizer(void *owner, struct err *e)
{
	struct apiserver *s = owner;

	if (authorizer_ready(s->authorizer))
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "the rules of authorization are not read yet");
}

static int check_shutdown(void *owner, struct err *e)
{
	struct apiserver *s = owner;

	if (!atomic_load(&s->stopping))
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "process is shutting down");
}
