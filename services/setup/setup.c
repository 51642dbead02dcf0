#include "setup/setup.h"

#include "lib/daemon/flags.h"
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

static int run_pki(struct arena *a, int argc, char **argv, struct err *e);
static void print_help(const struct flag_table *table);

int setup_main(int argc, char **argv)
{
	struct arena a;
	struct err e;

	if (argc == 2 && str_eq(str_of(argv[1]), STR("run")))
		return setup_run();
	if (argc < 2 || !str_eq(str_of(argv[1]), STR("pki"))) {
		fprintf(stderr, "usage: setup pki [flags]; see 'setup pki --help'\n");
		return 2;
	}
	arena_init(&a, ARENA_NO_LIMIT);
	int done = run_pki(&a, argc - 1, argv + 1, &e);
	if (done < 0)
		fprintf(stderr, "setup pki: %s\n", e.text);
	arena_free(&a);
	return done < 0;
}

static int run_pki(struct arena *a, int argc, char **argv, struct err *e)
{
	struct pki_options o = {0};
	struct flag_table table = FLAG_TABLE(pki_flags, &o);
	enum flags_ask ask;
	unsigned changed;

	TRY(flags_parse(a, &table, 1, argc, argv, &ask, e));
	if (ask != FLAGS_RUN) {
		print_help(&table);
		return 0;
	}
	TRY(pki_make(&o, &clock_system, &changed, e));
	printf("certificates in %.*s/pki; try: kubectl --kubeconfig %.*s/admin.conf get nodes\n",
		STR_ARG(o.folder), STR_ARG(o.folder));
	return 0;
}

static void print_help(const struct flag_table *table)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	flags_put_help(&b, "setup pki", table, 1);
	fwrite(b.at, 1, b.len, stdout);
	buf_free(&b);
}
