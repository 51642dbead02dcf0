#include "lib/client/kubeconfig.h"

#include "lib/codec/base64.h"
#include "lib/codec/yaml.h"
#include "lib/os/file.h"

enum what { TEXT, DATA, PATH, REFUSED };

/* A member of a cluster or user, and where it goes. */
struct row {
	str key;
	enum what what;
	size_t to; /* offset of a str in struct kubeconfig */
};

static const struct row cluster_rows[] = {
	{STR_INIT("server"), TEXT, offsetof(struct kubeconfig, server)},
	{STR_INIT("tls-server-name"), TEXT, offsetof(struct kubeconfig, tls_server_name)},
	{STR_INIT("certificate-authority"), PATH, offsetof(struct kubeconfig, ca_file)},
	{STR_INIT("certificate-authority-data"), DATA, offsetof(struct kubeconfig, ca_pem)},
	{STR_INIT("insecure-skip-tls-verify"), REFUSED, 0},
	{STR_INIT("proxy-url"), REFUSED, 0},
};

static const struct row user_rows[] = {
	{STR_INIT("client-certificate"), PATH, offsetof(struct kubeconfig, cert_file)},
	{STR_INIT("client-certificate-data"), DATA, offsetof(struct kubeconfig, cert_pem)},
	{STR_INIT("client-key"), PATH, offsetof(struct kubeconfig, key_file)},
	{STR_INIT("client-key-data"), DATA, offsetof(struct kubeconfig, key_pem)},
	{STR_INIT("token"), TEXT, offsetof(struct kubeconfig, token)},
	{STR_INIT("tokenFile"), PATH, offsetof(struct kubeconfig, token_file)},
	{STR_INIT("as"), REFUSED, 0},
	{STR_INIT("username"), REFUSED, 0},
	{STR_INIT("password"), REFUSED, 0},
	{STR_INIT("auth-provider"), REFUSED, 0},
	{STR_INIT("exec"), REFUSED, 0},
};

static int named(const struct json_item *root, const char *list, str name, const char *what,
	struct json_item *to, struct err *e);
static int take_rows(struct arena *a, const struct json_item *from, const struct row *rows,
	size_t count, str folder, struct kubeconfig *to, struct err *e);

static str text_member(const struct json_item *object, str key)
{
	struct json_item m;

	if (!json_member(object, key, &m) || m.kind != JSON_STRING)
		return (str){NULL, 0};
	return m.text;
}

int kubeconfig_parse(struct arena *a, str text, str folder, struct kubeconfig *to, struct err *e)
{
	struct json_item root, context, cluster, user;
	struct kubeconfig k = {0};
	str json;

	TRY(yaml_to_json(a, text, &json, NULL, e));
	TRY(json_parse(a, json, &root, e));
	str current = text_member(&root, STR("current-context"));

	if (root.kind != JSON_OBJECT || current.len == 0)
		return err_set(e, ERR_INVALID, "no current-context");
	TRY(named(&root, "contexts", current, "context", &context, e));
	TRY(named(
		&root, "clusters", text_member(&context, STR("cluster")), "cluster", &cluster, e));
	TRY(take_rows(a, &cluster, cluster_rows, COUNT_OF(cluster_rows), folder, &k, e));
	str who = text_member(&context, STR("user"));

	if (who.len > 0) {
		TRY(named(&root, "users", who, "user", &user, e));
		TRY(take_rows(a, &user, user_rows, COUNT_OF(user_rows), folder, &k, e));
	}
	*to = k;
	return 0;
}

int kubeconfig_read(
	struct arena *a, const char *path, str server, struct kubeconfig *to, struct err *e)
{
	struct kubeconfig k;
	str text, folder = str_of(path);

	TRY(file_read(a, path, KUBECONFIG_BYTES_MAX, &text, e));
	while (folder.len > 0 && folder.at[folder.len - 1] != '/')
		folder.len--;
	if (kubeconfig_parse(a, text, folder, &k, e) < 0)
		return err_context(e, "kubeconfig %s", path);
	if (server.len > 0)
		k.server = server;
	if (k.server.len == 0)
		return err_set(e, ERR_INVALID, "kubeconfig %s: the cluster has no server", path);
	*to = k;
	return 0;
}

int kubeconfig_in_cluster(struct arena *a, str host, str port, const char *folder,
	struct kubeconfig *to, struct err *e)
{
	bool v6 = str_find_char(host, ':') >= 0;

	if (host.len == 0 || port.len == 0)
		return err_set(e, ERR_NOT_FOUND,
			"unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
			"KUBERNETES_SERVICE_PORT must be defined");
	*to = (struct kubeconfig){
		.server = arena_fmt(a, "https://%s%.*s%s:%.*s", v6 ? "[" : "", STR_ARG(host),
			v6 ? "]" : "", STR_ARG(port)),
		.ca_file = arena_fmt(a, "%s/ca.crt", folder),
		.token_file = arena_fmt(a, "%s/token", folder),
	};
	return 0;
}

/* The entry of that name in a list of {name, WHAT}. */
static int named(const struct json_item *root, const char *list, str name, const char *what,
	struct json_item *to, struct err *e)
{
	struct json_item array, item;

	if (json_member(root, str_of(list), &array)) {
		for (struct json_walk w = json_enter(&array); json_next(&w, &item);) {
			if (str_eq(text_member(&item, STR("name")), name) &&
				json_member(&item, str_of(what), to))
				return 0;
		}
	}
	return err_set(e, ERR_INVALID, "%s \"%.*s\" does not exist", what, STR_ARG(name));
}

static int take_value(struct arena *a, const struct row *row, const struct json_item *m, str folder,
	str *to, struct err *e)
{
	if (m->kind != JSON_STRING)
		return err_set(e, ERR_INVALID, "%.*s is no string", STR_ARG(row->key));
	switch (row->what) {
	case DATA: return base64_read(a, m->text, to, e);
	case PATH:
		*to = m->text.len == 0 || m->text.at[0] == '/'
			? arena_str(a, m->text)
			: arena_fmt(a, "%.*s%.*s", STR_ARG(folder), STR_ARG(m->text));
		return 0;
	default: *to = m->text; return 0;
	}
}

static int take_rows(struct arena *a, const struct json_item *from, const struct row *rows,
	size_t count, str folder, struct kubeconfig *to, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct json_item m;

		if (!json_member(from, rows[i].key, &m) || m.kind == JSON_NULL)
			continue;
		if (rows[i].what == REFUSED) {
			if (m.kind == JSON_BOOL && !m.truth)
				continue;
			return err_set(
				e, ERR_UNSUPPORTED, "%.*s is not supported", STR_ARG(rows[i].key));
		}
		if (take_value(a, &rows[i], &m, folder, (str *)((char *)to + rows[i].to), e) < 0)
			return err_context(e, "%.*s", STR_ARG(rows[i].key));
	}
	return 0;
}
