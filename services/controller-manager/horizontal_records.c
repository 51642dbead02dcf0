#include "controller-manager/horizontal.h"

#include <pthread.h>
#include <stdlib.h>

struct records {
	pthread_mutex_t lock; /* of the list and of selectors */
	struct hpa_record *first;
};

int hpa_records_open(struct controller_run *r, struct err *e)
{
	struct records *all = calloc(1, sizeof(*all));

	if (!all)
		return err_set(e, ERR_SYSTEM, "no memory for the autoscalers");
	pthread_mutex_init(&all->lock, NULL);
	r->state = all;
	return 0;
}

static struct hpa_record **find(struct records *all, const struct pass *p)
{
	struct hpa_record **at = &all->first;

	while (*at && !(str_eq((*at)->name, p->name) && str_eq((*at)->ns, p->ns)))
		at = &(*at)->next;
	return at;
}

static struct hpa_record *record_new(const struct pass *p)
{
	struct hpa_record *r = calloc(1, sizeof(*r) + p->ns.len + p->name.len);

	if (!r)
		abort();
	char *texts = (char *)(r + 1);

	memcpy(texts, p->ns.at, p->ns.len);
	memcpy(texts + p->ns.len, p->name.at, p->name.len);
	r->ns = str_span(texts, p->ns.len);
	r->name = str_span(texts + p->ns.len, p->name.len);
	arena_init(&r->arena, ARENA_NO_LIMIT);
	return r;
}

struct hpa_record *hpa_record(struct pass *p)
{
	struct records *all = pass_state(p);

	pthread_mutex_lock(&all->lock);
	struct hpa_record **at = find(all, p);

	if (!*at)
		*at = record_new(p);
	struct hpa_record *found = *at;

	pthread_mutex_unlock(&all->lock);
	return found;
}

void hpa_record_drop(struct pass *p)
{
	struct records *all = pass_state(p);

	pthread_mutex_lock(&all->lock);
	struct hpa_record **at = find(all, p), *gone = *at;

	if (gone)
		*at = gone->next;
	pthread_mutex_unlock(&all->lock);
	if (!gone)
		return;
	hpa_history_free(&gone->history);
	arena_free(&gone->arena);
	free(gone);
}

static void remember(struct hpa_record *r, str selector)
{
	struct err ignored;

	if (r->selector_text.at && str_eq(r->selector_text, selector))
		return;
	arena_reset(&r->arena);
	r->selector_text = arena_str(&r->arena, selector);

	/* It has just been parsed by who calls. */
	if (selector_parse(&r->arena, r->selector_text, (str){NULL, 0}, &r->selector, &ignored) < 0)
		abort();
}

static bool takes_any(const struct hpa_record *r, const struct object_list *pods)
{
	for (size_t i = 0; i < pods->len; i++)
		if (selector_matches(&r->selector, &meta_of(pods->at[i])->labels))
			return true;
	return false;
}

size_t hpa_record_selects(struct hpa_pass *h, str *others)
{
	struct records *all = pass_state(h->p);
	size_t count = 0;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	pthread_mutex_lock(&all->lock);
	remember(h->record, h->selector_text);
	for (struct hpa_record *r = all->first; r; r = r->next) {
		if (!r->selector_text.at || !str_eq(r->ns, h->p->ns) || !takes_any(r, &h->pods))
			continue;
		buf_add_fmt(&b, "%s%.*s/%.*s", count ? " " : "[", STR_ARG(r->ns), STR_ARG(r->name));
		count++;
	}
	pthread_mutex_unlock(&all->lock);
	buf_add_char(&b, ']');
	*others = arena_str(h->p->arena, buf_str(&b));
	buf_free(&b);
	return count;
}
