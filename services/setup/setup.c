#include "setup/setup.h"

#include "lib/daemon/flags.h"
#include "setup/bootstrap.h"
#include "setup/pki.h"

#include <stdio.h>

static const struct flag pki_flags[] = {
	{"dir", FLAG_STRING, 0, offsetof(struct pki_options, folder), "/etc/kubernetes",
		"folder of the kubeconfigs; certificates go to pki/ below it"},
	{"server", FLAG_STRING, 0, offsetof(struct pki_options, server), "https://127.0.0.1:6443",
		"address of the API server that the kubeconfigs name"},
	{"node-name", FLAG_STRING, 0, offsetof(struct pki_options, node_name), "localhost",
		"this machine's name in the certificates of etcd and the API server"},
	{"names", FLAG_STRINGS, 0, offsetof(struct pki_options, names), NULL,
		"more DNS names for the API server's certificate"},
	{"addresses", FLAG_STRINGS, 0, offsetof(struct pki_options, addresses), "10.96.0.1",
		"IP addresses for the API server's certificate, the kubernetes Service's among "
		"them"},
};

static const struct flag bootstrap_flags[] = {
	{"kubeconfig", FLAG_STRING, 0, offsetof(struct bootstrap_options, kubeconfig),
		"/etc/kubernetes/super-admin.conf", "how the API server is reached"},
	{"server", FLAG_STRING, 0, offsetof(struct bootstrap_options, server),
		"https://127.0.0.1:6443", "address of the API server that nodes are told"},
	{"ca-file", FLAG_STRING, 0, offsetof(struct bootstrap_options, ca_file),
		"/etc/kubernetes/pki/ca.crt", "the cluster's CA"},
	{"token-file", FLAG_STRING, 0, offsetof(struct bootstrap_options, token_file),
		"/var/lib/coracle/token", "lines token=ID.SECRET and expires="},
};

static int run_bootstrap(struct arena *a, int argc, char **argv, struct err *e);
static int run_pki(struct arena *a, int argc, char **argv, struct err *e);
static void print_help(const char *program, const struct flag_table *table);

static const struct {
	const char *name, *help;
	int (*run)(struct arena *a, int argc, char **argv, struct err *e);
} commands[] = {
	{"run", "the service that makes a machine ready and keeps it so", setup_run},
	{"pki", "certificates, keys and kubeconfigs in a folder", run_pki},
	{"bootstrap", "the first objects of a cluster", run_bootstrap},
};

int setup_main(int argc, char **argv)
{
	struct arena a;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(commands) && argc > 1; i++) {
		if (!str_eq(str_of(argv[1]), str_of(commands[i].name)))
			continue;
		arena_init(&a, ARENA_NO_LIMIT);
		int done = commands[i].run(&a, argc - 1, argv + 1, &e);

		if (done < 0)
			fprintf(stderr, "setup %s: %s\n", commands[i].name, e.text);
		arena_free(&a);
		return done < 0;
	}
	fprintf(stderr, "usage: setup COMMAND [flags]\n");
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		fprintf(stderr, "  %-10s %s\n", commands[i].name, commands[i].help);
	return 2;
}

static int run_pki(struct arena *a, int argc, char **argv, struct err *e)
{
	struct pki_options o = {0};
	struct flag_table table = FLAG_TABLE(pki_flags, &o);
	enum flags_ask ask;
	unsigned changed;

	TRY(flags_parse(a, &table, 1, argc, argv, &ask, e));
	if (ask != FLAGS_RUN) {
		print_help("setup pki", &table);
		return 0;
	}
	TRY(pki_make(&o, &clock_system, &changed, e));
	printf("certificates in %.*s/pki; try: kubectl --kubeconfig %.*s/admin.conf get nodes\n",
		STR_ARG(o.folder), STR_ARG(o.folder));
	return 0;
}

static int run_bootstrap(struct arena *a, int argc, char **argv, struct err *e)
{
	struct bootstrap_options o = {0};
	struct flag_table table = FLAG_TABLE(bootstrap_flags, &o);
	enum flags_ask ask;

	TRY(flags_parse(a, &table, 1, argc, argv, &ask, e));
	if (ask == FLAGS_RUN)
		return bootstrap_cluster(&o, e);
	print_help("setup bootstrap", &table);
	return 0;
}

static void print_help(const char *program, const struct flag_table *table)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	flags_put_help(&b, program, table, 1);
	fwrite(b.at, 1, b.len, stdout);
	buf_free(&b);
}
