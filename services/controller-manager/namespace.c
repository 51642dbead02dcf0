/*
 * namespace-controller: a namespace that is being deleted loses its content, pods first, then its
 * finalizer.
 * Source: pkg/controller/namespace.
 */
#include "controller-manager/controllers.h"
#include "controller-manager/discovery.h"
#include "controller-manager/objects.h"

enum {
	SETTLE_S = 5, /* for other API servers to hear of the deletion */
	FINALIZER_ESTIMATE_S = 15,
	STATUS_TRIES = 5,
};

#define FINALIZER STR("kubernetes")

/* What is left in a namespace. */
struct remains {
	struct pass *p;
	const struct namespace *ns;
	int64_t estimate_s;
	struct object_list resources;  /* texts: "pods. has 1 resource instances" */
	struct object_list finalizers; /* struct tally */
	struct object_list failures;   /* texts */
	str discovery_failure;
	bool failed;
	struct err error; /* the first */
};

struct tally {
	str name;
	size_t count;
};

struct condition_row {
	str type, ok_reason, ok_message;
};

enum row { DISCOVERY, PARSING, CONTENT_FAILURE, CONTENT, FINALIZERS };

static const struct condition_row rows[] = {
	[DISCOVERY] = {STR_INIT("NamespaceDeletionDiscoveryFailure"),
		STR_INIT("ResourcesDiscovered"), STR_INIT("All resources successfully discovered")},
	[PARSING] = {STR_INIT("NamespaceDeletionGroupVersionParsingFailure"),
		STR_INIT("ParsedGroupVersions"),
		STR_INIT("All legacy kube types successfully parsed")},
	[CONTENT_FAILURE] = {STR_INIT("NamespaceDeletionContentFailure"),
		STR_INIT("ContentDeleted"),
		STR_INIT("All content successfully deleted, may be waiting on finalization")},
	[CONTENT] = {STR_INIT("NamespaceContentRemaining"), STR_INIT("ContentRemoved"),
		STR_INIT("All content successfully removed")},
	[FINALIZERS] = {STR_INIT("NamespaceFinalizersRemaining"),
		STR_INIT("ContentHasNoFinalizers"),
		STR_INIT("All content-preserving finalizers finished")},
};

static int delete_content(struct remains *r, struct err *e);
static int update_conditions(struct remains *r, struct err *e);

static void namespace_changed(struct controller_run *r, UNUSED const void *before, const void *now)
{
	if (now && meta_of(now)->deletion_timestamp)
		run_enqueue_after(r, now, SETTLE_S * NS_PER_S);
}

static int mark_terminating(struct pass *p, const struct namespace **ns, struct err *e)
{
	void *now;

	for (int tries = 1; !str_eq((*ns)->status.phase, STR("Terminating")); tries++) {
		struct namespace *next = pass_copy(p, *ns);

		next->status.phase = STR("Terminating");
		if (pass_update_status(p, next, &now, e) < 0) {
			if (e->kind != ERR_CONFLICT || tries == STATUS_TRIES)
				return -1;
			TRY(pass_fetch(p, API_NAMESPACE, STR(""), p->name, &now, e));
		}
		*ns = now;
	}
	return 0;
}

static int finalize(struct pass *p, const struct namespace *ns, struct err *e)
{
	struct namespace *next = pass_copy(p, ns);
	struct target t = target_of(ns);
	size_t left = 0;

	for (size_t i = 0; i < ns->spec.finalizers.len; i++) {
		if (!str_eq(ns->spec.finalizers.at[i], FINALIZER))
			next->spec.finalizers.at[left++] = ns->spec.finalizers.at[i];
	}
	next->spec.finalizers.len = left;
	t.sub = STR("finalize");
	int done = client_update(p->run->env.client, p->arena, t, next, NULL, e);

	return pass_ignore_missing(done, e);
}

static int reconcile(struct pass *p, struct err *e)
{
	const struct namespace *seen = pass_get(p, API_NAMESPACE, STR(""), p->name), *ns;
	void *now;

	if (!seen || !seen->metadata.deletion_timestamp)
		return 0;
	if (pass_fetch(p, API_NAMESPACE, STR(""), p->name, &now, e) < 0)
		return pass_ignore_missing(-1, e);
	ns = now;
	if (!ns->metadata.deletion_timestamp)
		return 0;
	if (mark_terminating(p, &ns, e) < 0)
		return pass_ignore_missing(-1, e);
	if (!str_eq(ns->metadata.uid, seen->metadata.uid) || ns->spec.finalizers.len == 0)
		return 0;
	struct remains r = {.p = p, .ns = ns};

	TRY(delete_content(&r, e));
	if (r.estimate_s > 0) {
		pass_again(p, (r.estimate_s / 2 + 1) * NS_PER_S);
		return 0;
	}
	return finalize(p, r.ns, e);
}

/* --- content */

static str *new_text(struct pass *p, str s)
{
	str *to = arena_get(p->arena, sizeof(*to));

	*to = s;
	return to;
}

static void tally_finalizers(struct remains *r, const struct partial_object_metadata_list *l)
{
	for (size_t i = 0; i < l->items.len; i++) {
		const struct str_list *names = &l->items.at[i].metadata.finalizers;

		for (size_t n = 0; n < names->len; n++) {
			size_t at = 0;

			for (; at < r->finalizers.len; at++) {
				if (str_eq(((const struct tally *)r->finalizers.at[at])->name,
					    names->at[n]))
					break;
			}
			if (at == r->finalizers.len) {
				struct tally *t = arena_get(r->p->arena, sizeof(*t));

				t->name = names->at[n];
				object_list_add(r->p->arena, &r->finalizers, t);
			}
			((struct tally *)r->finalizers.at[at])->count++;
		}
	}
}

/* The longest grace that a pod may take, as long as it is not over. */
static int estimate_pods(struct remains *r, int64_t *to, struct err *e)
{
	struct pass *p = r->p;
	struct target t = {.resource = meta_resource(API_POD), .ns = p->name};
	void *found;

	*to = 0;
	TRY(client_list(p->run->env.client, p->arena, t, &found, e));
	const struct pod_list *pods = found;

	for (size_t i = 0; i < pods->items.len; i++) {
		const struct pod *pod = &pods->items.at[i];
		const int64_t *grace_s = pod->spec.termination_grace_period_seconds;

		if (!str_eq(pod->status.phase, STR("Succeeded")) &&
			!str_eq(pod->status.phase, STR("Failed")) && grace_s && *grace_s > *to)
			*to = *grace_s;
	}
	if (pass_now_ns(p) / NS_PER_S - r->ns->metadata.deletion_timestamp->seconds >= *to)
		*to = 0;
	return 0;
}

static int delete_each(struct remains *r, const struct resource *row, struct err *e)
{
	const struct client_delete how = {.propagation = STR("Background")};
	struct client *c = r->p->run->env.client;
	struct partial_object_metadata_list *l;
	struct target t = {.resource = row, .ns = r->p->name};

	if (row->verbs & VERB_DELETECOLLECTION)
		return client_delete(c, r->p->arena, t, &how, e);
	if (!(row->verbs & VERB_LIST))
		return 0;
	TRY(list_metadata(c, r->p->arena, row, r->p->name, &l, e));
	for (size_t i = 0; i < l->items.len; i++) {
		t.name = l->items.at[i].metadata.name;
		TRY(pass_ignore_missing(client_delete(c, r->p->arena, t, &how, e), e));
	}
	return 0;
}

static int delete_resource(
	struct remains *r, const struct resource *row, size_t *left, struct err *e)
{
	struct pass *p = r->p;
	struct partial_object_metadata_list *l;
	int64_t estimate_s = 0;
	size_t tallied = r->finalizers.len;

	*left = 0;
	if (row->group.len == 0 && str_eq(row->plural, STR("pods")))
		TRY(estimate_pods(r, &estimate_s, e));
	TRY(delete_each(r, row, e));
	if (!(row->verbs & VERB_LIST))
		return 0;
	TRY(list_metadata(p->run->env.client, p->arena, row, p->name, &l, e));
	*left = l->items.len;
	if (l->items.len == 0)
		return 0;
	tally_finalizers(r, l);
	object_list_add(p->arena, &r->resources,
		new_text(p,
			arena_fmt(p->arena, "%.*s.%.*s has %zu resource instances",
				STR_ARG(row->plural), STR_ARG(row->group), l->items.len)));
	bool has_finalizers = r->finalizers.len > tallied;

	for (size_t i = 0; i < l->items.len && !has_finalizers; i++)
		has_finalizers = l->items.at[i].metadata.finalizers.len > 0;
	if (estimate_s == 0 && has_finalizers)
		estimate_s = FINALIZER_ESTIMATE_S;
	if (estimate_s > r->estimate_s)
		r->estimate_s = estimate_s;
	if (estimate_s == 0)
		return err_set(e, ERR_CONFLICT,
			"unexpected items still remain in namespace: %.*s for gvr: %.*s/%.*s, "
			"Resource=%.*s",
			STR_ARG(p->name), STR_ARG(row->group), STR_ARG(row->version),
			STR_ARG(row->plural));
	return 0;
}

static size_t delete_or_note(struct remains *r, const struct resource *row)
{
	struct err e;
	size_t left;

	if (delete_resource(r, row, &left, &e) < 0) {
		if (!r->failed)
			r->error = e;
		r->failed = true;
		object_list_add(r->p->arena, &r->failures,
			new_text(r->p, arena_fmt(r->p->arena, "%s", e.text)));
	}
	return left;
}

static int delete_content(struct remains *r, struct err *e)
{
	struct discovered d;
	size_t pods_left = 0;

	TRY(discover(r->p->run->env.client, r->p->arena, &d, e));
	if (d.failing_count > 0) {
		r->discovery_failure = arena_fmt(r->p->arena,
			"Discovery failed for some groups, %zu failing: unable to retrieve the "
			"complete list of server APIs: %.*s",
			d.failing_count, STR_ARG(d.failing));
		r->failed = true;
		err_write(&r->error, ERR_UNAVAILABLE, "%.*s", STR_ARG(r->discovery_failure));
	}
	pods_left = delete_or_note(r, meta_resource(API_POD));
	for (size_t i = 0; i < d.len && pods_left == 0; i++) {
		const struct resource *row = &d.at[i];

		if (row->namespaced && (row->verbs & VERB_DELETE) &&
			!(row->group.len == 0 && str_eq(row->plural, STR("pods"))))
			(void)delete_or_note(r, row);
	}
	TRY(update_conditions(r, e));
	if (!r->failed)
		return 0;
	*e = r->error;
	return -1;
}

/* --- conditions */

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static str join(struct remains *r, struct object_list *texts, str all)
{
	object_list_sort(texts, by_text);
	for (size_t i = 0; i < texts->len; i++)
		all = arena_fmt(r->p->arena, "%.*s%s%.*s", STR_ARG(all), i > 0 ? ", " : "",
			STR_ARG(*(const str *)texts->at[i]));
	return all;
}

static struct namespace_condition wanted_condition(struct remains *r, enum row which)
{
	struct namespace_condition c = {
		.type = rows[which].type,
		.status = STR("True"),
		.last_transition_time = pass_now(r->p),
	};
	struct object_list finalizers = {0};

	if (which == DISCOVERY && r->discovery_failure.len > 0) {
		c.reason = STR("DiscoveryFailed");
		c.message = r->discovery_failure;
	} else if (which == CONTENT_FAILURE && r->failures.len > 0) {
		c.reason = STR("ContentDeletionFailed");
		c.message = join(r, &r->failures,
			arena_fmt(r->p->arena,
				"Failed to delete all resource types, %zu remaining: ",
				r->failures.len));
	} else if (which == CONTENT && r->resources.len > 0) {
		c.reason = STR("SomeResourcesRemain");
		c.message = join(r, &r->resources, STR("Some resources are remaining: "));
	} else if (which == FINALIZERS && r->finalizers.len > 0) {
		for (size_t i = 0; i < r->finalizers.len; i++) {
			const struct tally *t = r->finalizers.at[i];

			object_list_add(r->p->arena, &finalizers,
				new_text(r->p,
					arena_fmt(r->p->arena, "%.*s in %zu resource instances",
						STR_ARG(t->name), t->count)));
		}
		c.reason = STR("SomeFinalizersRemain");
		c.message = join(r, &finalizers,
			STR("Some content in the namespace has finalizers remaining: "));
	} else {
		c.status = STR("False");
		c.reason = rows[which].ok_reason;
		c.message = rows[which].ok_message;
	}
	return c;
}

static bool put_condition(struct namespace_status *s, struct namespace_condition c)
{
	for (size_t i = 0; i < s->conditions.len; i++) {
		struct namespace_condition *old = &s->conditions.at[i];

		if (!str_eq(old->type, c.type))
			continue;
		if (str_eq(old->status, c.status) && str_eq(old->reason, c.reason) &&
			str_eq(old->message, c.message))
			return false;
		if (str_eq(old->status, c.status))
			c.last_transition_time = old->last_transition_time;
		*old = c;
		return true;
	}
	s->conditions.at[s->conditions.len++] = c;
	return true;
}

static int update_conditions(struct remains *r, struct err *e)
{
	struct namespace *next = pass_copy(r->p, r->ns);
	struct namespace_status *s = &next->status;
	bool changed = false;
	void *now;

	s->conditions.at = arena_get(
		r->p->arena, (s->conditions.len + COUNT_OF(rows)) * sizeof(*s->conditions.at));
	if (s->conditions.len > 0)
		memcpy(s->conditions.at, r->ns->status.conditions.at,
			s->conditions.len * sizeof(*s->conditions.at));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		changed |= put_condition(s, wanted_condition(r, (enum row)i));
	if (!changed)
		return 0;
	TRY(pass_update_status(r->p, next, &now, e));
	r->ns = now;
	return 0;
}

const struct controller namespace_controller = {
	.name = "namespace-controller",
	.account = "namespace-controller",
	.watches = {{API_NAMESPACE, namespace_changed}},
	.works = {{"namespace", 10, reconcile, .retry_max_ns = 60 * NS_PER_S}},
};
