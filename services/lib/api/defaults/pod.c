#include "lib/api/defaults/defaults.h"

void default_container(UNUSED struct arena *a, void *o)
{
	struct container *c = o;

	if (c->image_pull_policy.len == 0)
		c->image_pull_policy = default_pull_policy(c->image);
}

void default_ephemeral_container(UNUSED struct arena *a, void *o)
{
	struct ephemeral_container_common *c = o;

	if (c->image_pull_policy.len == 0)
		c->image_pull_policy = default_pull_policy(c->image);
}

void default_image_volume(UNUSED struct arena *a, void *o)
{
	struct image_volume_source *v = o;

	if (v->pull_policy.len == 0)
		v->pull_policy = default_pull_policy(v->reference);
}

void default_volume(struct arena *a, void *o)
{
	struct volume *v = o;
	const struct type *t = api_type(API_VOLUME_SOURCE);

	for (const struct field *f = own_fields(t); f < own_fields_end(t); f++) {
		void *source;

		memcpy(&source, field_at(&v->volume_source, f), sizeof(source));
		if (source)
			return;
	}
	v->volume_source.empty_dir = arena_get(a, sizeof(*v->volume_source.empty_dir));
}

/* What is limited and not asked for is asked for up to the limit. */
static void request_limits(struct arena *a, struct container *c)
{
	if (c->resources.limits.at)
		resource_list_default(a, &c->resources.requests, &c->resources.limits);
}

static void expose_ports(struct container *c)
{
	for (size_t i = 0; i < c->ports.len; i++)
		if (c->ports.at[i].host_port == 0)
			c->ports.at[i].host_port = c->ports.at[i].container_port;
}

void default_pod(struct arena *a, void *o)
{
	struct pod *pod = o;
	struct pod_spec *spec = &pod->spec;

	for (size_t i = 0; i < spec->containers.len; i++)
		request_limits(a, &spec->containers.at[i]);
	for (size_t i = 0; i < spec->init_containers.len; i++)
		request_limits(a, &spec->init_containers.at[i]);
	if (spec->resources)
		default_pod_resources(a, pod);
	if (!spec->enable_service_links)
		spec->enable_service_links = arena_bool(a, true);
	for (size_t i = 0; spec->host_network && i < spec->containers.len; i++)
		expose_ports(&spec->containers.at[i]);
	for (size_t i = 0; spec->host_network && i < spec->init_containers.len; i++)
		expose_ports(&spec->init_containers.at[i]);
}
