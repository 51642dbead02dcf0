/*
 * One request against the quotas of its namespace: the pure part of ResourceQuota.
 */
#pragma once

#include "apiserver/admission/plugin.h"
#include "lib/api/quota.h"

/* A quota that requests are being charged to. */
struct quota_account {
	struct stored *stored; /* a reference; what `quota` was read from */
	struct resource_quota *quota;
	struct quantity_map used; /* with what was charged here */
	bool changed;
};

struct quota_accounts {
	struct quota_account *at;
	size_t len;
};

/* Whether the request can use anything more at all. */
bool quota_concerns(const struct admission_attributes *t);

/*
 * Charges the request to every account that it belongs to, in memory of `a`; `*changed` when that
 * changed one. Forbidden, with nothing charged, when one of them does not allow it.
 */
NODISCARD int quota_charge(struct arena *a, const struct admission_attributes *t, int64_t now_s,
	struct quota_accounts *to, bool *changed, struct err *e);

/* The cpu and memory that a quota counts, and that containers must therefore ask for, but do not:
 * "cpu for: a,b; limits.memory for: a". Empty when nothing is missing. */
str quota_missing(struct arena *a, const struct quantity_map *counted, const struct pod *p);
