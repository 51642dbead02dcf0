/*
 * The storage from the command line, over a given etcd: what tests of it run.
 *
 *	storage_tool [--servers URL,URL] [--prefix /registry] [--compact yes] [--tries N]
 *		[--cafile F --certfile F --keyfile F] COMMAND
 *
 *	get GROUP/VERSION/RESOURCE [NS/]NAME       from etcd, as JSON
 *	list GROUP/VERSION/RESOURCE [NAMESPACE]    from the cache: "REVISION NS/NAME" lines, a count
 *	json GROUP/VERSION/RESOURCE                the same with each object's JSON
 *	watch GROUP/VERSION/RESOURCE REVISION      events until standard input ends; 0: with the
 *	                                           present objects first
 *	create GROUP/VERSION/RESOURCE [TTL] < JSON
 *	replace GROUP/VERSION/RESOURCE < JSON      by the resourceVersion that the JSON has
 *	delete GROUP/VERSION/RESOURCE [NS/]NAME
 *
 * The core group is "core". Exit status 1: the command failed, and standard error says why.
 */
#include "apiserver/storage/storage.h"
#include "lib/os/file.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	INPUT_BYTES_MAX = 64 << 20,
	READY_TRIES = 10,
	SERVERS_MAX = 8,
};

struct session {
	struct storage *storage;
	struct arena arena;
	const struct resource *resource;
	long tries; /* to reach etcd */
};

static int read_option(struct session *s, const char *name, const char *value,
	struct storage_options *o, str *servers, struct err *e);
static int open_storage(struct session *s, struct storage_options *o, str servers, struct err *e);
static int run(struct session *s, int argc, char **argv, struct err *e);

int main(int argc, char **argv)
{
	struct storage_options o = {.clock = &clock_system, .prefix = STR("/registry")};
	str servers = STR("http://127.0.0.1:2379");
	struct session s = {.tries = READY_TRIES};
	struct err e;
	int result = 0;

	arena_init(&s.arena, ARENA_NO_LIMIT);
	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0 && result == 0; argc -= 2, argv += 2)
		result = read_option(&s, argv[1], argv[2], &o, &servers, &e);
	if (argc < 3) {
		fprintf(stderr, "usage: storage_tool [--servers URLS] [--prefix P] COMMAND ...\n");
		return 2;
	}
	if (result == 0 && (result = open_storage(&s, &o, servers, &e)) == 0) {
		result = run(&s, argc, argv, &e);
		storage_close(s.storage);
	}
	if (result < 0)
		fprintf(stderr, "%s\n", e.text);
	arena_free(&s.arena);
	return result < 0;
}

static int read_option(struct session *s, const char *name, const char *value,
	struct storage_options *o, str *servers, struct err *e)
{
	if (strcmp(name, "--servers") == 0)
		*servers = str_of(value);
	else if (strcmp(name, "--prefix") == 0)
		o->prefix = str_of(value);
	else if (strcmp(name, "--compact") == 0)
		o->compaction_interval_ns = strcmp(value, "yes") == 0 ? NS_PER_S : 0;
	else if (strcmp(name, "--tries") == 0)
		s->tries = strtol(value, NULL, 10);
	else if (strcmp(name, "--cafile") == 0)
		return file_read(&s->arena, value, INPUT_BYTES_MAX, &o->ca_pem, e);
	else if (strcmp(name, "--certfile") == 0)
		return file_read(&s->arena, value, INPUT_BYTES_MAX, &o->cert_pem, e);
	else if (strcmp(name, "--keyfile") == 0)
		return file_read(&s->arena, value, INPUT_BYTES_MAX, &o->key_pem, e);
	else
		return err_set(e, ERR_INVALID, "no option %s", name);
	return 0;
}

static int open_storage(struct session *s, struct storage_options *o, str servers, struct err *e)
{
	o->servers.at = arena_get(&s->arena, SERVERS_MAX * sizeof(str));
	while (servers.at && o->servers.len < SERVERS_MAX)
		o->servers.at[o->servers.len++] = str_cut(&servers, ',');
	TRY(storage_open(o, NULL, &s->storage, e));
	while (s->tries-- > 0)
		if (storage_wait_here(s->storage, 0, e) == 0)
			return 0;
	storage_close(s->storage);
	return -1;
}

static int find_resource(struct session *s, const char *text, struct err *e)
{
	str rest = str_of(text);
	str group = str_cut(&rest, '/');
	str version = rest.at ? str_cut(&rest, '/') : rest;

	if (str_eq(group, STR("core")))
		group = STR("");
	s->resource = rest.at ? resource_find(group, version, rest) : NULL;
	if (!s->resource || !s->resource->etcd_prefix.at)
		return err_set(e, ERR_NOT_FOUND, "no stored resource %s", text);
	return 0;
}

static void split_name(const struct session *s, const char *text, str *ns, str *name)
{
	*name = str_of(text);
	*ns = s->resource->namespaced ? str_cut(name, '/') : (str){NULL, 0};
}

static int read_object(struct session *s, void **to, struct err *e)
{
	struct buf in;
	ssize_t got;
	int result;

	buf_init(&in, INPUT_BYTES_MAX);
	do {
		char *at = buf_reserve(&in, 65536);

		got = at ? read(STDIN_FILENO, at, 65536) : 0;
		in.len += got > 0 ? (size_t)got : 0;
	} while (got > 0);

	str text = arena_str(&s->arena, buf_str(&in));
	const struct type *t = type_find_api_version(
		&api_schema, s->resource->stored_version, s->resource->kind);

	result = object_decode(&s->arena, t, FORMAT_JSON, text, to, NULL, e);
	buf_free(&in);
	return result;
}

static void print_key(const struct stored *o)
{
	if (o->ns.at)
		printf("%.*s/", STR_ARG(o->ns));
	printf("%.*s", STR_ARG(o->name));
}

static int get(struct session *s, const char *key, struct err *e)
{
	struct stored_json *json;
	struct stored *o;
	str ns, name;
	int result;

	split_name(s, key, &ns, &name);
	TRY(storage_fetch(s->storage, s->resource, ns, name, &o, e));
	result = stored_json(s->storage, o, READER_OF_LIST, &json, e);
	if (result == 0) {
		printf("%.*s\n", STR_ARG(json->with_kind));
		counted_drop(&json->counted);
	}
	counted_drop(&o->counted);
	return result;
}

static int list(struct session *s, str ns, bool with_json, struct err *e)
{
	int64_t revision;
	struct snapshot *n = storage_snapshot(s->storage, s->resource, &revision);
	struct snapshot_walk w = snapshot_walk(n, ns, (str){NULL, 0});
	int result = 0;

	for (const struct stored *o; result == 0 && (o = snapshot_next(&w));) {
		struct stored_json *json;

		printf("%lld ", (long long)o->revision);
		print_key(o);
		if (with_json &&
			(result = stored_json(s->storage, o, READER_OF_LIST, &json, e)) == 0) {
			printf(" {%.*s", STR_ARG(json->rest));
			counted_drop(&json->counted);
		}
		printf("\n");
	}
	printf("%zu at %lld\n", snapshot_count(n, ns), (long long)revision);
	snapshot_drop(n);
	return result;
}

static void print_event(UNUSED struct storage_watch *w, struct storage_event *ev)
{
	static const char *const names[] = {[STORAGE_ADDED] = "ADDED",
		[STORAGE_MODIFIED] = "MODIFIED",
		[STORAGE_DELETED] = "DELETED"};

	printf("%s %lld ", names[ev->kind], (long long)ev->revision);
	print_key(ev->now);
	printf("\n");
	fflush(stdout);
}

static void print_end(UNUSED struct storage_watch *w, const struct err *e)
{
	printf("ENDED %s\n", e->text);
	fflush(stdout);
}

static void input_ended(struct loop_watch *w, UNUSED uint32_t events)
{
	char byte;

	if (read(w->fd, &byte, 1) <= 0)
		w->fd = -1;
}

static int watch(struct session *s, int64_t revision, struct err *e)
{
	struct storage_watch w = {
		.event = print_event, .ended = print_end, .resource = s->resource};
	struct loop_watch input = {.ready = input_ended, .fd = STDIN_FILENO};
	struct snapshot *initial = NULL;
	struct storage_io *io;
	struct loop loop;
	bool with_initial = revision == 0;

	TRY(loop_init(&loop, &clock_system, e));
	TRY(storage_io_open(s->storage, &loop, &io, e));
	TRY(storage_watch_start(io, &w, &revision, with_initial ? &initial : NULL, e));
	if (initial) {
		struct snapshot_walk walk = snapshot_walk(initial, (str){NULL, 0}, (str){NULL, 0});

		for (const struct stored *o; (o = snapshot_next(&walk));) {
			printf("ADDED %lld ", (long long)o->revision);
			print_key(o);
			printf("\n");
		}
		snapshot_drop(initial);
	}
	printf("SYNCED %lld\n", (long long)revision);
	fflush(stdout);
	TRY(loop_watch(&loop, &input, EPOLLIN, e));
	while (input.fd >= 0)
		loop_turn(&loop, true);
	w.ended = w.io ? w.ended : NULL;
	storage_io_close(io);
	loop_turn(&loop, false);
	loop_free(&loop);
	return 0;
}

static int change(struct session *s, const char *verb, const char *argument, struct err *e)
{
	struct stored *before, *current = NULL;
	struct object_meta *meta;
	int64_t revision;
	void *object;
	str ns, name;
	int result;

	if (strcmp(verb, "delete") != 0) {
		TRY(read_object(s, &object, e));
		meta = field_at(object, type_field(object_type(object), STR("metadata")));
		ns = s->resource->namespaced ? meta->namespace : (str){NULL, 0};
		name = meta->name;
	} else {
		split_name(s, argument, &ns, &name);
	}
	if (strcmp(verb, "create") == 0) {
		TRY(storage_create(s->storage, s->resource, object,
			argument ? strtoll(argument, NULL, 10) : 0, &revision, e));
		printf("%lld\n", (long long)revision);
		return 0;
	}
	TRY(storage_fetch(s->storage, s->resource, ns, name, &before, e));
	result = strcmp(verb, "replace") == 0
		? storage_update(s->storage, before, object, 0, &revision, &current, e)
		: storage_delete(s->storage, before, &revision, &current, e);
	if (result == 0)
		printf("%lld\n", (long long)revision);
	if (current)
		counted_drop(&current->counted);
	counted_drop(&before->counted);
	return result;
}

static int run(struct session *s, int argc, char **argv, struct err *e)
{
	const char *verb = argv[1];

	TRY(find_resource(s, argv[2], e));
	if (strcmp(verb, "get") == 0 && argc == 4)
		return get(s, argv[3], e);
	if (strcmp(verb, "list") == 0)
		return list(s, str_of(argc == 4 ? argv[3] : NULL), false, e);
	if (strcmp(verb, "json") == 0)
		return list(s, str_of(argc == 4 ? argv[3] : NULL), true, e);
	if (strcmp(verb, "watch") == 0 && argc == 4)
		return watch(s, strtoll(argv[3], NULL, 10), e);
	if (strcmp(verb, "create") == 0 || strcmp(verb, "replace") == 0 ||
		(strcmp(verb, "delete") == 0 && argc == 4))
		return change(s, verb, argc == 4 ? argv[3] : NULL, e);
	return err_set(e, ERR_INVALID, "no command %s", verb);
}
