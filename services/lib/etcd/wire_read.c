#include "lib/etcd/wire.h"

/* Numbers of fields, message by message. */
enum {
	ANSWER_HEADER = 1,
	HEADER_REVISION = 3,

	RANGE_KVS = 2,
	RANGE_MORE = 3,
	RANGE_COUNT = 4,

	KV_KEY = 1,
	KV_CREATE_REVISION = 2,
	KV_MOD_REVISION = 3,
	KV_VERSION = 4,
	KV_VALUE = 5,
	KV_LEASE = 6,

	TXN_SUCCEEDED = 2,
	TXN_RESPONSES = 3,
	RESPONSE_RANGE = 1,

	GRANT_ID = 2,
	GRANT_TTL = 3,
	GRANT_ERROR = 4,

	STATUS_VERSION = 2,
	STATUS_DB_BYTES = 3,
	STATUS_LEADER = 4,

	WATCH_CREATED = 3,
	WATCH_CANCELED = 4,
	WATCH_COMPACT_REVISION = 5,
	WATCH_CANCEL_REASON = 6,
	WATCH_FRAGMENT = 7,
	WATCH_EVENTS = 11,

	EVENT_TYPE = 1,
	EVENT_KV = 2,
};

static int read_header(const struct pb_field *f, int64_t *revision, struct err *e);
static int read_kv(str message, struct etcd_kv *to, struct err *e);
static int read_event(str message, struct etcd_event *to, struct err *e);
static bool is(const struct pb_field *f, uint32_t number, enum pb_wire wire);

int etcd_read_range(str answer, struct etcd_range_answer *to, struct err *e)
{
	struct etcd_range_answer a = {.rest = pb_read(answer)};
	struct pb_reader r = pb_read(answer);
	struct etcd_kv kv;

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, ANSWER_HEADER, PB_BYTES))
			TRY(read_header(&f, &a.revision, e));
		else if (is(&f, RANGE_KVS, PB_BYTES))
			TRY(read_kv(f.bytes, &kv, e));
		else if (is(&f, RANGE_MORE, PB_VARINT))
			a.more = f.value != 0;
		else if (is(&f, RANGE_COUNT, PB_VARINT))
			a.count = (int64_t)f.value;
	}
	*to = a;
	return 0;
}

bool etcd_next_kv(struct etcd_range_answer *a, struct etcd_kv *to)
{
	struct err e;

	for (struct pb_field f; pb_more(&a->rest) && pb_next(&a->rest, &f, &e) == 0;)
		if (is(&f, RANGE_KVS, PB_BYTES))
			return read_kv(f.bytes, to, &e) == 0;
	return false;
}

int etcd_read_txn(str answer, struct etcd_txn_answer *to, struct err *e)
{
	struct etcd_txn_answer a = {0};
	struct pb_reader r = pb_read(answer);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, ANSWER_HEADER, PB_BYTES))
			TRY(read_header(&f, &a.revision, e));
		else if (is(&f, TXN_SUCCEEDED, PB_VARINT))
			a.succeeded = f.value != 0;
		if (!is(&f, TXN_RESPONSES, PB_BYTES))
			continue;

		struct pb_reader response = pb_read(f.bytes);

		while (pb_more(&response)) {
			TRY(pb_next(&response, &f, e));
			if (is(&f, RESPONSE_RANGE, PB_BYTES))
				a.range = f.bytes;
		}
	}
	*to = a;
	return 0;
}

int etcd_read_revision(str answer, int64_t *to, struct err *e)
{
	struct pb_reader r = pb_read(answer);
	int64_t revision = 0;

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, ANSWER_HEADER, PB_BYTES))
			TRY(read_header(&f, &revision, e));
	}
	*to = revision;
	return 0;
}

int etcd_read_grant(str answer, struct etcd_grant_answer *to, struct err *e)
{
	struct etcd_grant_answer a = {0};
	struct pb_reader r = pb_read(answer);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, GRANT_ID, PB_VARINT))
			a.id = (int64_t)f.value;
		else if (is(&f, GRANT_TTL, PB_VARINT))
			a.ttl_s = (int64_t)f.value;
		else if (is(&f, GRANT_ERROR, PB_BYTES) && f.bytes.len > 0)
			return err_set(
				e, ERR_UNAVAILABLE, "granting a lease: %.*s", STR_ARG(f.bytes));
	}
	*to = a;
	return 0;
}

int etcd_read_status(str answer, struct etcd_status_answer *to, struct err *e)
{
	struct etcd_status_answer a = {0};
	struct pb_reader r = pb_read(answer);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, STATUS_VERSION, PB_BYTES))
			a.version = f.bytes;
		else if (is(&f, STATUS_DB_BYTES, PB_VARINT))
			a.db_bytes = (int64_t)f.value;
		else if (is(&f, STATUS_LEADER, PB_VARINT))
			a.leader = f.value;
	}
	*to = a;
	return 0;
}

int etcd_read_watch(str answer, struct etcd_watch_answer *to, struct err *e)
{
	struct etcd_watch_answer a = {.rest = pb_read(answer)};
	struct pb_reader r = pb_read(answer);
	struct etcd_event event;

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, ANSWER_HEADER, PB_BYTES)) {
			TRY(read_header(&f, &a.revision, e));
		} else if (is(&f, WATCH_EVENTS, PB_BYTES)) {
			TRY(read_event(f.bytes, &event, e));
			a.has_events = true;
		} else if (is(&f, WATCH_CREATED, PB_VARINT)) {
			a.created = f.value != 0;
		} else if (is(&f, WATCH_CANCELED, PB_VARINT)) {
			a.canceled = f.value != 0;
		} else if (is(&f, WATCH_COMPACT_REVISION, PB_VARINT)) {
			a.compact_revision = (int64_t)f.value;
		} else if (is(&f, WATCH_CANCEL_REASON, PB_BYTES)) {
			a.cancel_reason = f.bytes;
		} else if (is(&f, WATCH_FRAGMENT, PB_VARINT)) {
			a.fragment = f.value != 0;
		}
	}
	*to = a;
	return 0;
}

bool etcd_next_event(struct etcd_watch_answer *a, struct etcd_event *to)
{
	struct err e;

	for (struct pb_field f; pb_more(&a->rest) && pb_next(&a->rest, &f, &e) == 0;)
		if (is(&f, WATCH_EVENTS, PB_BYTES))
			return read_event(f.bytes, to, &e) == 0;
	return false;
}

static int read_header(const struct pb_field *f, int64_t *revision, struct err *e)
{
	struct pb_reader r = pb_read(f->bytes);

	for (struct pb_field in; pb_more(&r);) {
		TRY(pb_next(&r, &in, e));
		if (is(&in, HEADER_REVISION, PB_VARINT))
			*revision = (int64_t)in.value;
	}
	return 0;
}

static int read_kv(str message, struct etcd_kv *to, struct err *e)
{
	struct etcd_kv kv = {.key = STR(""), .value = STR("")};
	struct pb_reader r = pb_read(message);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, KV_KEY, PB_BYTES))
			kv.key = f.bytes;
		else if (is(&f, KV_VALUE, PB_BYTES))
			kv.value = f.bytes;
		else if (is(&f, KV_CREATE_REVISION, PB_VARINT))
			kv.create_revision = (int64_t)f.value;
		else if (is(&f, KV_MOD_REVISION, PB_VARINT))
			kv.mod_revision = (int64_t)f.value;
		else if (is(&f, KV_VERSION, PB_VARINT))
			kv.version = (int64_t)f.value;
		else if (is(&f, KV_LEASE, PB_VARINT))
			kv.lease = (int64_t)f.value;
	}
	*to = kv;
	return 0;
}

static int read_event(str message, struct etcd_event *to, struct err *e)
{
	struct etcd_event event = {0};
	struct pb_reader r = pb_read(message);

	for (struct pb_field f; pb_more(&r);) {
		TRY(pb_next(&r, &f, e));
		if (is(&f, EVENT_TYPE, PB_VARINT))
			event.deleted = f.value == 1;
		else if (is(&f, EVENT_KV, PB_BYTES))
			TRY(read_kv(f.bytes, &event.kv, e));
	}
	*to = event;
	return 0;
}

static bool is(const struct pb_field *f, uint32_t number, enum pb_wire wire)
{
	return f->number == number && f->wire == wire;
}
