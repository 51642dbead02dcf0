#include "controller-manager/dependents.h"

struct wake {
	struct controller_run *run;
	const struct dependents *what;
	const struct view *owners;
};

bool dependents_match(struct arena *a, const struct label_selector *s, const struct str_map *labels)
{
	struct meta_selector selector;
	struct err e;

	if (meta_selector(a, s, &selector, &e) < 0)
		return false;
	return !meta_selects_everything(&selector) && meta_matches(&selector, labels);
}

const void *dependents_owner(
	const struct dependents *d, const struct view *v, const struct object_meta *m)
{
	const struct owner_reference *r = meta_controller(m);

	if (!r || !str_eq(r->kind, str_of(d->kind)))
		return NULL;
	const void *owner = view_get(v, m->namespace, r->name);

	return owner && str_eq(meta_of(owner)->uid, r->uid) ? owner : NULL;
}

static void wake_owner(const struct wake *w, const void *owner, const void *before, const void *now)
{
	if (w->what->changed)
		w->what->changed(w->run, owner, before, now);
	else
		run_enqueue(w->run, owner);
}

static void wake_candidates(const struct wake *w, const void *before, const void *now)
{
	const struct object_meta *m = meta_of(now);
	struct view_walk all = view_all(w->owners, m->namespace);
	struct arena a;

	arena_init(&a, ARENA_NO_LIMIT);
	view_each(const void *, owner, &all)
	{
		if (w->what->selects(&a, owner, &m->labels))
			wake_owner(w, owner, before, now);
		arena_reset(&a);
	}
	arena_free(&a);
}

static void deleted(const struct wake *w, const void *object)
{
	const struct object_meta *m = meta_of(object);
	const void *owner = dependents_owner(w->what, w->owners, m);
	char key[RUN_KEY_BYTES];

	if (!owner)
		return;
	const struct object_meta *o = meta_of(owner);

	if (w->what->expectations)
		expectations_deleted(
			w->what->expectations, run_key(key, o->namespace, o->name), m->name);
	wake_owner(w, owner, object, NULL);
}

static void added(const struct wake *w, const void *object)
{
	const struct object_meta *m = meta_of(object);
	const void *owner = dependents_owner(w->what, w->owners, m);
	char key[RUN_KEY_BYTES];

	if (!meta_controller(m)) {
		wake_candidates(w, NULL, object);
		return;
	}
	if (!owner)
		return;
	const struct object_meta *o = meta_of(owner);

	if (w->what->expectations)
		expectations_created(w->what->expectations, run_key(key, o->namespace, o->name));
	wake_owner(w, owner, NULL, object);
}

static bool same_labels(const struct object_meta *a, const struct object_meta *b)
{
	if (a->labels.len != b->labels.len)
		return false;
	for (size_t i = 0; i < a->labels.len; i++) {
		if (!str_eq(a->labels.at[i].key, b->labels.at[i].key) ||
			!str_eq(a->labels.at[i].value, b->labels.at[i].value))
			return false;
	}
	return true;
}

static void updated(const struct wake *w, const void *before, const void *now)
{
	const struct object_meta *m = meta_of(now), *old = meta_of(before);
	const struct owner_reference *ref = meta_controller(m), *old_ref = meta_controller(old);
	bool moved = !ref != !old_ref || (ref && !str_eq(ref->uid, old_ref->uid));
	const void *owner;

	if (moved && old_ref) {
		owner = dependents_owner(w->what, w->owners, old);
		if (owner)
			wake_owner(w, owner, before, now);
	}
	if (ref) {
		owner = dependents_owner(w->what, w->owners, m);
		if (owner)
			wake_owner(w, owner, before, now);
	} else if (moved || !same_labels(m, old)) {
		wake_candidates(w, before, now);
	}
}

void dependents_changed(
	struct controller_run *r, const struct dependents *d, const void *before, const void *now)
{
	struct view *owners = informer_view(informers_of(r->env.informers, d->owner));
	const struct wake w = {r, d, owners};

	/* One that is being deleted counts as gone; its deletion may be heard of twice. */
	if (!now || meta_of(now)->deletion_timestamp)
		deleted(&w, now ? now : before);
	else if (!before)
		added(&w, now);
	else
		updated(&w, before, now);
	view_drop(owners);
}
