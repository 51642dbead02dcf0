#include "controller-manager/controller_manager.h"

#include "controller-manager/controllers.h"
#include "controller-manager/identities.h"
#include "controller-manager/metrics_access.h"
#include "controller-manager/monitors.h"
#include "lib/client/election.h"
#include "lib/daemon/daemon.h"
#include "lib/os/file.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/utsname.h>

enum { CREW_THREADS = 24, FILE_BYTES_MAX = 1 << 20, ID_LETTERS = 20 };

struct program {
	struct daemon d;
	struct manager manager;
	struct loop_task stop;
	struct kubeconfig config;
	struct identities *identities;
	struct informers *informers;
	struct events *events;
	struct crew *crew;
	struct election election;
	struct metrics *metrics;
	struct metrics_access access;
	struct daemon_server *server;
	struct controller_run **runs;
	size_t run_count;
	pthread_t leader;
};

static void *lead(void *program);
static int work(struct program *p, struct err *e);

static const struct health_check checks[] = {{"ping", NULL}};
static const struct health_endpoint endpoints[] = {
	{"/healthz", checks, COUNT_OF(checks)},
	{"/livez", checks, COUNT_OF(checks)},
	{"/readyz", checks, COUNT_OF(checks)},
};

static void stop(struct loop_task *t)
{
	struct program *p = CONTAINER_OF(t, struct program, stop);

	identities_interrupt(p->identities);
	loop_stop(&p->d.loop);
}

static int read_config(struct program *p, struct err *e)
{
	const struct settings *s = &p->manager.settings;

	if (s->kubeconfig.len > 0)
		return kubeconfig_read(&p->d.arena, arena_str(&p->d.arena, s->kubeconfig).at,
			s->master, &p->config, e);
	if (s->master.len > 0) {
		p->config = (struct kubeconfig){.server = s->master};
		return 0;
	}
	const char *host = getenv("KUBERNETES_SERVICE_HOST"),
		   *port = getenv("KUBERNETES_SERVICE_PORT");

	return kubeconfig_in_cluster(&p->d.arena, str_of(host), str_of(port),
		"/var/run/secrets/kubernetes.io/serviceaccount", &p->config, e);
}

static int read_optional(struct program *p, str path, str *to, struct err *e)
{
	*to = (str){NULL, 0};
	if (path.len == 0)
		return 0;
	return file_read(&p->d.arena, arena_str(&p->d.arena, path).at, FILE_BYTES_MAX, to, e);
}

static int serve(struct program *p, struct err *e)
{
	static const struct health health = {endpoints, COUNT_OF(endpoints), NULL};
	const struct settings *s = &p->manager.settings;
	struct daemon_server_options o = {.bind_address = s->bind_address,
		.port = (uint16_t)s->secure_port,
		.health = &health,
		.allowed = metrics_allowed,
		.owner = &p->access};

	if (s->secure_port == 0)
		return 0;
	TRY(read_optional(p, s->tls_cert_file, &o.cert_pem, e));
	TRY(read_optional(p, s->tls_key_file, &o.key_pem, e));
	TRY(read_optional(p, s->client_ca_file, &o.client_ca_pem, e));
	TRY(metrics_access_open(&p->access, o.client_ca_pem, p->d.loop.clock, e));
	p->metrics = metrics_new(NULL, 0);
	o.metrics = p->metrics;
	return daemon_serve(&p->d, &o, &p->server, e);
}

static int begin(struct program *p, struct err *e)
{
	const struct identities_options io = {
		.settings = &p->manager.settings, .config = &p->config, .clock = &clock_system};
	struct events_options eo = {.clock = &clock_system, .kind = EVENTS_CORE, .host = STR("")};
	struct informers_options fo = {
		.indexes = controller_indexes, .index_count = controller_index_count};

	TRY(controllers_check(&p->manager.settings, e));
	TRY(read_config(p, e));
	TRY(serve(p, e));
	TRY(identities_open(&io, &p->identities, e));
	TRY(identities_root(p->identities, "shared-informers", 0, 0, &fo.client, e));
	TRY(identities_root(p->identities, "events", 0, 0, &eo.client, e));
	p->informers = informers_new(&fo);
	p->manager.monitors = monitors_new(p->informers);
	TRY(events_open(&eo, &p->events, e));
	TRY(crew_new(&clock_system, &p->crew, e));
	p->stop.run = stop;
	p->d.stop = &p->stop;
	int error = pthread_create(&p->leader, NULL, lead, p);

	return error ? err_set_errno(e, error, "starting a thread") : 0;
}

static void end(struct program *p)
{
	struct err e;

	pthread_join(p->leader, NULL);
	crew_stop(p->crew);
	events_close(p->events);
	if (p->manager.settings.leader_elect && election_release(&p->election, &e) < 0)
		log_warning("the lease could not be given up: %s", e.text);
	informers_free(p->informers);
	monitors_free(p->manager.monitors);
	identities_close(p->identities);
	election_free(&p->election);
	crew_free(p->crew);
	if (p->server)
		daemon_server_free(p->server);
	metrics_access_close(&p->access);
}

int controller_manager_main(int argc, char **argv)
{
	struct program p = {0};
	const struct flag_table tables[] = {
		{settings_flags, settings_flag_count, &p.manager.settings},
		{component_flags, component_flag_count, NULL},
	};
	struct err e;
	int status;

	if (daemon_begin(
		    &p.d, "kube-controller-manager", tables, COUNT_OF(tables), argc, argv, &status))
		return status;
	if (begin(&p, &e) < 0)
		return daemon_fail(&p.d, &e);
	daemon_ready(&p.d);
	loop_run(&p.d.loop);
	end(&p);
	return daemon_end(&p.d);
}

/* --- the leader's thread */

static int elect(struct program *p, struct err *e)
{
	const struct settings *s = &p->manager.settings;
	struct election_options o = {.clock = &clock_system,
		.random = &p->d.random,
		.ns = s->leader_elect_namespace,
		.name = s->leader_elect_name,
		.lease_ns = s->leader_elect_lease_ns,
		.renew_ns = s->leader_elect_renew_ns,
		.retry_ns = s->leader_elect_retry_ns};
	struct utsname host;

	uname(&host);
	o.identity = arena_fmt(&p->d.arena, "%s_%.*s", host.nodename,
		STR_ARG(meta_random_suffix(&p->d.arena, &p->d.random, ID_LETTERS)));
	TRY(identities_root(
		p->identities, "leader-election", 0, s->leader_elect_renew_ns / 2, &o.client, e));
	election_init(&p->election, &o);
	return election_acquire(&p->election, e);
}

static void *lead(void *program)
{
	struct program *p = program;
	struct err e;

	if ((p->manager.settings.leader_elect && elect(p, &e) < 0) || work(p, &e) < 0 ||
		(p->manager.settings.leader_elect && election_hold(&p->election, &e) < 0)) {
		if (e.kind == ERR_CLOSED)
			return NULL;
		log_error("%s", e.text);
		/* Another may be the leader by now: nothing of ours may go on. */
		_exit(1);
	}
	return NULL;
}

static int open_controller(struct program *p, const struct controller_row *row, struct err *e)
{
	struct controller_env env = {
		.informers = p->informers,
		.crew = p->crew,
		.events = p->events,
		.clock = &clock_system,
		.random = &p->d.random,
		.settings = &p->manager,
	};

	if (row->workers)
		env.workers = (int)*(
			const int64_t *)((const char *)&p->manager.settings + row->workers);
	if (row->root)
		TRY(identities_root(p->identities, row->controller->account,
			p->manager.settings.kube_api_qps, 0, &env.client, e));
	else
		TRY(identities_controller(
			p->identities, row->controller->account, row->chatty, &env.client, e));
	TRY(controller_open(row->controller, &env, &p->runs[p->run_count], e));
	p->run_count++;
	return 0;
}

static int work(struct program *p, struct err *e)
{
	p->runs = arena_get(&p->d.arena, controller_row_count * sizeof(*p->runs));
	for (size_t i = 0; i < controller_row_count; i++) {
		const struct controller_row *row = &controller_rows[i];

		if (!controllers_asked_for(&p->manager.settings, row) ||
			(row->wanted && !row->wanted(&p->manager.settings)))
			continue;
		if (open_controller(p, row, e) < 0)
			return err_context(e, "starting %s", row->controller->name);
		log_info("Started controller %s", row->controller->name);
	}
	informers_start(p->informers);
	TRY(informers_wait(p->informers, e));
	for (size_t i = 0; i < p->run_count; i++) {
		struct controller_run *r = p->runs[i];

		if (r->table->start && r->table->start(r, e) < 0)
			return err_context(e, "starting %s", r->table->name);
	}
	log_info("the caches are filled, %zu controllers are working", p->run_count);
	return crew_start(p->crew, CREW_THREADS, e);
}
