#include "lib/supervise/run_file.h"

#include "lib/base/buf.h"

enum kind { TEXT, WORDS, ITEM, NUMBER, CGROUP, MOUNT, FOLDER, NOTIFY, YES_NO };

struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t least, most; /* NUMBER */
};

#define AT(member) offsetof(struct run_file, member)

static const struct key keys[] = {
	{"role", WORDS, AT(roles), 0, 0},
	{"user", TEXT, AT(user), 0, 0},
	{"needs", ITEM, AT(needs), 0, 0},
	{"cgroup", TEXT, AT(cgroup), 0, 0},
	{"memory.min", CGROUP, 0, 0, 0},
	{"memory.max", CGROUP, 0, 0, 0},
	{"memory.high", CGROUP, 0, 0, 0},
	{"cpu.weight", CGROUP, 0, 0, 0},
	{"pids.max", CGROUP, 0, 0, 0},
	{"oom", NUMBER, AT(oom), -1000, 1000},
	{"nofile", NUMBER, AT(nofile), 16, 1 << 20},
	{"notify", NOTIFY, AT(notify), 0, 0},
	{"caps", WORDS, AT(caps), 0, 0},
	{"mount", MOUNT, 0, 0, 0},
	{"folder", FOLDER, 0, 0, 0},
	{"env", ITEM, AT(env), 0, 0},
	{"log", YES_NO, AT(log), 0, 0},
	{"argv", ITEM, AT(argv), 0, 0},
};

static const char *const notify_names[] = {
	[RUN_NOTIFY_NONE] = "none",
	[RUN_NOTIFY_SOCKET] = "socket",
	[RUN_NOTIFY_FD] = "fd",
	[RUN_NOTIFY_START] = "start",
};

static const char *const mount_names[] = {
	[RUN_MOUNT_IDMAP] = "idmap",
	[RUN_MOUNT_PLAIN] = "plain",
	[RUN_MOUNT_READ] = "read",
	[RUN_MOUNT_BIND] = "bind",
};

static const struct key *find(str name);
static int take(struct arena *a, const struct key *k, const struct pair *p, struct run_file *to,
	struct err *e);
static int take_item(struct arena *a, str item, struct str_list *to, struct err *e);
static int take_words(struct arena *a, str words, struct str_list *to, struct err *e);
static int take_limit(struct arena *a, const struct pair *p, struct run_file *to, struct err *e);
static int take_mount(struct arena *a, str value, struct run_file *to, struct err *e);
static int take_folder(struct arena *a, str value, struct run_file *to, struct err *e);
static int take_name(const char *const *names, size_t count, str name, int *to, struct err *e);
static str word(str *rest);
static bool read_mode(str s, unsigned *to);

int run_file_read(struct arena *a, str text, struct run_file *to, struct err *e)
{
	struct run_file r = {
		.user = STR("root"), .oom = INT64_MIN, .nofile = INT64_MIN, .log = true};
	struct pair_list pairs;

	TRY(pairs_read(a, text, &pairs, e));
	for (size_t i = 0; i < pairs.len; i++) {
		const struct pair *p = &pairs.at[i];
		const struct key *k = find(p->key);

		if (!k)
			return err_set(e, ERR_INVALID, "line %d: there is no key \"%.*s\"", p->line,
				STR_ARG(p->key));
		if (take(a, k, p, &r, e) < 0)
			return err_context(e, "line %d, %s", p->line, k->name);
	}
	if (!r.argv.len)
		return err_set(e, ERR_INVALID, "there is no argv");
	*to = r;
	return 0;
}

int run_expand(struct arena *a, str text, const struct pair_list *values, str *to, struct err *e)
{
	struct buf b;

	buf_init(&b, RUN_FILE_BYTES_MAX);
	for (str rest = text; rest.at;) {
		ptrdiff_t at = str_find(rest, STR("${"));

		if (at < 0) {
			buf_add_str(&b, rest);
			break;
		}
		buf_add(&b, rest.at, (size_t)at);
		rest = str_slice(rest, (size_t)at + 2, rest.len);
		str key = str_cut(&rest, '}'), value = pairs_get(values, key);

		if (!value.at) {
			buf_free(&b);
			return err_set(e, ERR_INVALID, "${%.*s} has no value", STR_ARG(key));
		}
		buf_add_str(&b, value);
	}
	int result = buf_ok(&b, "a value with settings in it", e);

	if (result == 0)
		result = arena_str_try(a, buf_str(&b), to, e);
	buf_free(&b);
	return result;
}

static const struct key *find(str name)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (str_eq(name, str_of(keys[i].name)))
			return &keys[i];
	return NULL;
}

static int take(struct arena *a, const struct key *k, const struct pair *p, struct run_file *to,
	struct err *e)
{
	void *at = (char *)to + k->offset;
	int64_t number;
	int which;

	switch (k->kind) {
	case TEXT: *(str *)at = p->value; return 0;
	case ITEM: return take_item(a, p->value, at, e);
	case WORDS: return take_words(a, p->value, at, e);
	case CGROUP: return take_limit(a, p, to, e);
	case MOUNT: return take_mount(a, p->value, to, e);
	case FOLDER: return take_folder(a, p->value, to, e);
	case NUMBER:
		if (!str_to_i64(p->value, &number) || number < k->least || number > k->most)
			return err_set(e, ERR_INVALID, "\"%.*s\" is no number from %lld to %lld",
				STR_ARG(p->value), (long long)k->least, (long long)k->most);
		*(int64_t *)at = number;
		return 0;
	case NOTIFY:
		TRY(take_name(notify_names, COUNT_OF(notify_names), p->value, &which, e));
		to->notify = (enum run_notify)which;
		return 0;
	case YES_NO: break;
	}
	if (!str_eq(p->value, STR("yes")) && !str_eq(p->value, STR("no")))
		return err_set(e, ERR_INVALID, "neither yes nor no");
	*(bool *)at = str_eq(p->value, STR("yes"));
	return 0;
}

static int take_item(struct arena *a, str item, struct str_list *to, struct err *e)
{
	if (to->len == RUN_LIST_MAX)
		return err_set(e, ERR_LIMIT, "more than %d of them", RUN_LIST_MAX);
	if (!to->at)
		to->at = arena_try_array(a, RUN_LIST_MAX, sizeof(*to->at));
	if (!to->at)
		return arena_full(a, e);
	to->at[to->len++] = item;
	return 0;
}

static int take_words(struct arena *a, str words, struct str_list *to, struct err *e)
{
	for (str rest = words; rest.at;)
		TRY(take_item(a, str_trim(str_cut(&rest, ',')), to, e));
	return 0;
}

static int take_limit(struct arena *a, const struct pair *p, struct run_file *to, struct err *e)
{
	if (!to->limits.at)
		to->limits.at = arena_try_array(a, RUN_LIST_MAX, sizeof(*to->limits.at));
	if (!to->limits.at)
		return arena_full(a, e);
	if (to->limits.len == RUN_LIST_MAX)
		return err_set(e, ERR_LIMIT, "more than %d of them", RUN_LIST_MAX);
	to->limits.at[to->limits.len++] = *p;
	return 0;
}

static int take_mount(struct arena *a, str value, struct run_file *to, struct err *e)
{
	str rest = value, name = word(&rest);
	struct run_mount m = {.at = word(&rest), .to = word(&rest)};
	int kind;

	TRY(take_name(mount_names, COUNT_OF(mount_names), name, &kind, e));
	m.kind = (enum run_mount_kind)kind;
	if (!m.at.len || (m.to.len > 0) != (m.kind == RUN_MOUNT_BIND) || str_trim(rest).len)
		return err_set(e, ERR_INVALID, "\"%.*s\" is not KIND PATH", STR_ARG(value));
	if (to->mount_count == RUN_LIST_MAX)
		return err_set(e, ERR_LIMIT, "more than %d of them", RUN_LIST_MAX);
	if (!to->mounts)
		to->mounts = arena_try_array(a, RUN_LIST_MAX, sizeof(*to->mounts));
	if (!to->mounts)
		return arena_full(a, e);
	to->mounts[to->mount_count++] = m;
	return 0;
}

static int take_folder(struct arena *a, str value, struct run_file *to, struct err *e)
{
	str rest = value;
	struct run_folder f = {.path = word(&rest)};
	str mode = word(&rest);

	f.user = word(&rest);
	if (!f.path.len || !f.user.len || str_trim(rest).len || !read_mode(mode, &f.mode))
		return err_set(e, ERR_INVALID, "\"%.*s\" is not PATH MODE USER", STR_ARG(value));
	if (to->folder_count == RUN_LIST_MAX)
		return err_set(e, ERR_LIMIT, "more than %d of them", RUN_LIST_MAX);
	if (!to->folders)
		to->folders = arena_try_array(a, RUN_LIST_MAX, sizeof(*to->folders));
	if (!to->folders)
		return arena_full(a, e);
	to->folders[to->folder_count++] = f;
	return 0;
}

static int take_name(const char *const *names, size_t count, str name, int *to, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(name, str_of(names[i]))) {
			*to = (int)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "\"%.*s\" is none of its kinds", STR_ARG(name));
}

static str word(str *rest)
{
	str r = str_trim(*rest), w = str_cut(&r, ' ');

	*rest = r;
	return w;
}

static bool read_mode(str s, unsigned *to)
{
	unsigned mode = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '7' || i == 4)
			return false;
		mode = mode * 8 + (unsigned)(s.at[i] - '0');
	}
	*to = mode;
	return s.len > 0;
}
