/*
 * What an update of a subresource may change; the rest stays as it is stored.
 */
#include "apiserver/registry/store.h"

static void narrow_status(struct operation *op, void *now, const void *before);
static void narrow_containers(struct operation *op, void *now, const void *before);
static void narrow_resize(struct operation *op, void *now, const void *before);
static void narrow_approval(struct operation *op, void *now, const void *before);
static void narrow_finalize(struct operation *op, void *now, const void *before);

static const struct {
	const char *subresource;
	void (*narrow)(struct operation *op, void *now, const void *before);
} rows[] = {
	{"status", narrow_status},
	{"ephemeralcontainers", narrow_containers},
	{"resize", narrow_resize},
	{"approval", narrow_approval},
	{"finalize", narrow_finalize},
};

void store_narrow(struct operation *op, void *now, const void *before)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_eq(op->subresource, str_of(rows[i].subresource)))
			rows[i].narrow(op, now, before);
}

static void narrow_status(struct operation *op, void *now, const void *before)
{
	const struct type *t = object_type(now);

	if (op->resource->custom) {
		custom_narrow_status(op, now, before);
		return;
	}
	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++) {
		str name = field_name(t, f);

		if (!str_eq(name, STR("metadata")) && !str_eq(name, STR("status")))
			store_copy_field(op->arena, now, before, name);
	}
}

/* The stored pod again, but for one part of its spec. */
static void narrow_containers(UNUSED struct operation *op, void *now, const void *before)
{
	struct pod *pod = now;
	const struct pod *old = before;
	struct pod_spec spec = old->spec;
	struct object_meta m = old->metadata;

	spec.ephemeral_containers.at = pod->spec.ephemeral_containers.at;
	spec.ephemeral_containers.len = pod->spec.ephemeral_containers.len;
	m.resource_version = pod->metadata.resource_version;
	m.managed_fields.at = pod->metadata.managed_fields.at;
	m.managed_fields.len = pod->metadata.managed_fields.len;
	pod->spec = spec;
	pod->status = old->status;
	pod->metadata = m;
}

static void keep_containers(struct arena *a, struct pod_spec *spec, const struct pod_spec *wanted)
{
	struct container *all = arena_get(a, (spec->containers.len + 1) * sizeof(*all));

	for (size_t i = 0; i < spec->containers.len; i++) {
		all[i] = spec->containers.at[i];
		for (size_t k = 0; k < wanted->containers.len; k++) {
			const struct container *c = &wanted->containers.at[k];

			if (!str_eq(c->name, all[i].name))
				continue;
			all[i].resources = c->resources;
			all[i].resize_policy.at = c->resize_policy.at;
			all[i].resize_policy.len = c->resize_policy.len;
		}
	}
	spec->containers.at = all;
}

static void narrow_resize(struct operation *op, void *now, const void *before)
{
	struct pod *pod = now;
	const struct pod *old = before;
	struct pod_spec spec = old->spec;
	struct object_meta m = old->metadata;

	keep_containers(op->arena, &spec, &pod->spec);
	spec.resources = pod->spec.resources;
	m.resource_version = pod->metadata.resource_version;
	m.managed_fields.at = pod->metadata.managed_fields.at;
	m.managed_fields.len = pod->metadata.managed_fields.len;
	pod->spec = spec;
	pod->status = old->status;
	pod->metadata = m;
}

/* Conditions only, and no certificate. */
static void narrow_approval(UNUSED struct operation *op, void *now, const void *before)
{
	struct certificates_certificate_signing_request *csr = now;
	const struct certificates_certificate_signing_request *old = before;

	csr->spec = old->spec;
	csr->status.certificate = old->status.certificate;
}

static void narrow_finalize(UNUSED struct operation *op, void *now, const void *before)
{
	struct namespace *ns = now;
	const struct namespace *old = before;

	ns->status = old->status;
}
