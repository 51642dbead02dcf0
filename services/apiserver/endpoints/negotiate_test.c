#include "apiserver/endpoints/negotiate.h"
#include "lib/api/status.h"
#include "lib/base/test.h"

struct accept_case {
	const char *accept;
	enum accept_endpoint endpoint;
	bool found;
	enum format format;
	enum answer_as as;
};

#define TABLE    "application/json;as=Table;v=v1;g=meta.k8s.io"
#define METADATA "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

static const struct accept_case cases[] = {
	{"", ACCEPT_OBJECT, true, FORMAT_JSON, AS_OBJECT},
	{"*/*", ACCEPT_OBJECT, true, FORMAT_JSON, AS_OBJECT},
	{"application/*", ACCEPT_WATCH, true, FORMAT_JSON, AS_OBJECT},
	{"application/yaml", ACCEPT_LIST, true, FORMAT_YAML, AS_OBJECT},
	{"application/yaml", ACCEPT_WATCH, false, FORMAT_JSON, AS_OBJECT},
	{"application/vnd.kubernetes.protobuf, application/json", ACCEPT_LIST, true,
		FORMAT_PROTOBUF, AS_OBJECT},
	{"application/vnd.kubernetes.protobuf;q=0.5, application/json", ACCEPT_LIST, true,
		FORMAT_JSON, AS_OBJECT},
	{"application/vnd.kubernetes.protobuf;stream=watch", ACCEPT_WATCH, true, FORMAT_PROTOBUF,
		AS_OBJECT},
	{"application/json;stream=other", ACCEPT_WATCH, false, FORMAT_JSON, AS_OBJECT},
	{"text/html", ACCEPT_OBJECT, false, FORMAT_JSON, AS_OBJECT},
	{TABLE, ACCEPT_LIST, true, FORMAT_JSON, AS_TABLE},
	{TABLE ",application/json", ACCEPT_PLAIN, true, FORMAT_JSON, AS_OBJECT},
	{TABLE, ACCEPT_PLAIN, false, FORMAT_JSON, AS_OBJECT},
	{"application/json;as=Table;v=v7;g=meta.k8s.io,application/json", ACCEPT_LIST, true,
		FORMAT_JSON, AS_OBJECT},
	{METADATA, ACCEPT_OBJECT, true, FORMAT_PROTOBUF, AS_METADATA},
	{METADATA "," TABLE, ACCEPT_OBJECT, true, FORMAT_PROTOBUF, AS_METADATA},
	{"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", ACCEPT_LIST, false,
		FORMAT_JSON, AS_OBJECT},
	{"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", ACCEPT_LIST, true,
		FORMAT_JSON, AS_METADATA_LIST},
	{"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", ACCEPT_OBJECT, false,
		FORMAT_JSON, AS_OBJECT},
	{"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", ACCEPT_DISCOVERY,
		true, FORMAT_JSON, AS_DISCOVERY},
	{"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/"
	 "json",
		ACCEPT_DISCOVERY, true, FORMAT_JSON, AS_OBJECT},
};

static int negotiate(
	struct test *t, const struct accept_case *c, struct answer_form *to, struct err *e)
{
	struct http_headers h = {.len = 0};
	const struct url_query q = {.len = 0};

	TRY(http_header_add(&h, &t->arena, STR("accept"), str_of(c->accept), e));
	return negotiate_answer(&t->arena, &h, &q, c->endpoint, to, e);
}

TEST(negotiation_of_answers)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct answer_form f;
		struct err e;

		test_note(t, "%s", cases[i].accept);
		if (!cases[i].found) {
			CHECK_FAILS(negotiate(t, &cases[i], &f, &e), &e, ERR_UNSUPPORTED,
				"only the following media types are accepted: application/json");
			CHECK_INT(status_detail(&e)->code, 406);
			continue;
		}
		REQUIRE_OK(negotiate(t, &cases[i], &f, &e), &e);
		CHECK_INT(f.format, cases[i].format);
		CHECK_INT(f.as, cases[i].as);
	}
}

TEST(people_get_pretty_answers_unless_they_say_no)
{
	static const struct {
		const char *agent, *query;
		bool pretty;
	} rows[] = {
		{"curl/8.0", "", true},
		{"curl/8.0", "pretty=false", false},
		{"kubectl/v1.36", "", false},
		{"kubectl/v1.36", "pretty=true", true},
		{"kubectl/v1.36", "pretty=1", true},
		{"Mozilla/5.0 (X11)", "", true},
		{"curl/8.0", "pretty=what", false},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct http_headers h = {.len = 0};
		struct answer_form f;
		struct url_query q;
		struct err e;

		test_note(t, "%s %s", rows[i].agent, rows[i].query);
		REQUIRE_OK(url_query_parse(&t->arena, str_of(rows[i].query), &q, &e), &e);
		REQUIRE_OK(http_header_add(
				   &h, &t->arena, STR("user-agent"), str_of(rows[i].agent), &e),
			&e);
		REQUIRE_OK(negotiate_answer(&t->arena, &h, &q, ACCEPT_OBJECT, &f, &e), &e);
		CHECK_INT(f.pretty, rows[i].pretty);
	}
}

TEST(negotiation_of_bodies)
{
	static const struct {
		const char *type;
		bool known;
		enum format format;
	} rows[] = {
		{"", true, FORMAT_JSON},
		{"application/json", true, FORMAT_JSON},
		{"application/json; charset=utf-8", true, FORMAT_JSON},
		{"application/yaml", true, FORMAT_YAML},
		{"application/vnd.kubernetes.protobuf", true, FORMAT_PROTOBUF},
		{"text/plain", false, FORMAT_JSON},
		{"application/cbor", false, FORMAT_JSON},
		{";", false, FORMAT_JSON},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct http_headers h = {.len = 0};
		enum format f = FORMAT_YAML;
		struct err e;

		test_note(t, "%s", rows[i].type);
		REQUIRE_OK(http_header_add(
				   &h, &t->arena, STR("content-type"), str_of(rows[i].type), &e),
			&e);
		if (rows[i].known) {
			REQUIRE_OK(negotiate_body(&t->arena, &h, &f, &e), &e);
			CHECK_INT(f, rows[i].format);
		} else {
			CHECK_FAILS(negotiate_body(&t->arena, &h, &f, &e), &e, ERR_UNSUPPORTED,
				"the body of the request was in an unknown format - accepted media "
				"types include: ");
			CHECK_INT(status_detail(&e)->code, 415);
		}
	}
}
