#include "coraclectl/coraclectl.h"

#include "coraclectl/fetch.h"
#include "lib/daemon/flags.h"
#include "lib/os/file.h"

#include <stdio.h>
#include <unistd.h>

enum { API_PORT = 6443, ARGUMENTS_MAX = 32 };

struct options {
	str server, out;
};

static const struct flag flags[] = {
	{"server", FLAG_STRING, 0, offsetof(struct options, server), NULL,
		"the API server's address in the kubeconfig; default: https://ADDRESS:6443"},
	{"out", FLAG_STRING, 0, offsetof(struct options, out), NULL,
		"the file to write, which only you may read; default: standard output"},
};

static int kubeconfig(struct arena *a, int argc, char **argv, struct err *e);
static int read_code(struct arena *a, str *to, struct err *e);
static str with_server(struct arena *a, str config, str server);
static int usage(void);

int coraclectl_main(int argc, char **argv)
{
	struct arena a;
	struct err e;

	if (argc < 2 || !str_eq(str_of(argv[1]), STR("kubeconfig")))
		return usage();
	arena_init(&a, ARENA_NO_LIMIT);
	int done = kubeconfig(&a, argc - 1, argv + 1, &e);

	if (done < 0)
		fprintf(stderr, "coraclectl: %s\n", e.text);
	arena_free(&a);
	return done < 0;
}

static int kubeconfig(struct arena *a, int argc, char **argv, struct err *e)
{
	struct options o = {0};
	struct flag_table table = FLAG_TABLE(flags, &o);
	char *dashed[ARGUMENTS_MAX] = {argv[0]};
	str words[2] = {0}, config, code;
	int dashed_count = 1, word_count = 0;
	struct access_code known;
	enum flags_ask ask;
	struct url url;

	for (int i = 1; i < argc && dashed_count < ARGUMENTS_MAX - 1; i++) {
		if (argv[i][0] == '-')
			dashed[dashed_count++] = argv[i];
		else if (word_count < 2)
			words[word_count++] = str_of(argv[i]);
		else
			return err_set(e, ERR_INVALID, "\"%s\" is one word too many", argv[i]);
	}
	TRY(flags_parse(a, &table, 1, dashed_count, dashed, &ask, e));
	if (ask != FLAGS_RUN || !word_count) {
		usage();
		return 0;
	}
	TRY(url_parse(words[0], &url, e));
	code = words[1];
	if (!code.at)
		TRY(read_code(a, &code, e));
	if (!access_code_read(code, &known))
		return err_set(e, ERR_INVALID,
			"that is not a code as the machine's screen shows it: six groups of four "
			"letters and digits");
	TRY(fetch_kubeconfig(a, &url, &known, &config, e));
	bool v6 = str_find_char(url.host, ':') >= 0;
	str server = o.server.len ? o.server
				  : arena_fmt(a, "https://%s%.*s%s:%d", v6 ? "[" : "",
					    STR_ARG(url.host), v6 ? "]" : "", API_PORT);

	config = with_server(a, config, server);
	if (o.out.len)
		return file_write(arena_str(a, o.out).at, 0600, config, e);
	fwrite(config.at, 1, config.len, stdout);
	return 0;
}

/* Not from the command line: what runs there is seen by all users. */
static int read_code(struct arena *a, str *to, struct err *e)
{
	char line[128];

	fputs("the code on the machine's screen: ", stderr);
	if (!fgets(line, sizeof(line), stdin))
		return err_set(e, ERR_INVALID, "there is no code on standard input");
	*to = arena_str(a, str_trim(str_of(line)));
	return 0;
}

/* The machine itself reaches its API by another address than others do. */
static str with_server(struct arena *a, str config, str server)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (str rest = config; rest.at;) {
		str line = str_cut(&rest, '\n');

		if (str_starts(line, STR("    server: ")))
			buf_add_fmt(&b, "    server: %.*s", STR_ARG(server));
		else
			buf_add_str(&b, line);
		if (rest.at)
			buf_add_char(&b, '\n');
	}
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

static int usage(void)
{
	fputs("usage: coraclectl kubeconfig https://ADDRESS[:PORT] [CODE] [--server=URL] "
	      "[--out=FILE]\n"
	      "Fetches the administrator's kubeconfig, once, with the code that the machine's "
	      "screen shows.\n",
		stderr);
	return 2;
}
