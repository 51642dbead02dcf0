/*
 * Aggregation: which group-versions are served, by us or by API servers behind Services, as the
 * APIServices say (kube-aggregator's controllers).
 *
 * One thread follows the APIServices: it registers the built-in group-versions once and those of
 * custom resources all along, checks servers behind Services whenever they, their Service or its
 * endpoints change and every 30 s, writes what it finds as the condition Available, and publishes
 * what others route and discover by.
 *
 * Threading: questions from any thread; answers are references.
 */
#pragma once

#include "apiserver/apiextensions/apiextensions.h"
#include "apiserver/callout/callout.h"
#include "lib/crypto/tls.h"

struct aggregator;

struct aggregator_options {
	struct storage *storage;
	struct registry *registry;
	struct extensions *extensions;
	struct callouts *callouts;
	const struct clock *clock;
	str cert_pem, key_pem; /* --proxy-client-cert-file; absent: we show none */
	bool endpoint_routing; /* --enable-aggregator-routing */
};

/* When this returns, what is built in is registered, if etcd takes it. */
NODISCARD int aggregator_open(
	const struct aggregator_options *o, struct aggregator **to, struct err *e);

/* Before the extensions'. */
void aggregator_close(struct aggregator *g);

/* One APIService. */
struct aggregated {
	str name, group, version;
	int32_t group_priority, version_priority;
	bool remote, available;
	str service_ns, service_name;
	int32_t service_port;
	struct tls_context *tls;                   /* a reference; NULL: it cannot be trusted */
	const struct api_resource_list *resources; /* as it told them last; NULL: never */
};

/* All of one moment. */
struct aggregation {
	struct counted counted;
	struct arena arena;
	struct aggregated *at;
	size_t count;
	int64_t serial; /* another one: something has changed */
};

/* A reference. */
struct aggregation *aggregator_take(struct aggregator *g);
int64_t aggregator_serial(struct aggregator *g);

/* NULL: there is no such APIService. */
const struct aggregated *aggregation_find(const struct aggregation *n, str group, str version);

/* Where a server is now: "10.1.2.3:443". Does not block. */
NODISCARD int aggregator_resolve(
	struct aggregator *g, struct arena *a, const struct aggregated *s, str *to, struct err *e);

/* What upstream gives the group-versions of its own, and to those of custom resources. */
struct priority {
	int32_t group, version;
};
struct priority aggregation_priority(const struct aggregation *n, str group, str version);
