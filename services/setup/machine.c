#include "lib/base/log.h"
#include "lib/os/file.h"
#include "lib/os/interface.h"
#include "lib/os/net.h"
#include "lib/os/process.h"
#include "lib/os/signal.h"
#include "lib/supervise/service.h"
#include "lib/value/time.h"
#include "setup/cluster.h"
#include "setup/handout.h"
#include "setup/identity.h"
#include "setup/machine_clock.h"
#include "setup/network.h"
#include "setup/pki.h"
#include "setup/power.h"
#include "setup/report.h"
#include "setup/setup.h"
#include "setup/sources.h"
#include "setup/state.h"

#include <errno.h>

#define SETTINGS_FILE   "/run/coracle/settings"
#define KUBERNETES      "/etc/kubernetes"
#define API_SERVER      "https://127.0.0.1:6443"
#define API_PORT        6443
#define ADDRESSES_MAX   64
#define NOTIFICATION_FD 3

enum {
	OFTEN_S = 600,
	SETTINGS_BYTES_MAX = 64 << 10,
	TOKEN_S = 86400,
	TOKEN_ID_CHARS = 6,
	TOKEN_CHARS = 23,
};

struct machine {
	struct loop loop;
	struct arena arena; /* of the process */
	struct random random;
	struct setting_sources sources;
	struct settings settings;
	struct report report;
	struct network network;
	struct state state;
	struct identity identity;
	struct loop_watch signals, clock_set;
	struct loop_timer often;
	struct power power;
	struct handout handout;
	struct cluster cluster;
	char server[96]; /* as others reach the API */
	bool running;    /* the services of its roles were started */
};

static int start(struct machine *m, struct err *e);
static bool is_master(const struct machine *m);
static int read_settings(struct machine *m);
static int open_state(struct machine *m, struct err *e);
static int keep_settings(struct machine *m, struct err *e);
static int keep_token(struct machine *m, struct err *e);
static int write_settings(struct machine *m, struct err *e);
static int renew(struct machine *m, struct err *e);
static int start_services(str role, struct err *e);
static int set_time_service(struct machine *m, struct err *e);
static void restart_users(unsigned changed);
static void tell(struct machine *m);
static void on_signal(struct loop_watch *w, uint32_t events);
static void on_clock_set(struct loop_watch *w, uint32_t events);
static void on_network(struct network *n);
static void on_handout(struct handout *h);
static void on_cluster(struct cluster *c);
static void on_often(struct loop_timer *t);
static str first_address(struct arena *a, str network);

int setup_run(struct arena *a, int argc, char **argv, struct err *e)
{
	static const int caught[] = {SIGTERM, SIGINT, 0};
	struct machine *m = arena_get(a, sizeof(*m));
	struct err why;

	(void)argc, (void)argv;
	arena_init(&m->arena, ARENA_NO_LIMIT);
	random_system(&m->random);
	report_init(&m->report);
	m->signals.ready = on_signal;
	TRY(loop_init(&m->loop, &clock_system, e));
	TRY(signal_open(caught, &m->signals.fd, e));
	TRY(loop_watch(&m->loop, &m->signals, EPOLLIN, e));
	report_write(&m->report);
	if (power_start(&m->power, &m->loop, &why) < 0)
		log_error("setup: %s", why.text);
	if (start(m, &why) < 0) {
		m->report.phase = "wrong";
		if (why.text[0])
			report_problem(&m->report, "%s", why.text);
	}
	tell(m);
	loop_run(&m->loop);
	return m->running ? machine_clock_save(e) : 0;
}

/* An empty error when the problems are in the report already. */
static int start(struct machine *m, struct err *e)
{
	*e = (struct err){0};
	if (machine_clock_set(false, e) < 0)
		return -1;
	TRY(read_settings(m));
	m->network.changed = on_network;
	TRY(network_start(&m->network, &m->loop, &m->settings, e));
	TRY(open_state(m, e));
	TRY(identity_read(&m->arena, &m->settings, &m->random, &m->identity, e));
	TRY(identity_apply(&m->identity, e));
	TRY(renew(m, e));
	TRY(write_settings(m, e));
	m->clock_set.ready = on_clock_set;
	TRY(machine_clock_watch(&m->clock_set.fd, e));
	TRY(loop_watch(&m->loop, &m->clock_set, EPOLLIN, e));
	m->often.due = on_often;
	loop_timer_set(
		&m->loop, &m->often, clock_system.monotonic_ns(&clock_system) + OFTEN_S * NS_PER_S);
	if (write(NOTIFICATION_FD, "\n", 1) < 0)
		log_warning("setup: nobody is told that it is ready: %s", strerror(errno));
	close(NOTIFICATION_FD);
	if (is_master(m)) {
		m->handout.changed = on_handout;
		m->cluster.made = on_cluster;
		TRY(keep_token(m, e));
	}
	for (str rest = m->settings.at[SETTING_ROLE]; rest.at;)
		TRY(start_services(str_trim(str_cut(&rest, ',')), e));
	m->running = true;
	m->report.phase = "running";
	TRY(set_time_service(m, e));
	return is_master(m) ? cluster_follow(&m->cluster, &m->loop, e) : 0;
}

static bool is_master(const struct machine *m)
{
	return settings_has_role(&m->settings, STR("master"));
}

static int read_settings(struct machine *m)
{
	sources_read(&m->arena, &m->sources, &m->report.problems);
	settings_resolve(&m->sources, &m->settings, &m->report.problems);
	return m->report.problems.len ? -1 : 0;
}

static int open_state(struct machine *m, struct err *e)
{
	bool kept;

	TRY(state_open(&m->arena, m->settings.at[SETTING_STATE], &m->state, e));
	TRY(machine_clock_set(true, e));
	TRY(sources_read_kept(&m->arena, &m->sources, &kept, e));
	settings_resolve(&m->sources, &m->settings, &m->report.problems);
	if (m->report.problems.len)
		return -1;
	return kept ? 0 : keep_settings(m, e);
}

static int keep_settings(struct machine *m, struct err *e)
{
	struct buf b;

	buf_init(&b, SETTINGS_BYTES_MAX);
	settings_put_kept(&m->settings, &b);
	int done = state_write("settings", 0600, buf_str(&b), e);

	buf_free(&b);
	return done;
}

/* What nodes join with: the setting's, which does not end, or one of our own for a day. */
static int keep_token(struct machine *m, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	struct time_value expires = time_from_seconds(
		clock_system.wall_ns(&clock_system) / NS_PER_S + TOKEN_S);
	str kept, token = m->settings.at[SETTING_TOKEN];
	char made[TOKEN_CHARS];
	struct buf b;

	TRY(state_read(&m->arena, "token", &kept, e));
	if (kept.at && !token.at)
		return 0;
	for (size_t i = 0; i < sizeof(made); i++)
		made[i] = letters[random_below(&m->random, sizeof(letters) - 1)];
	made[TOKEN_ID_CHARS] = '.';
	buf_init(&b, SETTINGS_BYTES_MAX);
	if (token.at) {
		buf_add_fmt(&b, "token=%.*s\n", STR_ARG(token));
	} else {
		buf_add_fmt(&b, "token=%.*s\nexpires=", TOKEN_CHARS, made);
		time_put(&b, &expires);
		buf_add_char(&b, '\n');
	}
	int done = state_write("token", 0600, buf_str(&b), e);

	buf_free(&b);
	return done;
}

/* What run files name: every setting that is no secret, and what follows from them. */
static int write_settings(struct machine *m, struct err *e)
{
	struct buf b;

	buf_init(&b, SETTINGS_BYTES_MAX);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (m->settings.at[i].at && !setting_is_secret((enum setting)i) &&
			i != SETTING_NODE_NAME)
			buf_add_fmt(&b, "%s=%.*s\n", setting_name((enum setting)i),
				STR_ARG(m->settings.at[i]));
	buf_add_fmt(&b, "node-name=%.*s\nmachine-id=%.*s\n", STR_ARG(m->identity.node_name),
		STR_ARG(m->identity.machine_id));
	int done = file_write(SETTINGS_FILE, 0644, buf_str(&b), e);

	buf_free(&b);
	return done;
}

/* Certificates that are missing, end soon or lack an address. */
static int renew(struct machine *m, struct err *e)
{
	const struct settings *s = &m->settings;
	struct arena a;
	unsigned changed = 0;

	if (!is_master(m))
		return 0;
	arena_init(&a, ARENA_NO_LIMIT);
	struct str_list given = settings_list(&a, s->at[SETTING_ADDRESSES]), own = {0};
	struct str_list all = {arena_get(&a, (given.len + ADDRESSES_MAX + 2) * sizeof(str)), 0};
	int done = interface_addresses(&a, &own.at, &own.len, e);

	all.at[all.len++] = first_address(&a, s->at[SETTING_SERVICE_CIDR]);
	all.at[all.len++] = s->at[SETTING_ADVERTISE_ADDRESS];
	for (size_t i = 0; i < given.len; i++)
		all.at[all.len++] = given.at[i];
	for (size_t i = 0; i < own.len && i < ADDRESSES_MAX; i++)
		all.at[all.len++] = own.at[i];
	struct pki_options o = {
		.folder = STR(KUBERNETES),
		.server = STR(API_SERVER),
		.node_name = m->identity.node_name,
		.names = settings_list(&a, s->at[SETTING_NAMES]),
		.addresses = all,
	};
	str reached = s->from[SETTING_ADVERTISE_ADDRESS] == SOURCE_PRESET && own.len
		? own.at[0]
		: s->at[SETTING_ADVERTISE_ADDRESS];

	snprintf(m->server, sizeof(m->server), "https://%.*s:%d", STR_ARG(reached), API_PORT);
	m->cluster.server = m->server;
	if (done == 0)
		done = pki_make(&o, &clock_system, &changed, e);
	arena_free(&a);
	if (m->running)
		restart_users(changed);
	if (done == 0 && m->handout.server && (changed & PKI_API_SERVING))
		done = handout_renew(&m->handout, e);
	return done;
}

/* Of new certificates: etcd and the API server take theirs by themselves. */
static void restart_users(unsigned changed)
{
	static const struct {
		enum pki_user user;
		str service;
	} users[] = {
		{PKI_API_CLIENTS, STR_INIT("kube-apiserver")},
		{PKI_CONTROLLER_MANAGER, STR_INIT("kube-controller-manager")},
		{PKI_SCHEDULER, STR_INIT("kube-scheduler")},
	};
	struct err e;

	for (size_t i = 0; i < COUNT_OF(users); i++)
		if ((changed & users[i].user) && service_command(users[i].service, "r", &e) < 0)
			log_error("setup: %s", e.text);
}

static int start_services(str role, struct err *e)
{
	struct str_list all;
	struct arena a;
	int done;

	arena_init(&a, ARENA_NO_LIMIT);
	done = service_list(&a, &all, e);
	for (size_t i = 0; i < all.len && done == 0; i++) {
		struct run_file run;
		struct err unused; /* one that is not ours has no role */

		if (service_run_file(&a, all.at[i], &run, &unused) < 0)
			continue;
		for (size_t k = 0; k < run.roles.len && done == 0; k++)
			if (str_eq(run.roles.at[k], role))
				done = service_command(all.at[i], "u", e);
	}
	arena_free(&a);
	return done;
}

/* It runs as long as there is somebody to ask, and asks those that are known now. */
static int set_time_service(struct machine *m, struct err *e)
{
	if (!m->network.new_time_servers)
		return 0;
	m->network.new_time_servers = false;
	return service_command(STR("ntpd"), m->network.has_time_servers ? "ru" : "d", e);
}

static void tell(struct machine *m)
{
	struct report *r = &m->report;

	buf_reset(&r->notices);
	buf_reset(&r->settings);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (m->settings.from[i] != SOURCE_PRESET)
			report_setting(r, "%s=%.*s (%s)", setting_name((enum setting)i),
				STR_ARG(setting_is_secret((enum setting)i) ? STR("...")
									   : m->settings.at[i]),
				setting_source_name(m->settings.from[i]));
	if (m->running) {
		r->state = m->state.device.len ? m->state.device : STR("RAM");
		network_put_notices(&m->network, &r->notices);
		if (!m->state.device.len)
			report_notice(r,
				"the state is in RAM and ends with the machine; an empty disk with "
				"the serial coracle-state would keep it");
		if (!is_master(m))
			report_notice(r,
				"the role node is not built yet: nothing is started; set "
				"coracle.role=master");
		else if (settings_has_role(&m->settings, STR("node")))
			report_notice(r, "the role node is not built yet: pods stay Pending");
	}
	handout_code(&m->handout, r->code);
	report_write(r);
}

static void on_handout(struct handout *h)
{
	tell(CONTAINER_OF(h, struct machine, handout));
}

/* From now on the administrator is one: before, his kubeconfig would have opened nothing. */
static void on_cluster(struct cluster *c)
{
	struct machine *m = CONTAINER_OF(c, struct machine, cluster);
	struct err e;

	if (!m->handout.server && handout_start(&m->handout, &m->loop, &m->random, &e) < 0)
		log_error("setup: %s", e.text);
	tell(m);
}

static void on_signal(struct loop_watch *w, uint32_t events)
{
	struct machine *m = CONTAINER_OF(w, struct machine, signals);

	(void)events;
	if (signal_next(w->fd))
		loop_stop(&m->loop);
}

/* What ends soon depends on what time it is. */
static void on_clock_set(struct loop_watch *w, uint32_t events)
{
	struct machine *m = CONTAINER_OF(w, struct machine, clock_set);
	struct err e;

	(void)events;
	if (machine_clock_drain(w->fd, &e) < 0 || renew(m, &e) < 0)
		log_error("setup: %s", e.text);
}

static void on_network(struct network *n)
{
	struct machine *m = CONTAINER_OF(n, struct machine, network);
	struct err e;

	if (!m->running)
		return;
	if (renew(m, &e) < 0 || (n->has_time_servers && start_services(STR("clock"), &e) < 0))
		log_error("setup: %s", e.text);
	tell(m);
}

static void on_often(struct loop_timer *t)
{
	struct machine *m = CONTAINER_OF(t, struct machine, often);
	struct err e;

	if (machine_clock_save(&e) < 0 || renew(m, &e) < 0)
		log_error("setup: %s", e.text);
	loop_timer_set(&m->loop, t, m->loop.now_ns + OFTEN_S * NS_PER_S);
}

/* The Service `kubernetes` has it: the network's own address and one. */
static str first_address(struct arena *a, str network)
{
	char text[NET_ADDRESS_TEXT_BYTES];
	struct net_address at;
	str host = str_cut(&network, '/');
	uint64_t bits;
	struct err e;

	if (net_address_parse(host, 0, &at, &e) < 0 || !str_to_u64(network, &bits))
		return STR("127.0.0.1"); /* not a checked setting */
	uint32_t mask = bits ? ~0u << (32 - bits) : 0;

	at.v4.sin_addr.s_addr = htonl((ntohl(at.v4.sin_addr.s_addr) & mask) + 1);
	return arena_str(a, net_address_host(&at, text));
}
