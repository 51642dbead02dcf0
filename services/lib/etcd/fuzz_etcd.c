#include "lib/etcd/wire.h"

/* Answers of etcd, of every kind: what was taken as a whole can be walked to its end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_range(str answer)
{
	struct etcd_range_answer a;
	struct etcd_kv kv;
	struct err e;

	if (etcd_read_range(answer, &a, &e) < 0)
		return;
	while (etcd_next_kv(&a, &kv))
		if (!kv.key.at || !kv.value.at)
			__builtin_trap();
	if (pb_more(&a.rest))
		__builtin_trap();
}

static void walk_watch(str answer)
{
	struct etcd_watch_answer a;
	struct etcd_event event;
	struct err e;
	bool any = false;

	if (etcd_read_watch(answer, &a, &e) < 0)
		return;
	while (etcd_next_event(&a, &event)) {
		any = true;
		if (!event.kv.key.at)
			__builtin_trap();
	}
	if (pb_more(&a.rest) || any != a.has_events)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_span((const char *)data, size);
	struct etcd_txn_answer txn;
	struct etcd_grant_answer grant;
	struct etcd_status_answer status;
	int64_t revision;
	struct err e;

	walk_range(in);
	walk_watch(in);
	if (etcd_read_txn(in, &txn, &e) == 0 && txn.range.at)
		walk_range(txn.range);
	(void)!etcd_read_grant(in, &grant, &e);
	(void)!etcd_read_status(in, &status, &e);
	(void)!etcd_read_revision(in, &revision, &e);
	return 0;
}
