/*
 * Whom this server believes, for those who serve behind it and must believe the same: the data of
 * ConfigMap kube-system/extension-apiserver-authentication
 * (pkg/controlplane/controller/clusterauthenticationtrust).
 *
 * Several servers share it, so what is there stays: names and prefixes are united, certificates
 * too, as long as they are valid. An entry that cannot be read counts as absent.
 */
#pragma once

#include "api/core_v1.h"
#include "lib/base/arena.h"

struct trust {
	str client_ca_pem;
	str proxy_ca_pem; /* absent: no header is believed, and none of the lists is told */
	struct str_list allowed_names, username_headers, uid_headers, group_headers, extra_prefixes;
};

/* Sets what both say in `data`, which is empty, in `a`. `before` may be NULL. */
void trust_unite(struct arena *a, const struct trust *ours, const struct str_map *before,
	int64_t now_s, struct str_map *data);
