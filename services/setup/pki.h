/*
 * The certificates, keys and kubeconfigs of a control plane, under kubeadm's names in one folder:
 * ca, apiserver, apiserver-kubelet-client, front-proxy-ca, front-proxy-client, sa, etcd/..., and
 * admin.conf, controller-manager.conf, scheduler.conf beside. All keys are ECDSA P-256, private
 * files are 0600. What is there already stays as it is, unless it ends within four months or lacks
 * a name or an address that is wanted now; CAs and the key of service accounts stay for ever.
 *
 * Validity begins an hour early, for clocks that disagree: CAs ten years, the rest one.
 * Source: kubernetes.io/docs/setup/best-practices/certificates.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/value/text_map.h"

struct pki_options {
	str folder;                       /* of the kubeconfigs; certificates lie in pki/ below */
	str server;                       /* https://HOST:PORT, in the kubeconfigs */
	str node_name;                    /* a name for the API server's and etcd's certificates */
	struct str_list names, addresses; /* more for the API server's */
};

/* Who uses what was made anew. */
enum pki_user {
	PKI_API_SERVING = 1 << 0,
	PKI_API_CLIENTS = 1 << 1, /* the API server's own, towards etcd and others */
	PKI_ETCD = 1 << 2,
	PKI_CONTROLLER_MANAGER = 1 << 3,
	PKI_SCHEDULER = 1 << 4,
	PKI_ADMIN = 1 << 5,
	PKI_CA = 1 << 6,
};

/* `*changed` gets enum pki_user; also when it fails, of what was made before. */
NODISCARD int pki_make(
	const struct pki_options *o, const struct clock *c, unsigned *changed, struct err *e);
