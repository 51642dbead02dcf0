#include "lib/structural/value.h"

#include "lib/base/test.h"
#include "lib/structural/json_path.h"
#include "lib/structural/structure.h"

/* The first version of a definition whose schema is this. */
static const struct crd_custom_resource_definition *define(struct test *t, const char *schema)
{
	str text = arena_fmt(&t->arena,
		"{\"spec\":{\"group\":\"example.io\",\"versions\":[{\"name\":\"v1\",\"schema\":{"
		"\"openAPIV3Schema\":%s}}]},\"status\":{\"acceptedNames\":{\"kind\":\"Boat\"}}}",
		schema);
	void *crd;
	struct err e;

	REQUIRE_OK(object_decode(&t->arena, api_type(API_CRD_CUSTOM_RESOURCE_DEFINITION),
			   FORMAT_JSON, text, &crd, NULL, &e),
		&e);
	return crd;
}

static void *read_spec(struct test *t, const struct structural *s, const char *spec)
{
	str text = arena_fmt(&t->arena,
		"{\"apiVersion\":\"example.io/v1\",\"kind\":\"Boat\",\"metadata\":{\"name\":\"b\"},"
		"\"spec\":%s}",
		spec);
	struct err e;
	void *o;

	REQUIRE_OK(object_decode(&t->arena, s->type, FORMAT_JSON, text, &o, NULL, &e), &e);
	return o;
}

static str causes_text(struct test *t, const struct causes *c)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < c->len; i++)
		buf_add_fmt(&b, "%s%.*s: %.*s", i ? "; " : "", STR_ARG(c->at[i].field),
			STR_ARG(c->at[i].message));
	return test_take(t, &b);
}

/* What is wrong with a spec of this schema; `before` NULL: it is new. */
static str complaint(struct test *t, const char *schema, const char *now, const char *before)
{
	str whole = arena_fmt(
		&t->arena, "{\"type\":\"object\",\"properties\":{\"spec\":%s}}", schema);
	const struct crd_custom_resource_definition *crd = define(t, whole.at);
	struct structural s;
	struct causes c;
	struct err e;

	test_note(t, "%s %s", schema, now);
	causes_init(&c, &t->arena);
	REQUIRE_OK(structural_init(&s, &t->arena, crd, &crd->spec.versions.at[0], &e), &e);
	structural_validate(
		&s, STR(""), read_spec(t, &s, now), before ? read_spec(t, &s, before) : NULL, &c);
	structural_free(&s);
	return causes_text(t, &c);
}

TEST(value_faults_are_in_upstreams_words)
{
	static const struct {
		const char *schema, *value, *fault;
	} rows[] = {
		{"{\"type\":\"integer\"}", "\"x\"",
			"spec: Invalid value: \"string\": spec in body must be of type integer: "
			"\"string\""},
		{"{\"type\":\"integer\"}", "1.0", ""},
		{"{\"type\":\"integer\"}", "1.5",
			"spec: Invalid value: \"number\": spec in body must be of type integer: "
			"\"number\""},
		{"{\"type\":\"number\"}", "1", ""},
		{"{\"type\":\"string\"}", "null",
			"spec: Invalid value: \"null\": spec in body must be of type string: "
			"\"null\""},
		{"{\"type\":\"string\",\"nullable\":true}", "null", ""},
		{"{\"x-kubernetes-int-or-string\":true}", "true",
			"spec: Invalid value: \"boolean\": spec in body must be of type "
			"integer,string: \"boolean\""},
		{"{\"type\":\"integer\",\"minimum\":2,\"maximum\":4}", "1",
			"spec: Invalid value: 1: spec in body should be greater than or equal to "
			"2"},
		{"{\"type\":\"integer\",\"maximum\":4,\"exclusiveMaximum\":true}", "4",
			"spec: Invalid value: 4: spec in body should be less than 4"},
		{"{\"type\":\"integer\",\"multipleOf\":3}", "4",
			"spec: Invalid value: 4: spec in body should be a multiple of 3"},
		{"{\"type\":\"string\",\"maxLength\":2}", "\"\xc3\xa9\xc3\xa9\"", ""},
		{"{\"type\":\"string\",\"maxLength\":2}", "\"abc\"",
			"spec: Too long: may not be more than 2 bytes"},
		{"{\"type\":\"string\",\"minLength\":2}", "\"a\"",
			"spec: Invalid value: \"a\": spec in body should be at least 2 chars long"},
		{"{\"type\":\"string\",\"pattern\":\"^a+$\"}", "\"ab\"",
			"spec: Invalid value: \"ab\": spec in body should match '^a+$'"},
		{"{\"type\":\"string\",\"format\":\"ipv4\"}", "\"1.2.3\"",
			"spec: Invalid value: \"1.2.3\": spec in body must be of type ipv4: "
			"\"1.2.3\""},
		{"{\"type\":\"string\",\"format\":\"unheard-of\"}", "\"x\"", ""},
		{"{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}", "\"c\"",
			"spec: Unsupported value: \"c\": supported values: \"a\", \"b\""},
		{"{\"type\":\"array\",\"maxItems\":1,\"items\":{\"type\":\"string\"}}",
			"[\"a\",\"b\"]", "spec: Too many: 2: must have at most 1 item"},
		{"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[\"a\",1]",
			"spec[1]: Invalid value: \"integer\": spec[1] in body must be of type "
			"string: \"integer\""},
		{"{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":"
		 "\"string\"}}",
			"[\"a\",\"b\",\"a\",\"a\"]", "spec[2]: Duplicate value: \"a\""},
		{"{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
		 "\"x-kubernetes-list-map-keys\":[\"k\"],\"items\":{\"type\":\"object\","
		 "\"properties\":{\"k\":{\"type\":\"string\"}}}}",
			"[{\"k\":\"a\"},{\"k\":\"a\"}]", "spec[1]: Duplicate value: {\"k\":\"a\"}"},
		{"{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":"
		 "\"string\"}}}",
			"{}", "spec.a: Required value"},
		{"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}",
			"{\"k\":\"v\"}",
			"spec.k: Invalid value: \"string\": spec.k in body must be of type "
			"integer: "
			"\"string\""},
		{"{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,"
		 "\"minProperties\":1}",
			"{}",
			"spec: Invalid value: 0: spec in body should have at least 1 properties"},
		{"{\"type\":\"integer\",\"anyOf\":[{\"minimum\":5},{\"maximum\":1}]}", "3",
			"<nil>: Invalid value: \"\": \"spec\" must validate at least one schema "
			"(anyOf); spec: Invalid value: 3: spec in body should be greater than or "
			"equal to 5"},
		{"{\"type\":\"integer\",\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "3",
			"<nil>: Invalid value: \"\": \"spec\" must validate one and only one "
			"schema "
			"(oneOf). Found 2 valid alternatives"},
		{"{\"type\":\"integer\",\"not\":{\"minimum\":1}}", "3",
			"<nil>: Invalid value: \"\": \"spec\" must not validate the schema (not)"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_STR(complaint(t, rows[i].schema, rows[i].value, NULL), rows[i].fault);
}

TEST(value_that_was_wrong_before_is_forgiven)
{
	const char *schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
			     "\"maxLength\":1},\"b\":{\"type\":\"string\"}}}";

	CHECK_STR(complaint(t, schema, "{\"a\":\"long\",\"b\":\"y\"}", "{\"a\":\"long\"}"), "");
	CHECK_STR(complaint(t, schema, "{\"a\":\"longer\"}", "{\"a\":\"long\"}"),
		"spec.a: Too long: may not be more than 1 byte");
}

TEST(value_tells_no_more_than_a_bounded_number_of_faults)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_char(&b, '[');
	for (int i = 0; i < 10000; i++)
		buf_add_str(&b, i ? STR(",1") : STR("1"));
	buf_add_str(&b, STR("]\0"));
	buf_add_char(&b, '\0');
	str text = test_take(t, &b);

	CHECK(complaint(t, "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", text.at, NULL)
			.len < 100000);
}

static str schema_complaint(struct test *t, const char *schema)
{
	const struct crd_custom_resource_definition *crd = define(t, schema);
	struct causes c;

	test_note(t, "%s", schema);
	causes_init(&c, &t->arena);
	structure_check(
		&c, crd->spec.versions.at[0].schema->open_apiv3_schema, FIELD(NULL, "s"), false);
	return causes_text(t, &c);
}

TEST(structure_is_asked_of_schemas)
{
	static const struct {
		const char *schema, *fault;
	} rows[] = {
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}", ""},
		{"{}", "s.type: Required value: must not be empty at the root"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{}}}",
			"s.properties[a].type: Required value: must not be empty for specified "
			"object fields"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\"}}}",
			"s.properties[a].items: Required value: must be specified"},
		{"{\"type\":\"object\",\"anyOf\":[{\"type\":\"object\"}]}",
			"s.anyOf[0].type: Forbidden: must be empty to be structural"},
		{"{\"type\":\"object\",\"anyOf\":[{\"properties\":{\"a\":{\"minimum\":1}}}]}",
			"s.properties[a]: Required value: because it is defined in "
			"s.anyOf[0].properties[a]"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"("
		 "\"}}}",
			"s.properties[a].pattern: Invalid value: \"(\": must be a valid regular "
			"expression, but isn't: error parsing regexp: missing closing ): `(`"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"default\":"
		 "\"x\"}}}",
			"s.properties[a].default: Invalid value: \"string\":  in body must be of "
			"type integer: \"string\""},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"default\":{"
		 "\"b\":1},"
		 "\"properties\":{}}}}",
			"s.properties[a].default: Invalid value: {\"b\":1}: must not have unknown "
			"fields"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
		 "\"x-kubernetes-validations\":[{\"rule\":\"true\"}]}}}",
			"s.properties[a].x-kubernetes-validations: Forbidden: rules in CEL are not "
			"supported by this server yet"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","
		 "\"x-kubernetes-list-type\":\"map\",\"items\":{\"type\":\"object\"}}}}",
			"s.properties[a].x-kubernetes-list-map-keys: Required value: must not be "
			"empty if x-kubernetes-list-type is map"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"x-kubernetes-int-or-string\":true,"
		 "\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}}}",
			""},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_STR(schema_complaint(t, rows[i].schema), rows[i].fault);
}

TEST(json_paths_lead_to_the_first_value)
{
	static const struct {
		const char *path, *found;
	} rows[] = {
		{".spec.size", "3"},
		{".spec['size']", "3"},
		{".metadata.labels.a\\.b/c", "\"x\""},
		{".status.conditions[?(@.type==\"Ready\")].status", "\"True\""},
		{".status.conditions[0].type", "\"Synced\""},
		{".status.conditions[-1].type", "\"Ready\""},
		{".status.conditions[*].type", "\"Synced\""},
		{".spec.none", ""},
		{".spec.size.more", ""},
		{"spec", ""},
	};
	struct json_item root, found;
	struct err e;

	REQUIRE_OK(json_parse(&t->arena,
			   STR("{\"spec\":{\"size\":3},\"metadata\":{\"labels\":{\"a.b/c\":\"x\"}},"
			       "\"status\":{\"conditions\":[{\"type\":\"Synced\",\"status\":"
			       "\"False\"},"
			       "{\"type\":\"Ready\",\"status\":\"True\"}]}}"),
			   &root, &e),
		&e);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf b;

		test_note(t, "%s", rows[i].path);
		buf_init(&b, BUF_NO_LIMIT);
		if (json_path_find(&root, str_of(rows[i].path), &found))
			json_put_item(&b, &found);
		CHECK_STR(test_take(t, &b), rows[i].found);
	}
}
