#include "apiserver/admission/plugin.h"

/* What plugins ask of the cluster, and how they refuse. */

static int decode(const struct admission_attributes *t, struct stored *o, void *to, struct err *e);
static str request_name(const struct admission_attributes *t);

int admission_forbid(const struct admission_attributes *t, struct err *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str why = arena_vfmt(t->arena, fmt, args);
	va_end(args);
	return status_forbidden(t->arena, e,
		(struct status_subject){t->resource->group, t->resource->plural, request_name(t)},
		"%.*s", STR_ARG(why));
}

bool admission_is(const struct admission_attributes *t, const char *group, const char *resource)
{
	return str_eq(t->resource->group, str_of(group)) &&
		str_eq(t->resource->plural, str_of(resource));
}

static const struct resource *row(const char *group, const char *resource)
{
	return resource_find(str_of(group), STR("v1"), str_of(resource));
}

int admission_get(struct admission *n, const struct admission_attributes *t, const char *group,
	const char *resource, str ns, str name, void *to, struct err *e)
{
	struct stored *o = storage_get(n->options.storage, row(group, resource), ns, name);

	*(void **)to = NULL;
	return o ? decode(t, o, to, e) : 0;
}

int admission_fetch(struct admission *n, const struct admission_attributes *t, const char *group,
	const char *resource, str ns, str name, void *to, struct err *e)
{
	struct stored *o;

	*(void **)to = NULL;
	if (storage_fetch(n->options.storage, row(group, resource), ns, name, &o, e) < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : -1;
	return decode(t, o, to, e);
}

int admission_list(struct admission *n, const struct admission_attributes *t, const char *group,
	const char *resource, str ns, struct admission_list *to, struct err *e)
{
	const str start = {NULL, 0};
	int64_t revision;
	struct snapshot *s = storage_snapshot(n->options.storage, row(group, resource), &revision);
	struct snapshot_walk w = snapshot_walk(s, ns, start);
	const struct stored *o;
	int result = 0;

	while (result == 0 && (o = snapshot_next(&w))) {
		void *at = to->at;

		if (arena_grow(t->arena, &at, to->len, &to->cap, sizeof(void *)) < 0) {
			result = arena_full(t->arena, e);
			break;
		}
		to->at = at;
		counted_take(&((struct stored *)o)->counted);
		result = decode(t, (struct stored *)o, &to->at[to->len], e);
		to->len += result == 0;
	}
	snapshot_drop(s);
	return result;
}

void *admission_grown(struct arena *a, const void *at, size_t len, size_t size)
{
	char *to = arena_get(a, (len + 1) * size);

	if (len > 0)
		memcpy(to, at, len * size);
	return to;
}

void admission_fault(struct admission_faults *f, const char *fmt, ...)
{
	void *at = f->texts.at;
	bool known = false;
	va_list args;

	va_start(args, fmt);
	str text = arena_vfmt(f->arena, fmt, args);
	va_end(args);
	for (size_t i = 0; i < f->texts.len; i++)
		known |= str_eq(f->texts.at[i], text);
	if (!known && arena_grow(f->arena, &at, f->texts.len, &f->cap, sizeof(str)) == 0) {
		f->texts.at = at;
		f->texts.at[f->texts.len++] = text;
	}
}

str admission_faults_text(const struct admission_faults *f)
{
	struct buf b;

	if (f->texts.len == 1)
		return f->texts.at[0];
	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < f->texts.len; i++) {
		buf_add_str(&b, i > 0 ? STR(", ") : STR("["));
		buf_add_str(&b, f->texts.at[i]);
	}
	buf_add_char(&b, ']');
	str text = arena_str(f->arena, buf_str(&b));

	buf_free(&b);
	return text;
}

/* Takes over the reference. Texts of the object lie in the bytes that it is read from: a copy. */
static int decode(const struct admission_attributes *t, struct stored *o, void *to, struct err *e)
{
	enum format f = o->resource->stored_as == STORED_JSON ? FORMAT_JSON : FORMAT_PROTOBUF;
	str bytes = arena_str(t->arena, o->envelope);
	const struct type *type = o->type;

	counted_drop(&o->counted);
	return object_decode(t->arena, type, f, bytes, to, NULL, e);
}

/* Names are not generated yet when plugins run. */
static str request_name(const struct admission_attributes *t)
{
	const struct object_meta *m;

	if (t->name.len > 0)
		return t->name;
	if (!t->object)
		return STR("Unknown");
	m = meta_of(t->object);
	if (!m)
		return STR("Unknown/errorGettingName");
	return m->name.len ? m->name : m->generate_name.len ? m->generate_name : STR("Unknown");
}
