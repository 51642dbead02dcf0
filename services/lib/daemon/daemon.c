#include "lib/daemon/daemon.h"

#include "lib/daemon/version.h"
#include "lib/os/signal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct flag common_flags[] = {
	{"v", FLAG_INT, 0, offsetof(struct daemon, verbosity), "0",
		"number of the log level verbosity"},
	{"vmodule", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"logging-format", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"log-flush-frequency", FLAG_DURATION, FLAG_UNUSED, 0, NULL, NULL},
	{"log-json-info-buffer-size", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"log-json-split-stream", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"log-text-info-buffer-size", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"log-text-split-stream", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"feature-gates", FLAG_MAP, FLAG_UNUSED, 0, NULL, NULL},
	{"emulated-version", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"min-compatibility-version", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"allow-metric-labels", FLAG_MAP, FLAG_UNUSED, 0, NULL, NULL},
	{"allow-metric-labels-manifest", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"disabled-metrics", FLAG_STRINGS, FLAG_UNUSED, 0, NULL, NULL},
	{"show-hidden-metrics-for-version", FLAG_STRING, FLAG_UNUSED, 0, NULL, NULL},
	{"contention-profiling", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
	{"profiling", FLAG_BOOL, FLAG_UNUSED, 0, NULL, NULL},
};

enum { TABLES_MAX = 8 };

static void signalled(struct loop_watch *w, uint32_t events);
static void print_help(const char *program, const struct flag_table *tables, size_t count);

bool daemon_begin(struct daemon *d, const char *program, const struct flag_table *tables,
	size_t table_count, int argc, char **argv, int *status)
{
	static const int caught[] = {SIGTERM, SIGINT, 0};
	struct flag_table all[TABLES_MAX] = {FLAG_TABLE(common_flags, d)};
	enum flags_ask ask;
	struct err e;

	*d = (struct daemon){.program = program};
	memcpy(all + 1, tables, table_count * sizeof(*tables));
	arena_init(&d->arena, ARENA_NO_LIMIT);
	random_system(&d->random);
	*status = 1;
	if (flags_parse(&d->arena, all, table_count + 1, argc, argv, &ask, &e) < 0) {
		fprintf(stderr, "%s: %s\nsee '%s --help' for usage\n", program, e.text, program);
		return true;
	}
	*status = 0;
	if (ask == FLAGS_HELP) {
		print_help(program, all, table_count + 1);
		return true;
	}
	if (ask == FLAGS_VERSION) {
		puts(VERSION_KUBERNETES);
		return true;
	}
	d->log.verbosity = (int)d->verbosity;
	d->signals.ready = signalled;
	if (loop_init(&d->loop, &clock_system, &e) < 0 ||
		signal_open(caught, &d->signals.fd, &e) < 0 ||
		loop_watch(&d->loop, &d->signals, EPOLLIN, &e) < 0) {
		*status = daemon_fail(d, &e);
		return true;
	}
	return false;
}

int daemon_end(struct daemon *d)
{
	loop_unwatch(&d->loop, &d->signals);
	close(d->signals.fd);
	loop_free(&d->loop);
	arena_free(&d->arena);
	return 0;
}

int daemon_fail(struct daemon *d, const struct err *e)
{
	log_error("%s: %s", d->program, e->text);
	return 1;
}

static void signalled(struct loop_watch *w, uint32_t events)
{
	struct daemon *d = CONTAINER_OF(w, struct daemon, signals);
	int number;

	(void)events;
	while ((number = signal_next(w->fd))) {
		if (d->stopping)
			exit(1);
		d->stopping = true;
		log_info("%s received, shutting down", number == SIGTERM ? "SIGTERM" : "SIGINT");
		if (d->stop)
			d->stop->run(d->stop);
		else
			loop_stop(&d->loop);
	}
}

static void print_help(const char *program, const struct flag_table *tables, size_t count)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	flags_put_help(&b, program, tables, count);
	fwrite(b.at, 1, b.len, stdout);
	buf_free(&b);
}
