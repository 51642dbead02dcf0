#include "apiserver/endpoints/managing.h"

#include "apiserver/endpoints/convert.h"
#include "lib/api/meta.h"

/* Up to the first slash, without what cannot be printed. */
static str manager_of_agent(struct arena *a, str agent)
{
	str name = str_cut(&agent, '/');
	char *to = arena_get(a, MANAGER_NAME_MAX);
	size_t len = 0;

	for (size_t i = 0; i < name.len;) {
		size_t bytes = 1;

		while (i + bytes < name.len && (name.at[i + bytes] & 0xc0) == 0x80)
			bytes++;
		if (len + bytes > MANAGER_NAME_MAX)
			break;
		if ((unsigned char)name.at[i] >= ' ' && name.at[i] != 0x7f) {
			memcpy(to + len, name.at + i, bytes);
			len += bytes;
		}
		i += bytes;
	}
	return str_span(to, len);
}

struct managed_write managing_write(struct request *r, str manager)
{
	const struct type *t = r->sub ? resource_sub_type(r->resource, r->sub)
				      : resource_type(r->resource);
	str sub = r->sub ? r->sub->name : STR("");
	struct reset_fields reset = strategy_reset_fields(r->resource, sub);
	str agent = http_header(&r->x->request.headers, STR("user-agent"));

	return (struct managed_write){
		.arena = &r->arena,
		.type = t,
		.api_version = str_of(t->schema->text + type_kind(t)->api_version),
		.subresource = sub,
		.manager = manager.len ? manager : manager_of_agent(&r->arena, agent),
		.now = meta_now(r->endpoints->o.clock),
		.reset = reset.reset,
		.reset_count = reset.reset_count,
		.only = reset.only,
		.only_count = reset.only_count,
	};
}

int managing_update(struct request *r, str manager, const void *before, void *now, struct err *e)
{
	struct managed_write w = managing_write(r, manager);
	void *live = (void *)(uintptr_t)before, *next = now;

	if (converts(r->resource)) {
		if (before)
			TRY(convert_to_request(&r->arena, r->resource, &live, e));
		TRY(convert_to_request(&r->arena, r->resource, &next, e));
	}
	managed_update(&w, live, next);
	meta_of(now)->managed_fields.at = meta_of(next)->managed_fields.at;
	meta_of(now)->managed_fields.len = meta_of(next)->managed_fields.len;
	return 0;
}
