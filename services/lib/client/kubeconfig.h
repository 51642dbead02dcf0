/*
 * Where a client finds its API server and who it is: a kubeconfig file (clientcmd/api/v1), the
 * files that a pod finds in its container, or --master alone.
 *
 * Data in the file itself is kept as text; what it names as files is kept as paths, which are read
 * again whenever a connection is made or a token is a minute old: kubelets rotate both.
 *
 * Not taken, and said so: insecure-skip-tls-verify, proxy-url, exec and auth-provider plugins,
 * user names with passwords.
 *
 * Ownership: texts live in the arena. Threading: immutable.
 */
#pragma once

#include "lib/base/arena.h"

struct kubeconfig {
	str server;          /* "https://127.0.0.1:6443" */
	str tls_server_name; /* absent: the host of `server` */
	str ca_pem, ca_file;
	str cert_pem, cert_file, key_pem, key_file;
	str token, token_file;
};

enum { KUBECONFIG_BYTES_MAX = 4 << 20 };

/* The current context of a file; `server`, if present, stands in for what the file says. */
NODISCARD int kubeconfig_read(
	struct arena *a, const char *path, str server, struct kubeconfig *to, struct err *e);

/* The same from text; files that it names are relative to `folder`. */
NODISCARD int kubeconfig_parse(
	struct arena *a, str text, str folder, struct kubeconfig *to, struct err *e);

/* As a pod has it: `host` and `port` are the two environment variables, `folder` is
 * /var/run/secrets/kubernetes.io/serviceaccount. ERR_NOT_FOUND outside of a cluster. */
NODISCARD int kubeconfig_in_cluster(struct arena *a, str host, str port, const char *folder,
	struct kubeconfig *to, struct err *e);
