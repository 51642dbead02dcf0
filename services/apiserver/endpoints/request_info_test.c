#include "apiserver/endpoints/request_info.h"
#include "lib/base/test.h"

struct info_case {
	const char *method, *path, *query;
	const char *verb, *group, *version, *ns, *resource, *subresource, *name;
};

/* An empty group, version and resource: no resource request. */
static const struct info_case cases[] = {
	{"GET", "/", "", "get", "", "", "", "", "", ""},
	{"GET", "/api/v1", "", "get", "", "", "", "", "", ""},
	{"GET", "/apis/apps/v1", "", "get", "", "", "", "", "", ""},
	{"GET", "/healthz/ping", "", "get", "", "", "", "", "", ""},
	{"GET", "/api/v1/namespaces", "", "list", "", "v1", "", "namespaces", "", ""},
	{"GET", "/api/v1/namespaces/other", "", "get", "", "v1", "other", "namespaces", "",
		"other"},
	{"GET", "/api/v1/namespaces/other/pods", "", "list", "", "v1", "other", "pods", "", ""},
	{"GET", "/api/v1/namespaces/other/pods/foo", "", "get", "", "v1", "other", "pods", "",
		"foo"},
	{"HEAD", "/api/v1/namespaces/other/pods/foo", "", "get", "", "v1", "other", "pods", "",
		"foo"},
	{"GET", "/api/v1/pods", "", "list", "", "v1", "", "pods", "", ""},
	{"HEAD", "/api/v1/pods", "", "list", "", "v1", "", "pods", "", ""},
	{"GET", "/api/v1/pods", "watch=true", "watch", "", "v1", "", "pods", "", ""},
	{"GET", "/api/v1/pods", "watch", "watch", "", "v1", "", "pods", "", ""},
	{"GET", "/api/v1/pods", "watch=false", "list", "", "v1", "", "pods", "", ""},
	{"GET", "/api/v1/pods", "watch=0", "list", "", "v1", "", "pods", "", ""},
	{"GET", "/api/v1/watch/namespaces/other/pods", "", "watch", "", "v1", "other", "pods", "",
		""},
	{"GET", "/api/v1/proxy/namespaces/other/pods/foo/x", "", "proxy", "", "v1", "other", "pods",
		"", "foo"},
	{"POST", "/api/v1/namespaces/other/pods", "", "create", "", "v1", "other", "pods", "", ""},
	{"PUT", "/api/v1/namespaces/other/pods/foo", "", "update", "", "v1", "other", "pods", "",
		"foo"},
	{"PATCH", "/api/v1/namespaces/other/pods/foo", "", "patch", "", "v1", "other", "pods", "",
		"foo"},
	{"DELETE", "/api/v1/namespaces/other/pods", "", "deletecollection", "", "v1", "other",
		"pods", "", ""},
	{"DELETE", "/api/v1/namespaces/other/pods/foo", "", "delete", "", "v1", "other", "pods", "",
		"foo"},
	{"PUT", "/api/v1/namespaces/other/finalize", "", "update", "", "v1", "other", "namespaces",
		"finalize", "other"},
	{"PUT", "/api/v1/namespaces/other/status", "", "update", "", "v1", "other", "namespaces",
		"status", "other"},
	{"PUT", "/api/v1/namespaces/other/pods/foo/status", "", "update", "", "v1", "other", "pods",
		"status", "foo"},
	{"POST", "/apis/apps/v1/namespaces/a/deployments/web/scale", "", "create", "apps", "v1",
		"a", "deployments", "scale", "web"},
	{"GET", "/api/v1/pods", "fieldSelector=metadata.name%3Dfoo", "list", "", "v1", "", "pods",
		"", "foo"},
	{"GET", "/api/v1/pods", "fieldSelector=metadata.name%3D..", "list", "", "v1", "", "pods",
		"", ""},
	{"OPTIONS", "/api/v1/pods", "", "", "", "v1", "", "pods", "", ""},
};

TEST(request_info_of_paths_and_methods)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct info_case *c = &cases[i];
		struct request_info info;
		struct url_query q = {.len = 0};
		struct err e;

		test_note(t, "%s %s?%s", c->method, c->path, c->query);
		REQUIRE_OK(url_query_parse(&t->arena, str_of(c->query), &q, &e), &e);
		REQUIRE_OK(request_info_read(
				   &t->arena, str_of(c->method), str_of(c->path), &q, &info, &e),
			&e);
		CHECK_STR(info.verb, c->verb);
		CHECK_INT(info.is_resource, c->resource[0] != 0);
		CHECK_STR(info.group, c->group);
		CHECK_STR(info.version, c->version);
		CHECK_STR(info.ns, c->ns);
		CHECK_STR(info.resource, c->resource);
		CHECK_STR(info.subresource, c->subresource);
		CHECK_STR(info.name, c->name);
	}
}

TEST(request_info_keeps_what_lies_behind_a_subresource)
{
	struct request_info info;
	struct url_query q = {.len = 0};
	struct err e;

	REQUIRE_OK(request_info_read(&t->arena, STR("GET"),
			   STR("/api/v1/namespaces/a/services/b/proxy/c/d/e"), &q, &info, &e),
		&e);
	CHECK_STR(info.subresource, "proxy");
	CHECK_STR(info.rest, "c/d/e");
}

TEST(request_info_refuses_a_special_verb_without_anything_behind_it)
{
	struct request_info info;
	struct url_query q = {.len = 0};
	struct err e;

	CHECK_FAILS(request_info_read(&t->arena, STR("GET"), STR("/api/v1/watch"), &q, &info, &e),
		&e, ERR_INVALID, "unable to determine kind and namespace from url");
}

TEST(request_info_hands_selectors_to_authorization_of_collections_only)
{
	static const struct {
		const char *method, *path;
		bool kept;
	} rows[] = {
		{"GET", "/api/v1/pods", true},
		{"DELETE", "/api/v1/namespaces/a/pods", true},
		{"GET", "/api/v1/namespaces/a/pods/b", false},
		{"GET", "/api/v1/watch/pods", false},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request_info info;
		struct url_query q;
		struct err e;

		test_note(t, "%s %s", rows[i].method, rows[i].path);
		REQUIRE_OK(url_query_parse(&t->arena,
				   STR("labelSelector=a%3Db&fieldSelector=c%3Dd"), &q, &e),
			&e);
		REQUIRE_OK(request_info_read(&t->arena, str_of(rows[i].method),
				   str_of(rows[i].path), &q, &info, &e),
			&e);
		CHECK_INT(info.label_selector.at != NULL, rows[i].kept);
		CHECK_INT(str_eq(info.field_selector, STR("c=d")), rows[i].kept);
	}
}
