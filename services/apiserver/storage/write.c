#include "apiserver/storage/state.h"

/*
 * Writes, and reads past the cache. The calling thread encodes the request and decodes the answer;
 * the store thread sends all that came in one turn together.
 */

enum { PAGE_KEYS = 500 };

/* A request to etcd, on the stack of the thread that waits for the answer. */
struct request {
	struct storage *storage;
	struct loop_task task;
	struct etcd_call call;
	enum etcd_method method;
	struct buf *message, *answer;
	struct err error;
	sem_t done;
};

static void send_request(struct loop_task *t);
static void request_done(struct etcd_call *call, str answer, const struct err *e);
static void finish(struct request *r, const struct err *e);
static int ask_counted(struct storage *s, const struct cache *c, enum count_operation op,
	enum etcd_method method, struct buf *message, struct buf *answer, struct err *e);
static int run_txn(struct storage *s, const struct cache *c, const struct etcd_txn *t,
	struct buf *answer, struct etcd_txn_answer *to, struct err *e);
static int replace(struct storage *s, const struct stored *before, const struct etcd_op *op,
	int64_t *revision, struct stored **current, struct err *e);
static int conflict(struct cache *c, const struct stored *before, str range,
	struct stored **current, struct err *e);
static int is_unchanged(struct storage *s, struct cache *c, const struct stored *before,
	const void *object, bool *same, struct err *e);
static int read_range(struct storage *s, const struct cache *c, const struct etcd_range *r,
	struct buf *answer, struct etcd_range_answer *to, struct err *e);
static int read_entry(
	struct cache *c, str key, const struct etcd_kv *kv, struct stored **to, struct err *e);
static int read_page(struct storage *s, struct cache *c, int64_t revision, int64_t limit,
	struct buf *key, struct entry_scratch *scratch, struct btree_node **root, bool *more,
	struct err *e);

int storage_ask(struct storage *s, enum etcd_method method, struct buf *message, struct buf *answer,
	struct err *e)
{
	struct request r = {.storage = s,
		.task.run = send_request,
		.call.done = request_done,
		.method = method,
		.message = message,
		.answer = answer};

	buf_reset(answer);
	sem_init(&r.done, 0, 0);
	loop_post(&s->loop, &r.task);
	storage_sleep(&r.done);
	buf_free(message);
	if (r.error.kind == ERR_NONE)
		return 0;
	*e = r.error;
	return -1;
}

void storage_key(const struct cache *c, str ns, str name, struct buf *to)
{
	buf_add_str(to, c->prefix);
	if (c->kind.resource->namespaced) {
		buf_add_str(to, ns);
		buf_add_char(to, '/');
	}
	buf_add_str(to, name);
}

int storage_create(struct storage *s, const struct resource *r, const void *object, int64_t ttl_s,
	int64_t *revision, struct err *e)
{
	struct cache *c = storage_cache(s, r);
	struct etcd_txn t = {.target = ETCD_MOD_REVISION, .success.kind = ETCD_OP_PUT};
	struct etcd_txn_answer a = {0};
	struct buf key, value, answer;
	int result = -1;
	str ns, name;

	buf_init(&key, BUF_NO_LIMIT);
	buf_init(&value, BUF_NO_LIMIT);
	buf_init(&answer, BUF_NO_LIMIT);
	entry_name(&c->kind, object, &ns, &name);
	storage_key(c, ns, name, &key);
	if (entry_write(&c->kind, object, 0, &value, e) == 0 &&
		lease_get(s, ttl_s, &t.success.lease, e) == 0) {
		t.key = t.success.key = buf_str(&key);
		t.success.value = buf_str(&value);
		result = run_txn(s, c, &t, &answer, &a, e);
	}
	if (result == 0 && !a.succeeded)
		result = err_set(e, ERR_EXISTS, "\"%.*s\" already exists", STR_ARG(name));
	if (result == 0)
		*revision = a.revision;
	buf_free(&key);
	buf_free(&value);
	buf_free(&answer);
	return result;
}

int storage_update(struct storage *s, const struct stored *before, const void *object,
	int64_t ttl_s, int64_t *revision, struct stored **current, struct err *e)
{
	struct cache *c = storage_cache(s, before->resource);
	struct etcd_op op = {.kind = ETCD_OP_PUT};
	struct buf value;
	int result = -1;
	bool same;

	TRY(is_unchanged(s, c, before, object, &same, e));
	if (same) {
		*revision = before->revision;
		return 0;
	}
	buf_init(&value, BUF_NO_LIMIT);
	if (entry_write(&c->kind, object, 0, &value, e) == 0 &&
		lease_get(s, ttl_s, &op.lease, e) == 0) {
		op.value = buf_str(&value);
		result = replace(s, before, &op, revision, current, e);
	}
	buf_free(&value);
	return result;
}

int storage_delete(struct storage *s, const struct stored *before, int64_t *revision,
	struct stored **current, struct err *e)
{
	const struct etcd_op op = {.kind = ETCD_OP_DELETE};

	return replace(s, before, &op, revision, current, e);
}

int storage_fetch(struct storage *s, const struct resource *r, str ns, str name, struct stored **to,
	struct err *e)
{
	struct cache *c = storage_cache(s, r);
	struct etcd_range_answer a;
	struct etcd_kv kv;
	struct buf key, answer;
	int result;

	buf_init(&key, BUF_NO_LIMIT);
	buf_init(&answer, BUF_NO_LIMIT);
	storage_key(c, ns, name, &key);

	const struct etcd_range range = {.key = buf_str(&key)};

	result = read_range(s, c, &range, &answer, &a, e);
	if (result == 0 && !etcd_next_kv(&a, &kv))
		result = err_set(e, ERR_NOT_FOUND, "\"%.*s\" not found", STR_ARG(name));
	if (result == 0) {
		struct stored *cached = storage_get(s, c->kind.resource, ns, name);

		if (cached && cached->revision == kv.mod_revision) {
			*to = cached;
		} else {
			str rest = str_slice(kv.key, c->prefix.len, SIZE_MAX);

			if (cached)
				counted_drop(&cached->counted);
			result = read_entry(c, rest, &kv, to, e);
		}
	}
	buf_free(&key);
	buf_free(&answer);
	return result;
}

int storage_snapshot_at(struct storage *s, const struct resource *r, int64_t revision,
	struct snapshot **to, struct err *e)
{
	struct cache *c = storage_cache(s, r);
	struct snapshot *n = cache_snapshot_at(s, c, revision);
	struct btree_node *root = NULL;

	if (!n) {
		TRY(storage_read_pages(s, c, revision, &root, e));
		n = snapshot_new(root, revision);
	}
	*to = n;
	return 0;
}

static void send_request(struct loop_task *t)
{
	struct request *r = CONTAINER_OF(t, struct request, task);
	struct err e;

	if (atomic_load(&r->storage->closing)) {
		err_write(&e, ERR_CLOSED, "the storage is closed");
		finish(r, &e);
		return;
	}
	etcd_start(r->storage->etcd, &r->call, r->method, r->message);
}

static void request_done(struct etcd_call *call, str answer, const struct err *e)
{
	struct request *r = CONTAINER_OF(call, struct request, call);

	buf_add_str(r->answer, answer);
	finish(r, e);
}

/* The asking thread goes on at once: `r` may be gone when this returns. */
static void finish(struct request *r, const struct err *e)
{
	if (e)
		r->error = *e;
	sem_post(&r->done);
}

static int ask_counted(struct storage *s, const struct cache *c, enum count_operation op,
	enum etcd_method method, struct buf *message, struct buf *answer, struct err *e)
{
	int64_t began_ns = count_begin(s);
	int result = storage_ask(s, method, message, answer, e);

	count_request(s, c, op, began_ns, result < 0);
	return result;
}

static int run_txn(struct storage *s, const struct cache *c, const struct etcd_txn *t,
	struct buf *answer, struct etcd_txn_answer *to, struct err *e)
{
	enum count_operation op = t->success.kind == ETCD_OP_DELETE ? COUNT_DELETE
		: t->expected == 0                                  ? COUNT_CREATE
								    : COUNT_UPDATE;
	struct buf message;

	buf_init(&message, BUF_NO_LIMIT);
	etcd_put_txn(&message, t);
	TRY(ask_counted(s, c, op, ETCD_TXN, &message, answer, e));
	return etcd_read_txn(buf_str(answer), to, e);
}

static int read_range(struct storage *s, const struct cache *c, const struct etcd_range *range,
	struct buf *answer, struct etcd_range_answer *to, struct err *e)
{
	enum count_operation op = range->end.at ? COUNT_LIST : COUNT_GET;
	struct buf message;

	buf_init(&message, BUF_NO_LIMIT);
	etcd_put_range(&message, range);
	TRY(ask_counted(s, c, op, ETCD_RANGE, &message, answer, e));
	return etcd_read_range(buf_str(answer), to, e);
}

static int replace(struct storage *s, const struct stored *before, const struct etcd_op *op,
	int64_t *revision, struct stored **current, struct err *e)
{
	struct cache *c = storage_cache(s, before->resource);
	struct etcd_txn t = {.target = ETCD_MOD_REVISION,
		.expected = before->revision,
		.success = *op,
		.failure.kind = ETCD_OP_RANGE};
	struct etcd_txn_answer a;
	struct buf key, answer;
	int result;

	buf_init(&key, BUF_NO_LIMIT);
	buf_init(&answer, BUF_NO_LIMIT);
	storage_key(c, before->ns, before->name, &key);
	t.key = t.success.key = t.failure.key = buf_str(&key);
	result = run_txn(s, c, &t, &answer, &a, e);
	if (result == 0 && !a.succeeded)
		result = conflict(c, before, a.range, current, e);
	else if (result == 0)
		*revision = a.revision;
	buf_free(&key);
	buf_free(&answer);
	return result;
}

static int conflict(struct cache *c, const struct stored *before, str range,
	struct stored **current, struct err *e)
{
	struct etcd_range_answer a;
	struct stored *now = NULL;
	struct etcd_kv kv;

	TRY(etcd_read_range(range, &a, e));
	if (etcd_next_kv(&a, &kv))
		TRY(read_entry(c, stored_key(before), &kv, &now, e));
	*current = now;
	return err_set(e, ERR_CONFLICT, "\"%.*s\" has been changed or deleted meanwhile",
		STR_ARG(before->name));
}

/*
 * An update that changes nothing is not written, as with upstream, so that no revision comes of
 * it. What is in etcd may lack defaults that the cache has, or be of another version: then it is.
 */
static int is_unchanged(struct storage *s, struct cache *c, const struct stored *before,
	const void *object, bool *same, struct err *e)
{
	struct etcd_range_answer a;
	struct buf value, key, answer;
	struct etcd_kv kv;
	int result;

	*same = false;
	buf_init(&value, BUF_NO_LIMIT);
	result = entry_write(&c->kind, object, before->revision, &value, e);
	if (result < 0 || !str_eq(buf_str(&value), before->envelope)) {
		buf_free(&value);
		return result;
	}
	buf_init(&key, BUF_NO_LIMIT);
	buf_init(&answer, BUF_NO_LIMIT);
	storage_key(c, before->ns, before->name, &key);
	buf_reset(&value);

	const struct etcd_range range = {.key = buf_str(&key)};

	result = entry_write(&c->kind, object, 0, &value, e);
	if (result == 0)
		result = read_range(s, c, &range, &answer, &a, e);
	if (result == 0 && etcd_next_kv(&a, &kv))
		*same = kv.mod_revision == before->revision && str_eq(kv.value, buf_str(&value));
	buf_free(&value);
	buf_free(&key);
	buf_free(&answer);
	return result;
}

static int read_entry(
	struct cache *c, str key, const struct etcd_kv *kv, struct stored **to, struct err *e)
{
	struct entry_scratch scratch;
	int result;

	entry_scratch_init(&scratch);
	result = entry_read(&scratch, &c->kind, key, kv->value, kv->mod_revision, to, e);
	entry_scratch_free(&scratch);
	return result;
}

int storage_read_pages(struct storage *s, struct cache *c, int64_t revision,
	struct btree_node **root, struct err *e)
{
	struct entry_scratch scratch;
	struct btree_node *all = NULL;
	int64_t limit = PAGE_KEYS;
	bool more = true;
	int result = 0;
	struct buf key;

	buf_init(&key, BUF_NO_LIMIT);
	buf_add_str(&key, c->prefix);
	entry_scratch_init(&scratch);
	while (result == 0 && more) {
		result = read_page(s, c, revision, limit, &key, &scratch, &all, &more, e);
		/* Pages of large objects have fewer of them. */
		if (result < 0 && e->kind == ERR_LIMIT && limit > 1) {
			limit /= 2;
			result = 0;
		}
	}
	entry_scratch_free(&scratch);
	buf_free(&key);
	if (result < 0)
		btree_drop(all);
	else
		*root = all;
	return result;
}

/* `key` moves on to where the next page begins. */
static int read_page(struct storage *s, struct cache *c, int64_t revision, int64_t limit,
	struct buf *key, struct entry_scratch *scratch, struct btree_node **root, bool *more,
	struct err *e)
{
	struct etcd_range_answer a;
	struct etcd_kv kv = {0};
	struct buf answer, end;
	struct stored *o;
	struct err why;
	int result;

	buf_init(&answer, BUF_NO_LIMIT);
	buf_init(&end, BUF_NO_LIMIT);
	buf_add_str(&end, c->prefix);
	end.at[end.len - 1]++;

	const struct etcd_range range = {
		.key = buf_str(key), .end = buf_str(&end), .limit = limit, .revision = revision};

	result = read_range(s, c, &range, &answer, &a, e);
	while (result == 0 && etcd_next_kv(&a, &kv)) {
		str rest = str_slice(kv.key, c->prefix.len, SIZE_MAX);

		if (entry_read(scratch, &c->kind, rest, kv.value, kv.mod_revision, &o, &why) == 0)
			btree_put(root, o);
	}
	if (result == 0) {
		*more = a.more && kv.key.at;
		buf_reset(key);
		buf_add_str(key, kv.key);
		buf_add_char(key, '\0');
	}
	buf_free(&answer);
	buf_free(&end);
	return result;
}
