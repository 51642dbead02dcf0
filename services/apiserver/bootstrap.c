#include "apiserver/bootstrap.h"

#include "api/kinds.h"

static const str namespaces[] = {STR_INIT("default"), STR_INIT("kube-node-lease"),
	STR_INIT("kube-public"), STR_INIT("kube-system")};

static int make_namespace(
	const struct bootstrap_options *o, struct arena *a, str name, struct err *e)
{
	struct str_list groups = {(str[]){STR(GROUP_MASTERS)}, 1};
	const struct user from = {.name = o->admission_user, .groups = groups};
	struct user *user = user_new(&from);
	struct warnings warnings = {.arena = a};
	struct operation op = {
		.registry = o->registry,
		.arena = a,
		.resource = resource_find(STR(""), STR("v1"), STR("namespaces")),
		.user = user,
		.warnings = &warnings,
	};
	struct namespace *ns = object_new(a, &api_schema.types[API_NAMESPACE]);
	void *options = object_new(a, &api_schema.types[API_CREATE_OPTIONS]), *made;

	ns->metadata.name = name;
	object_default(a, ns);
	int result = registry_create(&op, ns, options, &made, e);

	operation_end(&op);
	counted_drop(&user->counted);
	return result < 0 && e->kind == ERR_EXISTS ? 0 : result;
}

int bootstrap(const struct bootstrap_options *o, struct err *e)
{
	struct arena a;
	int result = 0;

	arena_init(&a, ARENA_NO_LIMIT);
	for (size_t i = 0; i < COUNT_OF(namespaces) && result == 0; i++)
		result = make_namespace(o, &a, namespaces[i], e);
	arena_free(&a);
	return result;
}
