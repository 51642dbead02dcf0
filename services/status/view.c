#include "status/view.h"

#include "lib/crypto/access_code.h"

enum { NAME_COLUMNS = 26 };

static void put_head(const struct view *v, struct buf *to);
static void put_service(const struct view_service *s, struct buf *to);
static bool is_ready(const struct view *v);
static void put_all(
	const struct pair_list *report, const char *key, const char *mark, struct buf *to);
static void put_way_in(const struct view *v, struct buf *to);
static str setting(const struct view *v, const char *name);

void view_put(const struct view *v, struct buf *to)
{
	put_head(v, to);
	for (size_t i = 0; i < v->service_count; i++)
		put_service(&v->services[i], to);
	if (is_ready(v))
		buf_add_fmt(to, "coracle: control plane Ready\n");
	put_all(&v->report, "problem", "WRONG: ", to);
	if (str_eq(pairs_get(&v->report, STR("phase")), STR("wrong")))
		buf_add_fmt(to, "nothing of the cluster was started; set it right and restart\n");
	put_all(&v->report, "notice", "note: ", to);
	put_way_in(v, to);
}

static void put_head(const struct view *v, struct buf *to)
{
	str role = setting(v, "role"), name = setting(v, "node-name");

	buf_add_fmt(to, "Coracle %.*s", STR_ARG(v->version));
	if (name.len)
		buf_add_fmt(to, "  node %.*s  role %.*s", STR_ARG(name), STR_ARG(role));
	if (v->ending.at)
		buf_add_fmt(to, "  ending: %.*s", STR_ARG(v->ending));
	buf_add_fmt(to, "\naddresses");
	for (size_t i = 0; i < v->addresses.len; i++)
		buf_add_fmt(to, " %.*s", STR_ARG(v->addresses.at[i]));
	str state = pairs_get(&v->report, STR("state"));

	buf_add_fmt(to, "%s\n", v->addresses.len ? "" : " none yet");
	if (state.len)
		buf_add_fmt(to, "state in %.*s\n", STR_ARG(state));
	put_all(&v->report, "setting", "set: ", to);
}

static void put_service(const struct view_service *s, struct buf *to)
{
	const struct service_deaths *d = &s->deaths;
	const char *state = "off";

	if (s->status.ready)
		state = "ready";
	else if (s->status.up && !s->tells_ready && d->in_a_row < 2)
		state = "runs";
	else if (s->status.up && d->in_a_row < 2)
		state = "starting";
	else if (s->status.wanted_up && !s->status.up)
		state = "restarting";
	if (s->status.wanted_up && !s->status.ready && d->in_a_row >= 2)
		buf_add_fmt(to,
			"%-*.*s fails: it has ended %d times, the last with %s %d; tried "
			"again after %lld s; see /var/log/%.*s\n",
			NAME_COLUMNS, STR_ARG(s->name), d->in_a_row,
			d->signal ? "signal" : "status", d->signal ? d->signal : d->code,
			(long long)(service_backoff_ns(d->in_a_row) / NS_PER_S), STR_ARG(s->name));
	else if (d->count)
		buf_add_fmt(to, "%-*.*s %s; it has ended %d times\n", NAME_COLUMNS,
			STR_ARG(s->name), state, d->count);
	else
		buf_add_fmt(to, "%-*.*s %s\n", NAME_COLUMNS, STR_ARG(s->name), state);
}

/* All that is wanted and can tell; the API server among them. */
static bool is_ready(const struct view *v)
{
	bool serves = false;

	for (size_t i = 0; i < v->service_count; i++) {
		const struct view_service *s = &v->services[i];

		if (s->tells_ready && s->status.wanted_up && !s->status.ready)
			return false;
		serves |= s->status.ready && str_eq(s->name, STR("kube-apiserver"));
	}
	return serves && !v->ending.at;
}

static void put_all(
	const struct pair_list *report, const char *key, const char *mark, struct buf *to)
{
	for (size_t i = 0; i < report->len; i++)
		if (str_eq(report->at[i].key, str_of(key)))
			buf_add_fmt(to, "%s%.*s\n", mark, STR_ARG(report->at[i].value));
}

static void put_way_in(const struct view *v, struct buf *to)
{
	str code = pairs_get(&v->report, STR("code"));
	str at = v->addresses.len ? v->addresses.at[0] : STR("ADDRESS");

	if (code.len)
		buf_add_fmt(to,
			"to administer it, once: coraclectl kubeconfig https://%.*s:%d %.*s\n",
			STR_ARG(at), ACCESS_CODE_PORT, STR_ARG(code));
}

static str setting(const struct view *v, const char *name)
{
	return pairs_get(&v->settings, str_of(name));
}
