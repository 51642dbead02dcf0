/* The engine of lib/schema over the built-in tables. */
#include "api/kinds.h"
#include "lib/base/test.h"
#include "lib/codec/json.h"
#include "lib/schema/path.h"

static const char pod_json[] =
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":"
	"\"default\","
	"\"labels\":{\"app\":\"web\",\"example.com/tier\":\"front\"},\"creationTimestamp\":null},"
	"\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}],\"containers\":[{\"name\":\"c\","
	"\"image\":\"i:1\",\"ports\":[{\"containerPort\":80}],\"resources\":{\"limits\":{"
	"\"memory\":\"1Gi\","
	"\"cpu\":\"1000m\"}}}],\"nodeName\":\"n\",\"terminationGracePeriodSeconds\":0},"
	"\"status\":{\"phase\":\"Running\"}}";

static struct pod *read_pod(struct test *t, const char *json)
{
	struct err e;
	void *o;

	REQUIRE_OK(object_decode(
			   &t->arena, api_type(API_POD), FORMAT_JSON, str_of(json), &o, NULL, &e),
		&e);
	return o;
}

static str encode(struct test *t, const void *o, enum format f)
{
	struct buf b;
	struct err e;

	buf_init(&b, 1 << 20);
	REQUIRE_OK(object_encode(o, f, &b, &e), &e);
	return test_take(t, &b);
}

TEST(fields_are_plain_c)
{
	struct pod *pod = read_pod(t, pod_json);

	CHECK(pod->object.type == api_type(API_POD));
	CHECK_STR(pod->metadata.name, "a");
	CHECK_INT((int64_t)pod->spec.containers.len, 1);
	CHECK_INT(pod->spec.containers.at[0].ports.at[0].container_port, 80);
	CHECK_INT(*pod->spec.termination_grace_period_seconds, 0);
	CHECK_STR(str_map_get(&pod->metadata.labels, STR("app")), "web");
	CHECK_STR(pod->spec.containers.at[0].resources.limits.at[0].key, "cpu");
	CHECK(pod->spec.volumes.at[0].volume_source.empty_dir);
	CHECK(!pod->spec.volumes.at[0].volume_source.host_path);
}

TEST(has_bits_tell_absent_null_and_set_apart)
{
	struct pod *pod = read_pod(t, pod_json);
	const struct type *meta = api_type(API_OBJECT_META), *spec = api_type(API_POD_SPEC);
	const struct field *created = type_field(meta, STR("creationTimestamp"));
	const struct field *grace = type_field(spec, STR("terminationGracePeriodSeconds"));
	const struct field *host = type_field(spec, STR("hostname"));

	CHECK(field_present(&pod->metadata, created) && field_null(&pod->metadata, created));
	CHECK(field_present(&pod->spec, grace) && !field_null(&pod->spec, grace));
	CHECK(!field_present(&pod->spec, host));
}

TEST(tables_answer_what_patches_ask)
{
	const struct type *spec = api_type(API_POD_SPEC);
	const struct field *containers = type_field(spec, STR("containers"));
	const struct field *host_path = type_field(api_type(API_VOLUME), STR("hostPath"));

	REQUIRE(containers && host_path);
	CHECK(containers->flags & FIELD_PATCH_MERGE);
	CHECK_BYTES(type_text(spec, field_rules(spec, containers)->merge_key), STR("name"));
	CHECK(field_type(spec, containers) == api_type(API_CONTAINER));
	CHECK(field_type(api_type(API_VOLUME), host_path) == api_type(API_HOST_PATH_VOLUME_SOURCE));
	CHECK_STR(str_of(type_go_name(spec)), "v1.PodSpec");
	CHECK(type_find(&api_schema, STR("apps"), STR("v1"), STR("Deployment")) ==
		api_type(API_DEPLOYMENT));
	CHECK(!type_find(&api_schema, STR("apps"), STR("v1"), STR("Boat")));
	CHECK(!type_field(spec, STR("Containers")));
}

TEST(every_field_of_every_type_is_found_by_its_name)
{
	for (size_t i = 0; i < api_schema.type_count; i++) {
		const struct type *type = &api_schema.types[i];

		test_note(t, "%s", type_go_name(type));
		for (const struct field *f = json_fields(type); f < json_fields_end(type); f++)
			CHECK(type_field(type, field_name(type, f)) == f);
	}
}

static void check_path(struct test *t, struct pod *pod, const char *path, const char *want)
{
	struct place place;
	struct buf b;
	struct err e;
	str p = str_of(path);

	test_note(t, "%s", path);
	buf_init(&b, 4096);
	int result = str_starts(p, STR("/"))
		? path_find_pointer(pod->object.type, pod, p, &place, &e)
		: path_find(pod->object.type, pod, p, &place, &e);

	if (CHECK_OK(result, &e)) {
		path_put_text(&b, &place);
		CHECK_BYTES(b.len ? buf_str(&b) : STR(""), str_of(want));
	}
	buf_free(&b);
}

TEST(paths_lead_to_values)
{
	struct pod *pod = read_pod(t, pod_json);
	struct place place;
	struct err e;

	check_path(t, pod, "spec.nodeName", "n");
	check_path(t, pod, "spec.containers[0].ports[0].containerPort", "80");
	check_path(t, pod, "spec.containers[0].ports", "[{\"containerPort\":80}]");
	check_path(t, pod, "spec.terminationGracePeriodSeconds", "0");
	check_path(t, pod, "spec.activeDeadlineSeconds", "");
	check_path(t, pod, "metadata.labels.app", "web");
	check_path(t, pod, "metadata.labels[example.com/tier]", "front");
	check_path(t, pod, "/metadata/labels/example.com~1tier", "front");
	check_path(t, pod, "/spec/volumes/0/emptyDir", "{}");
	check_path(t, pod, "kind", "Pod");
	test_note(t, "%s", "");

	const struct type *type = pod->object.type;

	CHECK_FAILS(path_find(type, pod, STR("spec.none"), &place, &e), &e, ERR_INVALID,
		"PodSpec has no");
	CHECK_FAILS(path_find(type, pod, STR("spec.nodeName.x"), &place, &e), &e, ERR_INVALID,
		"nothing below");
	CHECK_FAILS(path_find(type, pod, STR("spec.containers[1]"), &place, &e), &e, ERR_NOT_FOUND,
		"element 1");
	CHECK_FAILS(path_find(type, pod, STR("spec.containers[x]"), &place, &e), &e, ERR_INVALID,
		"no index");
	CHECK_FAILS(path_find(type, pod, STR("spec.affinity.nodeAffinity"), &place, &e), &e,
		ERR_NOT_FOUND, "not set");
	CHECK_FAILS(path_find(type, pod, STR("metadata.labels.x"), &place, &e), &e, ERR_NOT_FOUND,
		"no key");
	CHECK_FAILS(path_find(type, pod, STR(""), &place, &e), &e, ERR_INVALID, "empty path");
	CHECK_FAILS(
		path_find_pointer(type, pod, STR("/a~2"), &place, &e), &e, ERR_INVALID, "0 or 1");
}

TEST(objects_in_lists_know_their_type)
{
	struct pod_list *list;
	struct err e;
	void *o;

	REQUIRE_OK(object_decode(&t->arena, api_type(API_POD_LIST), FORMAT_JSON,
			   STR("{\"items\":[{\"metadata\":{\"name\":\"a\"}},null]}"), &o, NULL, &e),
		&e);
	list = o;
	REQUIRE(list->items.len == 2);
	CHECK(object_type(&list->items.at[0]) == api_type(API_POD));
	CHECK(object_equal(&list->items.at[1], object_copy(&t->arena, &list->items.at[1], true)));
}

TEST(copies_share_nothing_and_are_equal)
{
	struct pod *pod = read_pod(t, pod_json);
	struct pod *copy = object_copy(&t->arena, pod, true);

	CHECK(object_equal(pod, copy));
	CHECK(copy->spec.containers.at != pod->spec.containers.at);
	CHECK(copy->metadata.name.at != pod->metadata.name.at);
	copy->spec.containers.at[0].ports.at[0].container_port = 81;
	CHECK(!object_equal(pod, copy));
	CHECK_INT(pod->spec.containers.at[0].ports.at[0].container_port, 80);
	CHECK_BYTES(encode(t, pod, FORMAT_JSON),
		encode(t, object_copy(&t->arena, pod, false), FORMAT_JSON));
}

TEST(equality_is_semantic)
{
	const char *one = "{\"metadata\":{\"labels\":{},\"finalizers\":null},\"spec\":{"
			  "\"overhead\":{\"cpu\":\"1\"}}}";
	const char *other =
		"{\"metadata\":{\"finalizers\":[]},\"spec\":{\"overhead\":{\"cpu\":\"1000m\"}}}";

	CHECK(object_equal(read_pod(t, one), read_pod(t, other)));
	CHECK(!object_equal(read_pod(t, one), read_pod(t, pod_json)));
}

TEST(a_second_object_under_one_key_adds_to_the_first)
{
	struct pod *pod = read_pod(t,
		"{\"metadata\":{\"labels\":{\"b\":\"1\",\"a\":\"1\"}},\"metadata\":{\"name\":\"x\","
		"\"labels\":{\"b\":\"2\",\"b\":\"3\"}}}");

	CHECK_BYTES(encode(t, pod, FORMAT_JSON),
		STR("{\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"1\",\"b\":\"3\"}},\"spec\":{"
		    "\"containers\":null},"
		    "\"status\":{}}"));
}

/* Every limit from nothing to success must end in ERR_LIMIT, and with nothing written. */
static void starve(struct test *t, const struct type *type, enum format f, str in)
{
	struct notes notes;
	struct arena a;
	struct err e;
	void *o = NULL;

	for (size_t limit = 0; !o && limit < (8 << 20); limit += 16) {
		arena_init(&a, limit);
		notes_init(&notes, &a);
		if (object_decode(&a, type, f, in, &o, f == FORMAT_PROTOBUF ? NULL : &notes, &e) <
			0) {
			if (!CHECK_INT(e.kind, ERR_LIMIT) || !CHECK(!o))
				limit = SIZE_MAX / 2;
		}
		arena_free(&a);
	}
	CHECK(o);
}

TEST(decoders_stop_at_every_limit)
{
	const char *with_notes = "{\"kind\":\"Pod\",\"a\":1,\"metadata\":{\"b\":2,\"labels\":{"
				 "\"y\":\"1\",\"x\":\"2\","
				 "\"y\":\"3\"}},\"spec\":{\"c\":[]}}";
	struct pod *pod = read_pod(t, pod_json);

	starve(t, api_type(API_POD), FORMAT_JSON, str_of(pod_json));
	starve(t, api_type(API_POD), FORMAT_JSON, str_of(with_notes));
	starve(t, api_type(API_POD), FORMAT_PROTOBUF, encode(t, pod, FORMAT_PROTOBUF));
	starve(t, api_type(API_POD), FORMAT_YAML, encode(t, pod, FORMAT_YAML));
}

TEST(strict_yaml_names_keys_that_come_twice)
{
	struct notes notes;
	struct err e;
	void *o;

	notes_init(&notes, &t->arena);
	REQUIRE_OK(object_decode(&t->arena, api_type(API_CONFIG_MAP), FORMAT_YAML,
			   STR("data:\n  a: b\n  a: c\nx: 1\n"), &o, &notes, &e),
		&e);
	REQUIRE(notes.texts.len == 2);
	CHECK_STR(notes.texts.at[0],
		"yaml: unmarshal errors:\n  line 3: key \"a\" already set in map");
	CHECK_STR(notes.texts.at[1], "unknown field \"x\"");
}

TEST(notes_end_at_upstreams_limit)
{
	struct notes notes;
	struct buf b;
	struct err e;
	void *o;

	notes_init(&notes, &t->arena);
	buf_init(&b, 1 << 20);
	buf_add_char(&b, '{');
	for (int i = 0; i < 300; i++)
		buf_add_fmt(&b, "\"x%d\":0,", i / 2);
	buf_add_str(&b, STR("\"last\":0}"));
	REQUIRE_OK(object_decode(
			   &t->arena, api_type(API_POD), FORMAT_JSON, buf_str(&b), &o, &notes, &e),
		&e);
	CHECK_INT((int64_t)notes.texts.len, NOTES_MAX);
	CHECK_STR(notes.texts.at[NOTES_MAX - 1], "unknown field \"x99\"");
	buf_free(&b);
}

TEST(depth_is_bounded)
{
	const struct type *type = api_type(API_CRD_JSON_SCHEMA_PROPS);
	struct err e;
	struct buf b;
	void *o;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 1200; i++)
		buf_add_str(&b, STR("{\"not\":"));
	buf_add_str(&b, STR("{}"));
	for (int i = 0; i < 1200; i++)
		buf_add_char(&b, '}');
	CHECK_FAILS(object_decode(&t->arena, type, FORMAT_JSON, buf_str(&b), &o, NULL, &e), &e,
		ERR_LIMIT, "");
	buf_reset(&b);

	/* Messages in each other: not = 28; each length counts what is inside. */
	char text[16384];
	size_t at = sizeof(text);

	for (int i = 0; i < 1200; i++) {
		size_t len = sizeof(text) - at;

		if (len >= 0x80)
			text[--at] = (char)(len >> 7);
		text[--at] = (char)(len >= 0x80 ? (len & 0x7f) | 0x80 : len);
		text[--at] = (char)(28 << 3 >> 7);
		text[--at] = (char)((28 << 3 & 0x7f) | 0x80 | 2);
	}
	CHECK_FAILS(object_decode(&t->arena, type, FORMAT_PROTOBUF_BARE,
			    str_span(text + at, sizeof(text) - at), &o, NULL, &e),
		&e, ERR_LIMIT, "messages in each other");
	buf_free(&b);
}

TEST(protobuf_takes_fields_in_any_order_and_skips_unknown_ones)
{
	/* ObjectMeta: unknown 100, finalizers b, name n, finalizers c (apart from the first) */
	static const char bare[] = "\xa2\x06\x01x\x72\x01"
				   "b\x0a\x01n\x72\x01"
				   "c";
	const struct type *type = api_type(API_OBJECT_META);
	struct object_meta *meta;
	struct err e;
	void *o;

	REQUIRE_OK(object_decode(&t->arena, type, FORMAT_PROTOBUF_BARE,
			   str_span(bare, sizeof(bare) - 1), &o, NULL, &e),
		&e);
	meta = o;
	CHECK_STR(meta->name, "n");
	REQUIRE(meta->finalizers.len == 2);
	CHECK_STR(meta->finalizers.at[1], "c");
	CHECK_FAILS(
		object_decode(&t->arena, type, FORMAT_PROTOBUF_BARE, STR("\x08\x01"), &o, NULL, &e),
		&e, ERR_INVALID, "proto: wrong wireType = 0 for field name");
	CHECK_FAILS(object_decode(&t->arena, type, FORMAT_PROTOBUF, STR("{}"), &o, NULL, &e), &e,
		ERR_INVALID, "expected prefix");
}
