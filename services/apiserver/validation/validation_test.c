/*
 * Objects, one a line, and what kube-apiserver v1.36.2 answered when they were posted with
 * dryRun=All.
 */
#include "apiserver/validation/validation.h"

#include "lib/api/meta.h"
#include "lib/api/status.h"
#include "lib/base/test.h"
#include "lib/codec/json.h"

static str json_text(struct arena *a, const struct json_item *item)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	json_put_item(&b, item);
	str text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

/* What a registry does before it validates, as far as it shows. */
static void prepare(struct arena *a, void *o)
{
	struct object_meta *m = meta_of(o);
	const struct resource *r = meta_resource(
		(enum api_type)(object_type(o) - api_schema.types));

	object_default(a, o);
	if (r && r->namespaced)
		m->namespace = STR("default");
	if (object_type(o) == api_type(API_SERVICE)) {
		struct service_spec *s = &((struct service *)o)->spec;

		if (s->cluster_ip.len && !s->cluster_ips.len)
			s->cluster_ips = (struct str_list){&s->cluster_ip, 1};
	}
	m->uid = STR("7b1f0f3e-0000-4000-8000-000000000000");
}

static str validate(struct arena *a, str text, struct err *e)
{
	struct json_item root, version, kind;
	struct causes c;
	void *o;

	if (json_parse(a, text, &root, e) < 0 || !json_member(&root, STR("apiVersion"), &version) ||
		!json_member(&root, STR("kind"), &kind))
		return STR("no object");
	const struct type *t = type_find_api_version(&api_schema, version.text, kind.text);
	if (object_decode(a, t, FORMAT_JSON, text, &o, NULL, e) < 0)
		return str_of(e->text);
	prepare(a, o);
	causes_init(&c, a);
	object_validate(o, &c);
	if (!c.len)
		return STR("");
	str api_version = version.text, group = str_cut(&api_version, '/');
	status_invalid(a, e,
		(struct status_subject){
			api_version.at ? group : STR(""), kind.text, meta_of(o)->name},
		&c);
	return status_detail(e)->message;
}

TEST(validation_as_upstream)
{
	str all = test_file(t, "tests/data/validation_create.jsonl");

	for (str rest = all; rest.at;) {
		str line = str_cut(&rest, '\n');
		struct json_item root, object, message;
		struct arena a;
		struct err e;

		if (!line.len)
			continue;
		arena_init(&a, ARENA_NO_LIMIT);
		REQUIRE_OK(json_parse(&a, line, &root, &e), &e);
		REQUIRE(json_member(&root, STR("object"), &object) &&
			json_member(&root, STR("message"), &message));
		CHECK_BYTES(validate(&a, json_text(&a, &object), &e), message.text);
		arena_free(&a);
	}
}
