/*
 * Webhooks: people's own servers that are asked about requests. The configurations as one list,
 * which webhook is asked about what, and what is said to it.
 *
 * Objects go out in their stored version. Lifetimes: the request's arena. Threading: as plugins.
 * Source: apiserver/pkg/admission/plugin/webhook.
 */
#pragma once

#include "apiserver/admission/plugin.h"
#include "apiserver/callout/callout.h"

/* One of a validating or mutating configuration. */
struct webhook {
	str configuration, name;
	str id; /* tells it apart from all others, for reinvocation */
	const struct admission_webhook_client_config *client;
	const struct admission_rule_with_operations *rules;
	size_t rule_count;
	const struct label_selector *namespaces, *objects; /* NULL: all */
	const struct str_list *review_versions;
	int32_t timeout_s;
	bool ignore_failures; /* failurePolicy Ignore */
	bool equivalent;      /* matchPolicy Equivalent */
	bool may_dry_run;     /* it has no side effects then */
	bool reinvoke;        /* reinvocationPolicy IfNeeded */
};

struct webhook_list {
	struct webhook *at;
	size_t len;
};

/* All of them in upstream's order: by the configuration's name, then as written. */
NODISCARD int webhooks_read(struct admission *n, const struct admission_attributes *t,
	bool mutating, struct webhook_list *to, struct err *e);

/* The resource under whose name a rule matches the request, `t->resource` or, where the webhook
 * says so, another version of it; NULL when none does. */
const struct resource *webhook_rule_match(
	const struct webhook *w, const struct admission_attributes *t);

/* With selectors as well. Fails when the namespace is not there. */
NODISCARD int webhook_match(struct admission *n, const struct admission_attributes *t,
	const struct webhook *w, const struct resource **to, struct err *e);

/* "CREATE" */
str webhook_operation(enum admission_operation o);

/* What a webhook is asked, and under which uid. */
struct webhook_review {
	const struct webhook *webhook;
	const struct resource *resource; /* as webhook_match said */
	str uid, body;
	const char *version; /* of AdmissionReview: "v1", "v1beta1" */
};

NODISCARD int webhook_review_make(struct admission *n, const struct admission_attributes *t,
	struct webhook_review *r, struct err *e);

/* What it answered, held against what a webhook may say. */
NODISCARD int webhook_review_read(struct arena *a, const struct webhook_review *r, bool mutating,
	str answer, struct admission_response **to, struct err *e);

/* admission webhook "x" denied the request: why. Returns -1. */
int webhook_denied(struct arena *a, const struct webhook *w, const struct status *s, struct err *e);

/* The state of one request's passes through mutating webhooks. */
struct webhook_round {
	struct str_list invoked,
		again; /* ids of those that are called anew if something changes, and
					   of those that are now */
	size_t invoked_cap, again_cap;
	const void *last; /* the object as the last pass left it; NULL: was not looked at */
};

/* What plugins tell each other in the course of one admission_mutate. */
struct admission_round {
	bool again;  /* this is the second time */
	bool wanted; /* let there be a second time */
	struct webhook_round webhooks;
};
