/*
 * What a cluster of kubeadm's has beside what its API server makes: who administers it, the token
 * that nodes join with, the public data by which they know the cluster, and what they may before
 * they are nodes. What is there already stays; the public data and the token follow the machine.
 *
 * Threading: any; blocks. Source: cmd/kubeadm/app/phases/{bootstraptoken,kubeconfig}.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/str.h"

struct bootstrap_options {
	str kubeconfig; /* of super-admin */
	str server;     /* https://HOST:PORT, as others reach the cluster */
	str ca_file;
	str token_file; /* token=ID.SECRET, expires=RFC 3339 or nothing */
};

NODISCARD int bootstrap_cluster(const struct bootstrap_options *o, struct err *e);
