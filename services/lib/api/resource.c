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
