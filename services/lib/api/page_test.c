/*
 * A page of controller code: does working on objects read as it should? The deployment
 * controller's new replica set, from upstream's mechanism: template plus
 * pod-template-hash, owned by the deployment.
 */
#include "api/kinds.h"
#include "lib/base/hash.h"
#include "lib/base/test.h"
#include "lib/schema/object.h"

static const char deployment_json[] =
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\","
	"\"namespace\":\"shop\",\"uid\":\"u-1\"},\"spec\":{\"replicas\":3,\"selector\":"
	"{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":"
	"\"web\"}},"
	"\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"nginx:1.27\"}]}}}}";

static uint32_t template_hash(const struct pod_template_spec *template)
{
	struct buf text;
	struct err e;

	buf_init(&text, 1 << 20);
	uint32_t hash = 0;

	if (struct_encode(api_type(API_POD_TEMPLATE_SPEC), template, FORMAT_JSON, &text, &e) == 0)
		hash = hash_fnv32a(HASH_FNV32A_START, buf_str(&text));
	buf_free(&text);
	return hash;
}

static struct replica_set *new_replica_set(
	struct arena *a, const struct deployment *d, int32_t replicas)
{
	struct replica_set *rs = object_new(a, api_type(API_REPLICA_SET));
	struct owner_reference *owner = arena_get(a, sizeof(*owner));
	str hash = arena_fmt(a, "%u", template_hash(&d->spec.template));
	str label = STR("pod-template-hash");

	*owner = (struct owner_reference){
		.api_version = d->object.api_version,
		.kind = d->object.kind,
		.name = d->metadata.name,
		.uid = d->metadata.uid,
		.controller = arena_bool(a, true),
		.block_owner_deletion = arena_bool(a, true),
	};
	rs->metadata.name = arena_fmt(a, "%.*s-%.*s", STR_ARG(d->metadata.name), STR_ARG(hash));
	rs->metadata.namespace = d->metadata.namespace;
	rs->metadata.owner_references.at = owner;
	rs->metadata.owner_references.len = 1;
	struct_copy(
		a, api_type(API_POD_TEMPLATE_SPEC), &d->spec.template, &rs->spec.template, false);
	str_map_set(a, &rs->spec.template.metadata.labels, label, hash);
	rs->metadata.labels = rs->spec.template.metadata.labels;
	rs->spec.replicas = arena_i32(a, replicas);
	rs->spec.selector = arena_get(a, sizeof(*rs->spec.selector));
	rs->spec.selector->match_labels = rs->metadata.labels;
	return rs;
}

TEST(page_of_controller_code_makes_what_upstream_makes)
{
	struct deployment *d;
	struct err e;
	struct buf out;

	REQUIRE_OK(object_decode(&t->arena, api_type(API_DEPLOYMENT), FORMAT_JSON,
			   str_of(deployment_json), (void **)&d, NULL, &e),
		&e);
	buf_init(&out, 1 << 20);
	CHECK_OK(object_encode(new_replica_set(&t->arena, d, 2), FORMAT_JSON, &out, &e), &e);
	CHECK_BYTES(buf_str(&out),
		STR("{\"kind\":\"ReplicaSet\",\"apiVersion\":\"apps/v1\",\"metadata\":{"
		    "\"name\":\"web-1039442272\",\"namespace\":\"shop\",\"labels\":{\"app\":"
		    "\"web\","
		    "\"pod-template-hash\":\"1039442272\"},\"ownerReferences\":[{\"apiVersion\":"
		    "\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"web\",\"uid\":\"u-1\","
		    "\"controller\":true,\"blockOwnerDeletion\":true}]},\"spec\":{\"replicas\":2,"
		    "\"selector\":{\"matchLabels\":{\"app\":\"web\",\"pod-template-hash\":"
		    "\"1039442272\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\","
		    "\"pod-template-hash\":\"1039442272\"}},\"spec\":{\"containers\":[{\"name\":"
		    "\"web\",\"image\":\"nginx:1.27\",\"resources\":{}}]}}},\"status\":{"
		    "\"replicas\":0}}"));
	CHECK_INT(d->spec.template.metadata.labels.len, 1);
	buf_free(&out);
}

TEST(page_of_controller_code_compares_templates_by_meaning)
{
	struct deployment *d;
	struct err e;

	REQUIRE_OK(object_decode(&t->arena, api_type(API_DEPLOYMENT), FORMAT_JSON,
			   str_of(deployment_json), (void **)&d, NULL, &e),
		&e);
	struct deployment *other = object_copy(&t->arena, d, true);

	CHECK(object_equal(d, other));
	other->spec.template.spec.containers.at[0].image = STR("nginx:1.28");
	CHECK(!object_equal(d, other));
	CHECK_STR(d->spec.template.spec.containers.at[0].image, "nginx:1.27");
}
