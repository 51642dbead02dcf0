#include "lib/api/resource.h"
#include "lib/base/map.h"
#include "lib/base/test.h"

TEST(resource_table_has_what_v1_36_serves)
{
	const struct resource *pods = resource_find(STR(""), STR("v1"), STR("pods"));

	REQUIRE(pods != NULL);
	CHECK_STR(pods->kind, "Pod");
	CHECK_STR(pods->singular, "pod");
	CHECK_STR(pods->short_names[0], "po");
	CHECK_STR(pods->categories[0], "all");
	CHECK_STR(pods->etcd_prefix, "/registry/pods");
	CHECK_INT(pods->verbs, VERB_STD);
	CHECK(pods->namespaced && pods->type == API_POD);
	CHECK_STR(pods->labels[1].name, "spec.host");
	CHECK_STR(pods->labels[1].path, "spec.nodeName");

	const struct subresource *exec = resource_sub(pods, STR("exec"));

	REQUIRE(exec != NULL);
	CHECK_INT(exec->verbs, VERB_CONNECT_GET | VERB_CONNECT_POST);
	CHECK_INT(exec->type, API_POD_EXEC_OPTIONS);
	CHECK(resource_sub(pods, STR("scale")) == NULL);
	CHECK(resource_find(STR("apps"), STR("v1"), STR("pods")) == NULL);
	CHECK_STR(resource_find(STR("apps"), STR("v1"), STR("deployments"))->stored_version,
		"apps/v1");
	CHECK_STR(
		resource_find(STR(""), STR("v1"), STR("nodes"))->etcd_prefix, "/registry/minions");
}

TEST(resource_kinds_are_those_of_the_types)
{
	for (size_t i = 0; i < api_resource_count; i++) {
		const struct resource *r = &api_resources[i];

		test_note(t, "%.*s/%.*s", STR_ARG(r->group), STR_ARG(r->plural));
		CHECK(type_find(&api_schema, r->group, r->version, r->kind) == api_type(r->type));
		CHECK((r->stored_as == STORED_NOT) == !(r->verbs & VERB_WATCH));
		CHECK(!(r->verbs & VERB_LIST) == !(r->verbs & VERB_GET));
		for (const struct subresource *sub = r->subresources; sub->name.at; sub++)
			CHECK(sub->verbs != 0);
	}
}

/* Two resources share a prefix only as two versions or groups of the same objects. */
TEST(resource_prefixes_are_apart)
{
	struct map prefixes;
	int shared = 0;

	map_init(&prefixes);
	for (size_t i = 0; i < api_resource_count; i++) {
		const struct resource *r = &api_resources[i];
		const struct resource *other;

		if (r->stored_as == STORED_NOT)
			continue;
		other = map_put(&prefixes, r->etcd_prefix, (void *)(uintptr_t)r);
		shared += other != NULL;
		CHECK(!other || str_eq(other->kind, r->kind));
	}
	CHECK_INT(shared, 2);
	CHECK_INT(prefixes.len, 58);
	map_free(&prefixes);
}
