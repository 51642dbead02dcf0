#include "apiserver/storage/state.h"
#include "lib/base/log.h"

#include <stdio.h>

/*
 * Compaction of etcd as upstream's compact.go does it, so that any mix of API servers agrees who:
 * the version of one key counts compactions, and who counts it up compacts, up to the revision of
 * an interval ago.
 */
#define COMPACT_KEY STR("compact_rev_key")

enum { TEXT_BYTES = 24 };

static void due(struct loop_timer *t);
static void counted_up(struct etcd_call *call, str answer, const struct err *e);
static int read_count(struct storage *s, str answer, bool *mine, struct err *e);
static void compacted(struct etcd_call *call, str answer, const struct err *e);
static void again(struct storage *s);

void compact_start(struct storage *s)
{
	s->compact.timer.due = due;
	again(s);
}

static void due(struct loop_timer *t)
{
	struct storage *s = CONTAINER_OF(t, struct storage, compact.timer);
	char text[TEXT_BYTES];
	int len = snprintf(text, sizeof(text), "%lld", (long long)s->compact.revision);
	const struct etcd_txn txn = {.target = ETCD_VERSION,
		.key = COMPACT_KEY,
		.expected = s->compact.version,
		.success = {.kind = ETCD_OP_PUT,
			.key = COMPACT_KEY,
			.value = str_span(text, (size_t)len)},
		.failure = {.kind = ETCD_OP_RANGE, .key = COMPACT_KEY}};
	struct buf request;

	buf_init(&request, BUF_NO_LIMIT);
	etcd_put_txn(&request, &txn);
	s->compact.call.done = counted_up;
	etcd_start(s->etcd, &s->compact.call, ETCD_TXN, &request);
}

static void counted_up(struct etcd_call *call, str answer, const struct err *e)
{
	struct storage *s = CONTAINER_OF(call, struct storage, compact.call);
	int64_t up_to = s->compact.revision;
	struct buf request;
	bool mine = false;
	struct err why;

	if (e && e->kind == ERR_CLOSED)
		return;
	if (!e && read_count(s, answer, &mine, &why) < 0)
		e = &why;
	if (e)
		log_warning("compacting etcd: %s", e->text);
	/* At first no revision of an interval ago is known. */
	if (!mine || up_to == 0) {
		again(s);
		return;
	}
	buf_init(&request, BUF_NO_LIMIT);
	etcd_put_compact(&request, up_to);
	s->compact.call.done = compacted;
	etcd_start(s->etcd, &s->compact.call, ETCD_COMPACT, &request);
}

static int read_count(struct storage *s, str answer, bool *mine, struct err *e)
{
	struct etcd_range_answer range;
	struct etcd_txn_answer a;
	struct etcd_kv kv = {0};

	TRY(etcd_read_txn(answer, &a, e));
	if (!a.succeeded) {
		TRY(etcd_read_range(a.range, &range, e));
		(void)etcd_next_kv(&range, &kv);
	}
	s->compact.version = a.succeeded ? s->compact.version + 1 : kv.version;
	s->compact.revision = a.revision;
	*mine = a.succeeded;
	return 0;
}

static void compacted(struct etcd_call *call, UNUSED str answer, const struct err *e)
{
	struct storage *s = CONTAINER_OF(call, struct storage, compact.call);

	if (e && e->kind == ERR_CLOSED)
		return;
	if (e)
		log_warning("compacting etcd: %s", e->text);
	again(s);
}

static void again(struct storage *s)
{
	loop_timer_set(
		&s->loop, &s->compact.timer, s->loop.now_ns + s->options.compaction_interval_ns);
}
