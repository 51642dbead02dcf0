/*
 * The messages of etcd's v3 API, as far as Kubernetes uses them: requests are written whole,
 * answers are read where they lie.
 *
 * Ownership: texts point into the answer. Threading: any; no state. Limits: an answer is checked
 * whole when it is read, so that walking it afterwards cannot fail.
 *
 * Source: etcd's api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto.
 */
#pragma once

#include "lib/codec/pb.h"

struct etcd_kv {
	str key, value;
	int64_t create_revision, mod_revision, version, lease;
};

/* --- requests; each is one message, added to a buffer */

/* `end` absent: the one key. */
struct etcd_range {
	str key, end;
	int64_t limit;    /* 0: none */
	int64_t revision; /* 0: the present */
	bool keys_only, count_only;
};

void etcd_put_range(struct buf *to, const struct etcd_range *r);

enum etcd_compare_target { ETCD_VERSION = 0, ETCD_CREATE_REVISION = 1, ETCD_MOD_REVISION = 2 };
enum etcd_op_kind { ETCD_OP_NONE = 0, ETCD_OP_RANGE = 1, ETCD_OP_PUT = 2, ETCD_OP_DELETE = 3 };

struct etcd_op {
	enum etcd_op_kind kind;
	str key, value;
	int64_t lease;
};

/* If `target` of `key` equals `expected`, `success`, else `failure`. */
struct etcd_txn {
	enum etcd_compare_target target;
	str key;
	int64_t expected;
	struct etcd_op success, failure;
};

void etcd_put_txn(struct buf *to, const struct etcd_txn *t);
void etcd_put_put(struct buf *to, str key, str value, int64_t lease);
void etcd_put_delete(struct buf *to, str key, str end);
void etcd_put_compact(struct buf *to, int64_t revision);
void etcd_put_grant(struct buf *to, int64_t ttl_s);
void etcd_put_lease(struct buf *to, int64_t id); /* to revoke it, or to keep it alive */

struct etcd_watch_create {
	str key, end;
	int64_t start_revision;
	bool progress_notify, prev_kv;
};

/* In fragments, so that no answer is larger than a request may be. */
void etcd_put_watch_create(struct buf *to, const struct etcd_watch_create *w);
void etcd_put_watch_progress(struct buf *to);

/* --- answers */

struct etcd_range_answer {
	int64_t revision, count;
	bool more;
	struct pb_reader rest;
};

NODISCARD int etcd_read_range(str answer, struct etcd_range_answer *to, struct err *e);

/* The next key with its value; false at the end. */
bool etcd_next_kv(struct etcd_range_answer *a, struct etcd_kv *to);

struct etcd_txn_answer {
	int64_t revision;
	bool succeeded;
	str range; /* what the operation's range answered; absent if it was none */
};

NODISCARD int etcd_read_txn(str answer, struct etcd_txn_answer *to, struct err *e);

/* Of an answer that has no more than its header to tell. */
NODISCARD int etcd_read_revision(str answer, int64_t *to, struct err *e);

struct etcd_grant_answer {
	int64_t id, ttl_s;
};

NODISCARD int etcd_read_grant(str answer, struct etcd_grant_answer *to, struct err *e);

struct etcd_status_answer {
	str version;
	int64_t db_bytes;
	uint64_t leader; /* 0: none */
};

NODISCARD int etcd_read_status(str answer, struct etcd_status_answer *to, struct err *e);

struct etcd_event {
	bool deleted;
	struct etcd_kv kv; /* of a deletion: its key and revision */
};

struct etcd_watch_answer {
	int64_t revision, compact_revision;
	bool created, canceled, fragment, has_events;
	str cancel_reason;
	struct pb_reader rest;
};

NODISCARD int etcd_read_watch(str answer, struct etcd_watch_answer *to, struct err *e);
bool etcd_next_event(struct etcd_watch_answer *a, struct etcd_event *to);
