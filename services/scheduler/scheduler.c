#include "scheduler/scheduler.h"

#include "lib/os/file.h"

#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { CALLERS = 16, CALLS_MAX = 20000, FILE_BYTES_MAX = 1 << 20, ID_LETTERS = 20 };

static const struct health_check checks[] = {{"ping", NULL}};
static const struct health_endpoint endpoints[] = {
	{"/healthz", checks, COUNT_OF(checks)},
	{"/livez", checks, COUNT_OF(checks)},
	{"/readyz", checks, COUNT_OF(checks)},
};

static void stop(struct loop_task *t);
static int begin(struct scheduler *s, struct err *e);
static void end(struct scheduler *s);
static int serve(struct scheduler *s, struct err *e);
static bool refuse_metrics(void *owner, struct http_exchange *x);
static int open_client(struct scheduler *s, const char *part, struct client **to, struct err *e);
static void *lead(void *scheduler);
static int elect(struct scheduler *s, struct err *e);
static int work(struct scheduler *s, struct err *e);
static int make_lock(struct scheduler *s, struct err *e);

int scheduler_main(int argc, char **argv)
{
	struct scheduler s = {.next_start = 0};
	const struct flag_table tables[] = {
		{settings_flags, settings_flag_count, &s.settings},
		{component_flags, component_flag_count, NULL},
	};
	struct err e;
	int status;

	if (daemon_begin(&s.d, "kube-scheduler", tables, COUNT_OF(tables), argc, argv, &status))
		return status;
	if (begin(&s, &e) < 0)
		return daemon_fail(&s.d, &e);
	daemon_ready(&s.d);
	loop_run(&s.d.loop);
	end(&s);
	return daemon_end(&s.d);
}

static void stop(struct loop_task *t)
{
	struct scheduler *s = CONTAINER_OF(t, struct scheduler, stop);

	transport_interrupt(s->transport);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
	loop_stop(&s->d.loop);
}

static int begin(struct scheduler *s, struct err *e)
{
	struct transport_options t = {.config = &s->config, .clock = &clock_system};
	struct events_options v = {.clock = &clock_system, .kind = EVENTS_SERIES};
	struct informers_options i = {.client = NULL};
	struct utsname host;

	if (!s->settings.kubeconfig.len)
		return err_set(e, ERR_INVALID,
			"--kubeconfig is needed; it says how to reach the API server");
	TRY(kubeconfig_read(&s->d.arena, arena_str(&s->d.arena, s->settings.kubeconfig).at,
		s->settings.master, &s->config, e));
	cache_init(&s->cache);
	queue_init(&s->queue);
	s->queue.parked_most_ns = s->settings.parked_most_ns;
	TRY(make_lock(s, e));
	TRY(serve(s, e));
	TRY(transport_open(&t, &s->transport, e));
	TRY(open_client(s, "scheduler", &s->client, e));
	TRY(open_client(s, "leader-election", &s->leases, e));
	uname(&host);
	v.client = s->client;
	v.host = arena_fmt(&s->d.arena, SCHEDULER_NAME "-%s", host.nodename);
	TRY(events_open(&v, &s->events, e));
	i.client = s->client;
	s->informers = informers_new(&i);
	s->pods = informers_of(s->informers, API_POD);
	s->nodes = informers_of(s->informers, API_NODE);
	s->namespaces = informers_of(s->informers, API_NAMESPACE);
	s->budgets = informers_of(s->informers, API_POD_DISRUPTION_BUDGET);
	handlers_set(s);
	s->stop.run = stop;
	s->d.stop = &s->stop;
	int error = pthread_create(&s->leader, NULL, lead, s);
	return error ? err_set_errno(e, error, "starting a thread") : 0;
}

static void end(struct scheduler *s)
{
	struct err e;

	pthread_join(s->leader, NULL);
	if (s->deciding)
		pthread_join(s->decider, NULL);
	if (s->calling)
		pool_free(&s->callers);
	events_close(s->events);
	if (s->settings.leader_elect && s->election.lease && election_release(&s->election, &e) < 0)
		log_warning("the lease could not be given up: %s", e.text);
	informers_free(s->informers);
	transport_close(s->transport);
	client_close(s->client);
	client_close(s->leases);
	election_free(&s->election);
	if (s->server)
		daemon_server_free(s->server);
	queue_free(&s->queue);
	cache_free(&s->cache);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
}

/* Waits by the clock that does not jump. */
static int make_lock(struct scheduler *s, struct err *e)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	int error = pthread_cond_init(&s->more, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!error)
		error = pthread_mutex_init(&s->lock, NULL);
	return error ? err_set_errno(e, error, "making a lock") : 0;
}

static int read_optional(struct scheduler *s, str path, str *to, struct err *e)
{
	if (!path.len)
		return 0;
	return file_read(&s->d.arena, arena_str(&s->d.arena, path).at, FILE_BYTES_MAX, to, e);
}

static int serve(struct scheduler *s, struct err *e)
{
	static const struct health health = {endpoints, COUNT_OF(endpoints), NULL};
	struct daemon_server_options o = {
		.bind_address = s->settings.bind_address,
		.port = (uint16_t)s->settings.secure_port,
		.health = &health,
		.allowed = refuse_metrics,
		.owner = s,
	};

	if (!s->settings.secure_port)
		return 0;
	TRY(read_optional(s, s->settings.tls_cert_file, &o.cert_pem, e));
	TRY(read_optional(s, s->settings.tls_key_file, &o.key_pem, e));
	TRY(read_optional(s, s->settings.client_ca_file, &o.client_ca_pem, e));
	s->metrics = metrics_new(NULL, 0);
	o.metrics = s->metrics;
	return daemon_serve(&s->d, &o, &s->server, e);
}

/* Nothing is counted yet, and asking the API server who may read is not built. */
static bool refuse_metrics(void *owner, struct http_exchange *x)
{
	(void)owner;
	http_respond(x, 403, NULL, STR("metrics of kube-scheduler are not built yet\n"));
	return false;
}

static int open_client(struct scheduler *s, const char *part, struct client **to, struct err *e)
{
	struct client_options o = {
		.transport = s->transport,
		.config = &s->config,
		.clock = &clock_system,
		.user_agent = client_user_agent(&s->d.arena, STR("kube-scheduler"), str_of(part)),
	};

	return client_open(&o, to, e);
}

/* --- the leader's thread */

static void *lead(void *scheduler)
{
	struct scheduler *s = scheduler;
	struct err e;

	if ((s->settings.leader_elect && elect(s, &e) < 0) || work(s, &e) < 0 ||
		(s->settings.leader_elect && election_hold(&s->election, &e) < 0)) {
		if (e.kind == ERR_CLOSED)
			return NULL;
		log_error("%s", e.text);
		/* Another may be the leader by now: nothing of ours may go on. */
		_exit(1);
	}
	return NULL;
}

static int elect(struct scheduler *s, struct err *e)
{
	struct election_options o = {
		.client = s->leases,
		.clock = &clock_system,
		.random = &s->d.random,
		.ns = s->settings.leader_elect_namespace,
		.name = s->settings.leader_elect_name,
		.lease_ns = s->settings.leader_elect_lease_ns,
		.renew_ns = s->settings.leader_elect_renew_ns,
		.retry_ns = s->settings.leader_elect_retry_ns,
	};
	struct utsname host;

	uname(&host);
	o.identity = arena_fmt(&s->d.arena, "%s_%.*s", host.nodename,
		STR_ARG(meta_random_suffix(&s->d.arena, &s->d.random, ID_LETTERS)));
	election_init(&s->election, &o);
	return election_acquire(&s->election, e);
}

static int work(struct scheduler *s, struct err *e)
{
	TRY(pool_init(&s->callers, CALLERS, CALLS_MAX, e));
	s->calling = true;
	informers_start(s->informers);
	TRY(informers_wait(s->informers, e));
	int error = pthread_create(&s->decider, NULL, decide, s);
	if (error)
		return err_set_errno(e, error, "starting a thread");
	s->deciding = true;
	log_info("the caches are filled, pods are being scheduled");
	return 0;
}
