/*
 * The certificates, keys and kubeconfigs of a control plane, under kubeadm's names in one folder:
 * ca, apiserver, apiserver-kubelet-client, front-proxy-ca, front-proxy-client, sa, etcd/..., and
 * admin.conf, controller-manager.conf, scheduler.conf beside. All keys are ECDSA P-256, private
 * files are 0600. What is there already and whole stays as it is.
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

NODISCARD int pki_make(const struct pki_options *o, const struct clock *c, struct err *e);
