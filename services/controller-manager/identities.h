/*
 * Who acts: one client a controller, with a user agent and a limit of its own; with
 * --use-service-account-credentials each is the service account kube-system/NAME, by a token that
 * is asked for when needed and renewed before it ends.
 *
 * Threading: any. Source: controller-manager/pkg/clientbuilder.
 */
#pragma once

#include "controller-manager/settings.h"
#include "lib/client/client.h"

struct identities;

struct identities_options {
	const struct settings *settings;
	const struct kubeconfig *config;
	const struct clock *clock;
	int64_t timeout_ns; /* of root clients' calls; 0: the usual one */
};

NODISCARD int identities_open(
	const struct identities_options *o, struct identities **to, struct err *e);

/* Every client's calls must be over. */
void identities_close(struct identities *i);

/* The program itself, as the kubeconfig says, without limit if `qps` is 0. */
NODISCARD int identities_root(struct identities *i, const char *part, double qps,
	int64_t timeout_ns, struct client **to, struct err *e);

/* A controller, by the name of its service account. A chatty one has 20 times the rate and 100
 * times the burst: the namespace controller asks for every resource of each namespace that ends. */
NODISCARD int identities_controller(
	struct identities *i, const char *account, bool chatty, struct client **to, struct err *e);

/* Ends all waiting of all clients, from any thread. */
void identities_interrupt(struct identities *i);
