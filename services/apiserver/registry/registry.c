/*
 * What the files of the generic registry share, and which resources are served.
 */
#include "apiserver/registry/store.h"

#include "lib/schema/open.h"

#include <stdlib.h>

static const struct {
	const char *group, *resource; /* NULL: all of the group */
} unserved[] = {
	/* Nothing acts on these yet, so they would only pretend. */
	{"", "componentstatuses"},
	{"admissionregistration.k8s.io", "mutatingadmissionpolicies"},
	{"admissionregistration.k8s.io", "mutatingadmissionpolicybindings"},
	{"admissionregistration.k8s.io", "validatingadmissionpolicies"},
	{"admissionregistration.k8s.io", "validatingadmissionpolicybindings"},
	{"flowcontrol.apiserver.k8s.io", NULL},
};

/* What a node has to answer. */
static const char *const unserved_subs[] = {"attach", "exec", "log", "portforward", "proxy"};

int registry_open(const struct registry_options *o, struct registry **to, struct err *e)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(e, ERR_SYSTEM, "no memory for the registry");
	r->o = *o;
	*to = r;
	return 0;
}

void registry_close(struct registry *r)
{
	free(r);
}

bool registry_serves(const struct resource *r)
{
	for (size_t i = 0; i < COUNT_OF(unserved); i++)
		if (str_eq(r->group, str_of(unserved[i].group)) &&
			(!unserved[i].resource || str_eq(r->plural, str_of(unserved[i].resource))))
			return false;
	return true;
}

bool registry_serves_sub(UNUSED const struct resource *r, const struct subresource *s)
{
	for (size_t i = 0; i < COUNT_OF(unserved_subs); i++)
		if (str_eq(s->name, str_of(unserved_subs[i])))
			return false;
	return true;
}

struct admission_attributes store_attributes(const struct operation *op,
	enum admission_operation what, void *object, const void *old, const void *options)
{
	return (struct admission_attributes){
		.operation = what,
		.arena = op->arena,
		.user = op->user,
		.resource = op->resource,
		.subresource = op->subresource,
		.ns = op->ns,
		.name = op->name,
		.object = object,
		.old = old,
		.options = options,
		.dry_run = op->dry_run,
		.warnings = op->warnings,
	};
}

int store_fail(const struct operation *op, str name, const struct err *why, struct err *e)
{
	struct arena *a = op->arena;
	struct status_subject s = operation_subject(op, name);

	switch (why->kind) {
	case ERR_EXISTS: return status_already_exists(a, e, s);
	case ERR_NOT_FOUND: return status_not_found(a, e, s);
	case ERR_LIMIT:
		return status_fail(a, e, STATUS_REQUEST_ENTITY_TOO_LARGE,
			"Request entity too large: %s", why->text);
	case ERR_UNAVAILABLE:
	case ERR_CLOSED:
		status_fail(a, e, STATUS_SERVER_TIMEOUT, "%s", why->text);
		status_retry_after(a, e, 1);
		return -1;
	case ERR_TIMEOUT:
		status_fail(a, e, STATUS_TIMEOUT, "%s", why->text);
		status_retry_after(a, e, 1);
		return -1;
	default: return status_fail(a, e, STATUS_INTERNAL_ERROR, "%s", why->text);
	}
}

bool store_unanswered(const struct err *e)
{
	switch (e->kind) {
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
	case ERR_CLOSED:
	case ERR_SYSTEM:
	case ERR_INTERNAL: return true;
	default: return false;
	}
}

int store_in_time(const struct operation *op, struct err *e)
{
	const struct clock *c = op->registry->o.clock;

	if (!op->deadline_ns || c->monotonic_ns(c) <= op->deadline_ns)
		return 0;
	return status_fail(op->arena, e, STATUS_TIMEOUT, "%s", REQUEST_TIMED_OUT);
}

int store_read(const struct operation *op, bool newest, struct stored **to, struct err *e)
{
	struct storage *s = op->registry->o.storage;
	struct stored *o = newest ? NULL : storage_get(s, op->resource, op->ns, op->name);
	struct err why;

	if (!o && storage_fetch(s, op->resource, op->ns, op->name, &o, &why) < 0)
		return store_fail(op, op->name, &why, e);
	*to = o;
	return 0;
}

int store_decode(struct operation *op, struct stored *o, void **to, struct err *e)
{
	if (arena_grow(op->arena, (void **)&op->held, op->held_count, &op->held_cap,
		    sizeof(*op->held)) < 0)
		return arena_full(op->arena, e);
	TRY(stored_decode(op->arena, o, to, e));
	counted_take(&o->counted);
	op->held[op->held_count++] = o;
	return 0;
}

void operation_end(struct operation *op)
{
	for (size_t i = 0; i < op->held_count; i++)
		counted_drop(&op->held[i]->counted);
	op->held_count = 0;
}

static bool matches_field(const struct stored *o, const struct selector_requirement *q)
{
	str value = STR("");

	if (str_eq(q->key, STR("metadata.name"))) {
		value = o->name;
	} else if (str_eq(q->key, STR("metadata.namespace"))) {
		value = o->ns;
	} else {
		const struct field_label *labels = o->resource->labels;

		for (size_t i = 0; labels[i].name.at; i++)
			if (str_eq(labels[i].path, q->key))
				value = o->fields[i];
	}
	return str_eq(value, q->values.at[0]) == (q->op != SELECTOR_NOT_EQUALS);
}

bool registry_selects(const struct registry_selection *s, const struct stored *o)
{
	for (size_t i = 0; i < s->fields->len; i++)
		if (!matches_field(o, &s->fields->at[i]))
			return false;
	return s->labels->len == 0 || selector_matches(s->labels, o->labels);
}

int registry_check_uid(struct arena *a, const struct resource *r, const struct object_meta *stored,
	str wanted, struct err *e)
{
	struct status_subject s = {r->group, r->plural, stored->name};

	if (wanted.len == 0 || str_eq(wanted, stored->uid))
		return 0;
	return status_conflict(a, e, s,
		"StorageError: invalid object, Code: 4, Key: %.*s/%.*s%s%.*s, ResourceVersion: 0, "
		"AdditionalErrorMsg: Precondition failed: UID in precondition: %.*s, UID in object "
		"meta: %.*s",
		STR_ARG(r->etcd_prefix), STR_ARG(stored->namespace),
		stored->namespace.len ? "/" : "", STR_ARG(stored->name), STR_ARG(wanted),
		STR_ARG(stored->uid));
}

int store_check_grants(const struct operation *op, void *now, const void *before, struct err *e)
{
	struct authorizer *z = op->registry->o.authorizer;
	void *old = (void *)(uintptr_t)before;

	switch (op->resource->type) {
	case API_RBAC_ROLE:
	case API_RBAC_CLUSTER_ROLE:
		return authorizer_check_role_write(
			z, op->arena, op->user, op->ns, op->name, now, old, e);
	case API_RBAC_ROLE_BINDING:
	case API_RBAC_CLUSTER_ROLE_BINDING:
		return authorizer_check_binding_write(z, op->arena, op->user, op->ns, now, old, e);
	default: return 0;
	}
}

int store_check(const struct operation *op, str name, const struct causes *c, struct err *e)
{
	struct status_subject s = {op->resource->group, op->resource->kind, name};

	return c->len ? status_invalid(op->arena, e, s, c) : 0;
}

static size_t field_bytes(const struct type *t, const struct field *f)
{
	return f->shape == SHAPE_VALUE      ? field_value_bytes(t, f)
		: f->shape == SHAPE_POINTER ? sizeof(void *)
					    : sizeof(struct str_list);
}

void store_clear_field(void *object, str name)
{
	const struct type *t = object_type(object);
	const struct field *f = type_field(t, name);

	if (f && (f->shape == SHAPE_VALUE || (t->flags & TYPE_OPEN)))
		memset(field_at(object, f), 0, field_bytes(t, f));
	if (t->flags & TYPE_OPEN)
		open_drop(t, object, name);
}

void store_copy_field(struct arena *a, void *to, const void *from, str name)
{
	const struct type *t = object_type(to);
	const struct field *f = type_field(t, name);
	const str *text;

	if (f)
		memcpy(field_at(to, f), field_at(from, f), field_bytes(t, f));
	if (!(t->flags & TYPE_OPEN))
		return;
	open_drop(t, to, name);
	text = open_text(t, from, name);
	if (text)
		str_map_set(a, open_texts(t, to), name, *text);
}

bool store_same_spec(struct arena *a, const void *one, const void *other)
{
	const struct type *t = object_type(one);
	void *x = arena_get(a, t->size_bytes), *y = arena_get(a, t->size_bytes);

	memcpy(x, one, t->size_bytes);
	memcpy(y, other, t->size_bytes);
	/* Texts are dropped in place. */
	if (t->flags & TYPE_OPEN) {
		x = object_copy(a, one, false);
		y = object_copy(a, other, false);
	}
	for (size_t i = 0; i < 2; i++) {
		store_clear_field(i ? y : x, STR("metadata"));
		store_clear_field(i ? y : x, STR("status"));
	}
	return struct_equal(t, x, y);
}

int64_t store_ttl_s(const struct operation *op)
{
	return op->resource->type == API_EVENT || op->resource->type == API_EVENTS_EVENT
		? op->registry->o.event_ttl_s
		: 0;
}
