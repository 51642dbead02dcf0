#include "lib/etcd/wire.h"

/* Numbers of fields, message by message. */
enum {
	RANGE_KEY = 1,
	RANGE_END = 2,
	RANGE_LIMIT = 3,
	RANGE_REVISION = 4,
	RANGE_KEYS_ONLY = 8,
	RANGE_COUNT_ONLY = 9,

	PUT_KEY = 1,
	PUT_VALUE = 2,
	PUT_LEASE = 3,

	DELETE_KEY = 1,
	DELETE_END = 2,

	COMPARE_TARGET = 2,
	COMPARE_KEY = 3,
	COMPARE_UNION = 4, /* and what follows, by target */

	TXN_COMPARE = 1,
	TXN_SUCCESS = 2,
	TXN_FAILURE = 3,

	COMPACT_REVISION = 1,
	GRANT_TTL = 1,
	LEASE_ID = 1,

	WATCH_CREATE = 1,
	WATCH_PROGRESS = 3,
	CREATE_KEY = 1,
	CREATE_END = 2,
	CREATE_START = 3,
	CREATE_PROGRESS = 4,
	CREATE_PREV_KV = 6,
	CREATE_FRAGMENT = 8,
};

static void put_only(struct buf *to, uint32_t number, int64_t value);
static void put_i64(struct pb_writer *w, uint32_t number, int64_t value);
static void put_text(struct pb_writer *w, uint32_t number, str text);
static void put_op(struct pb_writer *w, uint32_t number, const struct etcd_op *op);

void etcd_put_range(struct buf *to, const struct etcd_range *r)
{
	struct pb_writer w;

	pb_write_start(&w, to);
	put_i64(&w, RANGE_COUNT_ONLY, r->count_only);
	put_i64(&w, RANGE_KEYS_ONLY, r->keys_only);
	put_i64(&w, RANGE_REVISION, r->revision);
	put_i64(&w, RANGE_LIMIT, r->limit);
	put_text(&w, RANGE_END, r->end);
	put_text(&w, RANGE_KEY, r->key);
	pb_write_end(&w);
}

void etcd_put_txn(struct buf *to, const struct etcd_txn *t)
{
	struct pb_writer w;

	pb_write_start(&w, to);
	put_op(&w, TXN_FAILURE, &t->failure);
	put_op(&w, TXN_SUCCESS, &t->success);

	size_t mark = pb_mark(&w);

	/* What is compared with is written though it be 0: a member of a union that is not there
	 * is none. */
	pb_put_u64(&w, COMPARE_UNION + t->target, (uint64_t)t->expected);
	put_text(&w, COMPARE_KEY, t->key);
	put_i64(&w, COMPARE_TARGET, t->target);
	pb_put_length(&w, TXN_COMPARE, mark);
	pb_write_end(&w);
}

void etcd_put_put(struct buf *to, str key, str value, int64_t lease)
{
	struct pb_writer w;

	pb_write_start(&w, to);
	put_i64(&w, PUT_LEASE, lease);
	put_text(&w, PUT_VALUE, value);
	put_text(&w, PUT_KEY, key);
	pb_write_end(&w);
}

void etcd_put_delete(struct buf *to, str key, str end)
{
	struct pb_writer w;

	pb_write_start(&w, to);
	put_text(&w, DELETE_END, end);
	put_text(&w, DELETE_KEY, key);
	pb_write_end(&w);
}

void etcd_put_compact(struct buf *to, int64_t revision)
{
	put_only(to, COMPACT_REVISION, revision);
}

void etcd_put_grant(struct buf *to, int64_t ttl_s)
{
	put_only(to, GRANT_TTL, ttl_s);
}

void etcd_put_lease(struct buf *to, int64_t id)
{
	put_only(to, LEASE_ID, id);
}

void etcd_put_watch_create(struct buf *to, const struct etcd_watch_create *c)
{
	struct pb_writer w;

	pb_write_start(&w, to);

	size_t mark = pb_mark(&w);

	put_i64(&w, CREATE_FRAGMENT, true);
	put_i64(&w, CREATE_PREV_KV, c->prev_kv);
	put_i64(&w, CREATE_PROGRESS, c->progress_notify);
	put_i64(&w, CREATE_START, c->start_revision);
	put_text(&w, CREATE_END, c->end);
	put_text(&w, CREATE_KEY, c->key);
	pb_put_length(&w, WATCH_CREATE, mark);
	pb_write_end(&w);
}

void etcd_put_watch_progress(struct buf *to)
{
	struct pb_writer w;

	pb_write_start(&w, to);
	pb_put_length(&w, WATCH_PROGRESS, pb_mark(&w));
	pb_write_end(&w);
}

/* A message of one number. */
static void put_only(struct buf *to, uint32_t number, int64_t value)
{
	struct pb_writer w;

	pb_write_start(&w, to);
	put_i64(&w, number, value);
	pb_write_end(&w);
}

static void put_i64(struct pb_writer *w, uint32_t number, int64_t value)
{
	if (value != 0)
		pb_put_u64(w, number, (uint64_t)value);
}

static void put_text(struct pb_writer *w, uint32_t number, str text)
{
	if (text.len > 0)
		pb_put_bytes(w, number, text);
}

static void put_op(struct pb_writer *w, uint32_t number, const struct etcd_op *op)
{
	size_t outer = pb_mark(w);
	size_t inner = outer;

	switch (op->kind) {
	case ETCD_OP_NONE: return;
	case ETCD_OP_RANGE: put_text(w, RANGE_KEY, op->key); break;
	case ETCD_OP_DELETE: put_text(w, DELETE_KEY, op->key); break;
	case ETCD_OP_PUT:
		put_i64(w, PUT_LEASE, op->lease);
		put_text(w, PUT_VALUE, op->value);
		put_text(w, PUT_KEY, op->key);
		break;
	}
	pb_put_length(w, op->kind, inner);
	pb_put_length(w, number, outer);
}
