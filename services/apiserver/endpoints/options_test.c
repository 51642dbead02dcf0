#include "apiserver/endpoints/options.h"
#include "lib/api/status.h"
#include "lib/base/test.h"

static void *read_options(struct test *t, enum api_type type, const char *query)
{
	struct url_query q;
	struct err e;
	void *o;

	REQUIRE_OK(url_query_parse(&t->arena, str_of(query), &q, &e), &e);
	REQUIRE_OK(options_from_query(&t->arena, &api_schema.types[type], &q, &o, &e), &e);
	return o;
}

TEST(options_from_a_query)
{
	const struct list_options *l = read_options(t, API_LIST_OPTIONS,
		"limit=500&labelSelector=a%3Db&watch=1&allowWatchBookmarks=true&timeoutSeconds=7"
		"&sendInitialEvents=false&unknown=x&resourceVersion=12");
	const struct create_options *c = read_options(
		t, API_CREATE_OPTIONS, "dryRun=All&dryRun=Some&fieldManager=me");
	const struct delete_options *d = read_options(t, API_DELETE_OPTIONS,
		"gracePeriodSeconds=-1&propagationPolicy=Orphan&orphanDependents=0");

	CHECK_INT(l->limit, 500);
	CHECK_STR(l->label_selector, "a=b");
	CHECK(l->watch && l->allow_watch_bookmarks);
	CHECK_INT(*l->timeout_seconds, 7);
	CHECK(l->send_initial_events && !*l->send_initial_events);
	CHECK_STR(l->resource_version, "12");
	CHECK_INT(c->dry_run.len, 2);
	CHECK_STR(c->field_manager, "me");
	CHECK_INT(*d->grace_period_seconds, -1);
	CHECK_STR(*d->propagation_policy, "Orphan");
	CHECK(d->orphan_dependents && !*d->orphan_dependents);
}

TEST(options_that_are_no_numbers_are_refused)
{
	struct url_query q;
	struct err e;
	void *o;

	REQUIRE_OK(url_query_parse(&t->arena, STR("limit=x"), &q, &e), &e);
	CHECK_FAILS(options_from_query(&t->arena, &api_schema.types[API_LIST_OPTIONS], &q, &o, &e),
		&e, ERR_INVALID, "strconv.ParseInt: parsing \"x\": invalid syntax");
	CHECK_INT(status_detail(&e)->code, 400);
}

TEST(combinations_of_list_options_that_are_refused)
{
	static const struct {
		const char *query, *why; /* NULL: fine */
	} rows[] = {
		{"", NULL},
		{"resourceVersion=5&resourceVersionMatch=Exact", NULL},
		{"resourceVersionMatch=Exact",
			"resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless "
			"resourceVersion is provided"},
		{"resourceVersion=0&resourceVersionMatch=Exact",
			"resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""},
		{"resourceVersion=1&resourceVersionMatch=Foo",
			"Unsupported value: \"Foo\": supported values: \"Exact\", "
			"\"NotOlderThan\""},
		{"resourceVersion=1&continue=x&resourceVersionMatch=Exact",
			"resourceVersionMatch is forbidden when continue is provided"},
		{"sendInitialEvents=true", "sendInitialEvents is forbidden for list"},
		{"watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", NULL},
		{"watch=1&sendInitialEvents=true",
			"sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"},
		{"watch=1&resourceVersionMatch=NotOlderThan",
			"resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
			"provided"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct list_options *o = read_options(t, API_LIST_OPTIONS, rows[i].query);
		struct err e;

		test_note(t, "%s", rows[i].query);
		if (!rows[i].why) {
			CHECK_OK(list_options_check(&t->arena, o, &e), &e);
			continue;
		}
		CHECK_FAILS(list_options_check(&t->arena, o, &e), &e, ERR_INVALID, rows[i].why);
		CHECK_INT(status_detail(&e)->code, 422);
	}
}

TEST(options_of_writes_are_checked)
{
	const struct create_options *c = read_options(
		t, API_CREATE_OPTIONS, "dryRun=Some&fieldValidation=Maybe");
	const struct patch_options *p = read_options(t, API_PATCH_OPTIONS, "force=true");
	const struct delete_options *d = read_options(
		t, API_DELETE_OPTIONS, "propagationPolicy=Later&orphanDependents=true");
	struct err e;

	CHECK_FAILS(create_options_check(&t->arena, c, &e), &e, ERR_INVALID,
		"dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"");
	CHECK_INT(status_detail(&e)->details->causes.len, 2);
	CHECK_FAILS(patch_options_check(&t->arena, p, false, &e), &e, ERR_INVALID,
		"force: Forbidden: may not be specified for non-apply patch");
	CHECK_FAILS(delete_options_check(&t->arena, d, &e), &e, ERR_INVALID,
		"orphanDependents and deletionPropagation cannot be both set");
}

TEST(selections_know_field_labels_and_aliases)
{
	const struct resource *pods = resource_find(STR(""), STR("v1"), STR("pods"));
	const struct resource *events = resource_find(
		STR("events.k8s.io"), STR("v1"), STR("events"));
	struct list_options o = {
		.field_selector = STR("spec.host=n1,metadata.name=p,status.phase!=Failed")};
	struct selection s;
	struct err e;

	REQUIRE_OK(selection_read(&t->arena, pods, &o, STR("a"), STR(""), &s, &e), &e);
	CHECK_STR(s.ns, "a");
	CHECK_STR(s.name, "p");
	CHECK_STR(s.node, "n1");
	o.field_selector = STR("regarding.name=x");
	REQUIRE_OK(selection_read(&t->arena, events, &o, STR(""), STR(""), &s, &e), &e);
	CHECK_STR(s.fields.at[0].key, "involvedObject.name");
	CHECK(s.ns.at == NULL);
	o.field_selector = STR("spec.nope=x");
	CHECK_FAILS(selection_read(&t->arena, pods, &o, STR("a"), STR(""), &s, &e), &e, ERR_INVALID,
		"field label not supported: spec.nope");
	o.field_selector = STR("metadata.name=x");
	CHECK_FAILS(selection_read(&t->arena, pods, &o, STR("a"), STR("y"), &s, &e), &e,
		ERR_INVALID, "fieldSelector metadata.name doesn't match requested name");
}
