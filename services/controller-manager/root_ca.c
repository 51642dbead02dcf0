/*
 * root-ca-certificate-publisher-controller: every namespace has the ConfigMap kube-root-ca.crt, by
 * which pods know the API server.
 * Source: pkg/controller/certificates/rootcacertpublisher/publisher.go.
 */
#include "controller-manager/controllers.h"
#include "lib/client/pass.h"
#include "lib/os/file.h"

#include <stdlib.h>

#define CONFIG_MAP_NAME STR("kube-root-ca.crt")
#define DATA_KEY        STR("ca.crt")
#define DESCRIPTION_KEY STR("kubernetes.io/description")
#define DESCRIPTION \
	STR("Contains a CA bundle that can be used to verify the kube-apiserver when using " \
	    "internal " \
	    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage " \
	    "is guaranteed across distributions of Kubernetes clusters.")

enum { CA_BYTES_MAX = 1 << 20 };

struct publisher {
	struct arena arena;
	str ca_pem;
};

static int open_publisher(struct controller_run *r, struct err *e)
{
	const struct settings *s = r->env.settings;
	struct publisher *b = calloc(1, sizeof(*b));

	if (!b)
		return err_set(e, ERR_SYSTEM, "no memory for the root CA");
	arena_init(&b->arena, ARENA_NO_LIMIT);
	r->state = b;
	return file_read(
		&b->arena, arena_str(&b->arena, s->root_ca_file).at, CA_BYTES_MAX, &b->ca_pem, e);
}

static void namespace_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct namespace *ns = now;

	if (ns && (!before || str_eq(ns->status.phase, STR("Active"))))
		run_enqueue(r, now);
}

static void config_map_changed(struct controller_run *r, const void *before, const void *now)
{
	const struct object_meta *m = meta_of(before ? before : now);

	if (before && str_eq(m->name, CONFIG_MAP_NAME))
		run_enqueue_name(r, STR(""), m->namespace);
}

static bool is_right(const struct config_map *c, str ca_pem)
{
	return c->data.len == 1 && str_eq(str_map_get(&c->data, DATA_KEY), ca_pem) &&
		meta_annotation(&c->metadata, DESCRIPTION_KEY).len > 0;
}

static int create(struct pass *p, const struct config_map *c, struct err *e)
{
	if (pass_create(p, c, NULL, e) == 0 || e->kind == ERR_NOT_FOUND ||
		client_has_cause(e, STR("NamespaceTerminating")))
		return 0;
	return -1;
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct publisher *b = pass_state(p);
	const struct config_map *seen = pass_get(p, API_CONFIG_MAP, p->name, CONFIG_MAP_NAME);

	if (seen && is_right(seen, b->ca_pem))
		return 0;
	struct config_map *next = seen ? pass_copy(p, seen)
				       : pass_new(p, API_CONFIG_MAP, p->name, CONFIG_MAP_NAME);

	next->data.len = 0;
	str_map_set(p->arena, &next->data, DATA_KEY, b->ca_pem);
	str_map_set(p->arena, &next->metadata.annotations, DESCRIPTION_KEY, DESCRIPTION);
	return seen ? pass_update(p, next, NULL, e) : create(p, next, e);
}

const struct controller root_ca_controller = {
	.name = "root-ca-certificate-publisher-controller",
	.account = "root-ca-cert-publisher",
	.watches = {{API_NAMESPACE, namespace_changed}, {API_CONFIG_MAP, config_map_changed}},
	.works = {{"root-ca-cert-publisher", 1, reconcile}},
	.open = open_publisher,
};
