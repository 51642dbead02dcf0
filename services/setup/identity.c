#include "setup/identity.h"

#include "lib/os/file.h"
#include "lib/os/interface.h"
#include "lib/value/uuid.h"
#include "setup/state.h"

#include <errno.h>

enum { NODE_NAME_MAX = 63 };

static int read_machine_id(struct arena *a, struct random *r, str *to, struct err *e);
static int read_node_name(
	struct arena *a, const struct settings *s, struct random *r, str *to, struct err *e);
static str without(struct arena *a, str s, char c);

int identity_read(struct arena *a, const struct settings *s, struct random *r, struct identity *to,
	struct err *e)
{
	struct identity i;

	TRY(read_machine_id(a, r, &i.machine_id, e));
	TRY(read_node_name(a, s, r, &i.node_name, e));
	*to = i;
	return 0;
}

int identity_apply(const struct identity *i, struct err *e)
{
	struct arena a;

	if (sethostname(i->node_name.at, i->node_name.len) < 0)
		return err_set_errno(e, errno, "setting the host name");
	arena_init(&a, ARENA_NO_LIMIT);
	int done = file_write("/run/coracle/etc/machine-id", 0444,
		arena_fmt(&a, "%.*s\n", STR_ARG(i->machine_id)), e);

	arena_free(&a);
	return done;
}

static int read_machine_id(struct arena *a, struct random *r, str *to, struct err *e)
{
	str kept;

	TRY(state_read(a, "machine-id", &kept, e));
	kept = str_trim(kept);
	if (kept.len == 32) {
		*to = kept;
		return 0;
	}
	str id = without(a, uuid_new(r, a), '-');

	TRY(state_write("machine-id", 0444, arena_fmt(a, "%.*s\n", STR_ARG(id)), e));
	*to = id;
	return 0;
}

static int read_node_name(
	struct arena *a, const struct settings *s, struct random *r, str *to, struct err *e)
{
	struct interface *all;
	size_t len;
	str name;

	if (s->at[SETTING_NODE_NAME].at) {
		*to = s->at[SETTING_NODE_NAME];
		return 0;
	}
	TRY(state_read(a, "node-name", &name, e));
	name = str_trim(name);
	if (name.len && name.len <= NODE_NAME_MAX) {
		*to = name;
		return 0;
	}
	TRY(interfaces_find(a, &all, &len, e));
	name = arena_fmt(a, "coracle-%.*s",
		STR_ARG(len ? without(a, all[0].mac, ':')
			    : str_slice(without(a, uuid_new(r, a), '-'), 0, 12)));
	TRY(state_write("node-name", 0444, arena_fmt(a, "%.*s\n", STR_ARG(name)), e));
	*to = name;
	return 0;
}

static str without(struct arena *a, str s, char c)
{
	char *to = arena_get(a, s.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] != c)
			to[len++] = s.at[i];
	return str_span(to, len);
}
