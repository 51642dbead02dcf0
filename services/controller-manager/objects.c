#include "controller-manager/objects.h"

#include "lib/codec/json.h"

#include <stdlib.h>

static int claim_one(struct claim *c, const void *object, bool *ours, struct err *e);

void object_list_add(struct arena *a, struct object_list *l, const void *object)
{
	void *at = l->at;

	if (arena_grow(a, &at, l->len, &l->cap, sizeof(*l->at)) < 0)
		abort();
	l->at = at;
	l->at[l->len++] = object;
}

static int compare(const void *a, const void *b, void *order)
{
	return (*(object_order **)order)(*(const void *const *)a, *(const void *const *)b);
}

void object_list_sort(struct object_list *l, object_order *order)
{
	if (l->len > 1)
		qsort_r(l->at, l->len, sizeof(*l->at), compare, &order);
}

static int claim_walk(struct claim *c, struct view_walk *w, struct object_list *to, struct err *e)
{
	view_each(const void *, object, w)
	{
		bool ours = false;

		if (c->wanted && !c->wanted(object))
			continue;
		TRY(claim_one(c, object, &ours, e));
		if (ours)
			object_list_add(c->p->arena, to, object);
	}
	return 0;
}

int claim_objects(struct claim *c, enum api_type type, struct object_list *to, struct err *e)
{
	const struct object_meta *m = meta_of(c->owner);
	struct view_walk own = pass_by(c->p, type, informer_by_controller, m->uid, m->namespace);
	struct view_walk orphans = pass_by(
		c->p, type, informer_by_controller, STR(""), m->namespace);

	TRY(claim_walk(c, &own, to, e));
	return claim_walk(c, &orphans, to, e);
}

void owned_objects(struct pass *p, const void *owner, enum api_type type, struct object_list *to)
{
	const struct object_meta *m = meta_of(owner);
	struct view_walk own = pass_by(p, type, informer_by_controller, m->uid, m->namespace);

	view_each(const void *, object, &own) object_list_add(p->arena, to, object);
}

/* Asks the server, since the cache may not know yet that the owner is being deleted. */
static int check_owner(struct claim *c, struct err *e)
{
	const struct object_meta *m = meta_of(c->owner);
	struct target t = target_of(c->owner);
	void *now;

	if (!c->asked) {
		c->asked = true;
		if (client_get(c->p->run->env.client, c->p->arena, t, &now, &c->refused) == 0) {
			const struct object_meta *fresh = meta_of(now);

			c->may_adopt = str_eq(fresh->uid, m->uid) && !fresh->deletion_timestamp;
			if (!str_eq(fresh->uid, m->uid))
				err_write(&c->refused, ERR_CONFLICT,
					"original %.*s/%.*s is gone: got uid %.*s, wanted %.*s",
					STR_ARG(m->namespace), STR_ARG(m->name),
					STR_ARG(fresh->uid), STR_ARG(m->uid));
			else if (fresh->deletion_timestamp)
				err_write(&c->refused, ERR_CONFLICT,
					"%.*s/%.*s has just been deleted", STR_ARG(m->namespace),
					STR_ARG(m->name));
		}
	}
	if (c->may_adopt)
		return 0;
	*e = c->refused;
	return err_context(e, "can't adopt");
}

static int adopt(struct claim *c, const void *object, struct err *e)
{
	const struct object *kind = c->owner;
	const struct object_meta *m = meta_of(c->owner), *o = meta_of(object);
	struct buf b;

	TRY(check_owner(c, e));
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":"));
	json_put_str(&b, kind->api_version);
	buf_add_str(&b, STR(",\"kind\":"));
	json_put_str(&b, kind->kind);
	buf_add_str(&b, STR(",\"name\":"));
	json_put_str(&b, m->name);
	buf_add_str(&b, STR(",\"uid\":"));
	json_put_str(&b, m->uid);
	buf_add_str(&b, STR(",\"controller\":true,\"blockOwnerDeletion\":true}],\"uid\":"));
	json_put_str(&b, o->uid);
	if (c->finalizer)
		buf_add_fmt(&b, ",\"finalizers\":[\"%s\"]", c->finalizer);
	buf_add_str(&b, STR("}}"));
	int patched = pass_patch(c->p, object, STR(""), PATCH_STRATEGIC, buf_str(&b), NULL, e);

	buf_free(&b);
	return patched;
}

static int release(struct claim *c, const void *object, struct err *e)
{
	const struct object_meta *m = meta_of(c->owner), *o = meta_of(object);
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, STR("{\"metadata\":{\"ownerReferences\":[{\"$patch\":\"delete\",\"uid\":"));
	json_put_str(&b, m->uid);
	buf_add_str(&b, STR("}],\"uid\":"));
	json_put_str(&b, o->uid);
	if (c->finalizer)
		buf_add_fmt(&b, ",\"$deleteFromPrimitiveList/finalizers\":[\"%s\"]", c->finalizer);
	buf_add_str(&b, STR("}}"));
	int patched = pass_patch(c->p, object, STR(""), PATCH_STRATEGIC, buf_str(&b), NULL, e);

	buf_free(&b);
	if (patched < 0 && (e->kind == ERR_NOT_FOUND || e->kind == ERR_INVALID))
		return 0;
	return patched;
}

static int claim_one(struct claim *c, const void *object, bool *ours, struct err *e)
{
	const struct object_meta *o = meta_of(object), *m = meta_of(c->owner);
	const struct owner_reference *r = meta_controller(o);
	bool matches = meta_matches(c->selector, &o->labels);

	if (r && !str_eq(r->uid, m->uid))
		return 0;
	if (r && matches) {
		*ours = true;
		return 0;
	}
	if (m->deletion_timestamp)
		return 0;
	if (r)
		return release(c, object, e);
	if (!matches || o->deletion_timestamp)
		return 0;
	if (adopt(c, object, e) < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : -1;
	*ours = true;
	return 0;
}
