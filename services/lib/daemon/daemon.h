/*
 * What every daemon's main does: command line, log, signals, an event loop, and a server for health
 * and metrics where the program has no server of its own.
 *
 *	int x_main(int argc, char **argv)
 *	{
 *		struct daemon d;
 *		...
 *		if (daemon_begin(&d, "kube-x", tables, count, argc, argv, &status))
 *			return status;
 *		... start, with d.loop, d.metrics, d.arena ...
 *		loop_run(&d.loop);     // until SIGTERM or SIGINT has run d.stop
 *		... end ...
 *		return daemon_end(&d);
 *	}
 *
 * The first SIGTERM or SIGINT runs `stop`, which ends with loop_stop when all is done; a second one
 * ends the process at once with status 1. Threading: main's thread, before any other is started.
 */
#pragma once

#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/daemon/flags.h"
#include "lib/daemon/health.h"
#include "lib/http/server.h"
#include "lib/loop/loop.h"

struct daemon {
	const char *program;
	struct loop loop;
	struct arena arena; /* of the process */
	struct log log;
	struct random random;
	struct loop_task *stop; /* set by the program; NULL: loop_stop at once */

	/* The library's own. */
	struct loop_watch signals;
	bool stopping;
	int64_t verbosity;
};

/* False: go on. True: end with `*status`; help, version or the reason has been printed. */
bool daemon_begin(struct daemon *d, const char *program, const struct flag_table *tables,
	size_t table_count, int argc, char **argv, int *status);

/*
 * Tells whoever started the program that it serves: READY=1 to $NOTIFY_SOCKET (sd_notify(3)), as
 * etcd and upstream's API server do. Nothing without that variable.
 */
void daemon_ready(const struct daemon *d);

/* Frees what daemon_begin made; the exit status, 0. */
int daemon_end(struct daemon *d);

/* Logs the error and ends: `return daemon_fail(&d, &e);`. 1. */
int daemon_fail(struct daemon *d, const struct err *e);

/*
 * A server of health and metrics: upstream's --secure-port of controller-manager and scheduler.
 * /metrics goes to who may see it: `allowed`, asked with the exchange, answers the request itself
 * when it says no.
 */
struct daemon_server_options {
	str bind_address;      /* --bind-address */
	uint16_t port;         /* --secure-port */
	str cert_pem, key_pem; /* absent: a certificate that signs itself is made */
	str client_ca_pem;     /* asks for client certificates; absent: none */
	const struct health *health;
	struct metrics *metrics;
	bool (*allowed)(void *owner, struct http_exchange *x);
	void *owner;
};

struct daemon_server;

NODISCARD int daemon_serve(struct daemon *d, const struct daemon_server_options *o,
	struct daemon_server **to, struct err *e);
void daemon_server_free(struct daemon_server *s);

/* A new key, and a certificate for it that signs itself; the first address names it. */
NODISCARD int daemon_self_signed(struct arena *a, struct cert_list dns, struct cert_list ips,
	const struct clock *c, str *cert_pem, str *key_pem, struct err *e);

/* A TLS context for a server from PEM texts, or from a new key and a certificate for `host` that
 * signs itself, when they are absent. */
NODISCARD int daemon_tls(struct arena *a, str cert_pem, str key_pem, str client_ca_pem, str host,
	const struct clock *c, struct tls_context **to, struct err *e);
