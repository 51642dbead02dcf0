#include "lib/api/resource.h"

const struct resource *resource_find(str group, str version, str plural)
{
	for (size_t i = 0; i < api_resource_count; i++) {
		const struct resource *r = &api_resources[i];

		if (str_eq(r->plural, plural) && str_eq(r->group, group) &&
			str_eq(r->version, version))
			return r;
	}
	return NULL;
}

const struct subresource *resource_sub(const struct resource *r, str name)
{
	for (const struct subresource *sub = r->subresources; sub->name.at; sub++) {
		if (str_eq(sub->name, name))
			return sub;
	}
	return NULL;
}

const struct type *resource_type(const struct resource *r)
{
	return r->custom_type ? r->custom_type : api_type(r->type);
}

const struct type *resource_sub_type(const struct resource *r, const struct subresource *s)
{
	bool own = r->custom_type && s->type == API_PARTIAL_OBJECT_METADATA;

	return own ? r->custom_type : api_type(s->type);
}
