#include "apiserver/admission/admission.h"

#include "apiserver/admission/webhook.h"

#include <stdlib.h>

static const struct plugin *find(str name);
static int check_names(const struct str_list *names, bool enable, struct err *e);
static bool runs(const struct admission_options *o, const struct plugin *p);
static bool concerns(const struct plugin *p, const struct admission_attributes *t);

int admission_open(const struct admission_options *o, struct admission **to, struct err *e)
{
	size_t running = 0, mutating = 0, validating = 0;

	TRY(check_names(&o->enabled, true, e));
	TRY(check_names(&o->disabled, false, e));
	struct admission *n = calloc(1, sizeof(*n));
	const struct plugin **rows = calloc(3 * (plugin_count + 1), sizeof(*rows));

	if (!n || !rows) {
		free(n);
		free(rows);
		return err_set(e, ERR_SYSTEM, "no memory for admission");
	}
	n->options = *o;
	n->options.enabled = n->options.disabled = (struct str_list){NULL, 0};
	n->running = rows;
	n->mutating = rows + plugin_count + 1;
	n->validating = rows + 2 * (plugin_count + 1);
	for (size_t i = 0; i < plugin_count; i++) {
		if (!runs(o, &plugins[i]))
			continue;
		n->running[running++] = &plugins[i];
		if (plugins[i].mutate)
			n->mutating[mutating++] = &plugins[i];
		if (plugins[i].validate)
			n->validating[validating++] = &plugins[i];
	}
	pthread_mutex_init(&n->recent.lock, NULL);
	quota_rooms_init(n->rooms);
	*to = n;
	return 0;
}

void admission_close(struct admission *n)
{
	quota_rooms_free(n->rooms);
	pthread_mutex_destroy(&n->recent.lock);
	free(n->running);
	free(n);
}

/* A plugin that is asked about two resources has two rows. */
void admission_put_names(const struct admission *n, struct buf *to)
{
	for (size_t i = 0; n->running[i]; i++)
		if (find(str_of(n->running[i]->name)) == n->running[i])
			buf_add_fmt(to, "%s%s", i > 0 ? "," : "", n->running[i]->name);
}

static int mutate_once(struct admission *n, struct admission_attributes *t, struct err *e)
{
	for (size_t i = 0; n->mutating[i]; i++)
		if (concerns(n->mutating[i], t))
			TRY(n->mutating[i]->mutate(n, t, e));
	return 0;
}

/* What webhooks changed all plugins see once more. */
int admission_mutate(struct admission *n, struct admission_attributes *t, struct err *e)
{
	struct admission_round round = {0};
	int result;

	t->round = &round;
	result = mutate_once(n, t, e);
	if (result == 0 && round.wanted) {
		round.again = true;
		result = mutate_once(n, t, e);
	}
	t->round = NULL;
	return result;
}

int admission_validate(struct admission *n, const struct admission_attributes *t, struct err *e)
{
	for (size_t i = 0; n->validating[i]; i++)
		if (concerns(n->validating[i], t))
			TRY(n->validating[i]->validate(n, t, e));
	return 0;
}

static const struct plugin *find(str name)
{
	for (size_t i = 0; i < plugin_count; i++)
		if (str_eq(name, str_of(plugins[i].name)))
			return &plugins[i];
	return NULL;
}

static int check_names(const struct str_list *names, bool enable, struct err *e)
{
	for (size_t i = 0; i < names->len; i++) {
		const struct plugin *p = find(names->at[i]);

		if (!p)
			return err_set(e, ERR_INVALID,
				"--%s-admission-plugins: there is no plugin \"%.*s\"",
				enable ? "enable" : "disable", STR_ARG(names->at[i]));
		if (enable && (p->flags & PLUGIN_NOT_BUILT))
			return err_set(e, ERR_INVALID,
				"--enable-admission-plugins: the plugin %s is not built yet",
				p->name);
	}
	return 0;
}

static bool listed(const struct str_list *l, const char *name)
{
	for (size_t i = 0; i < l->len; i++)
		if (str_eq(l->at[i], str_of(name)))
			return true;
	return false;
}

/* As upstream: what is enabled and disabled is disabled. */
static bool runs(const struct admission_options *o, const struct plugin *p)
{
	if (listed(&o->disabled, p->name) || (p->flags & (PLUGIN_NOT_BUILT | PLUGIN_IDLE)))
		return false;
	return (p->flags & PLUGIN_DEFAULT) || listed(&o->enabled, p->name);
}

static bool concerns(const struct plugin *p, const struct admission_attributes *t)
{
	if (!(p->operations & t->operation) ||
		(t->subresource.len > 0 && !(p->flags & PLUGIN_SUBRESOURCES)))
		return false;
	if (!p->resource)
		return true;
	str group = str_of(p->resource), resource = str_cut(&group, '.');

	return str_eq(t->resource->plural, resource) && str_eq(t->resource->group, group);
}
