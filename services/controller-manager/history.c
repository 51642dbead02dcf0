#include "controller-manager/history.h"

#include "lib/base/hash.h"

#include <stdio.h>

static int compare_revisions(const void *a, const void *b)
{
	const struct controller_revision *x = a, *y = b;
	int order = (x->revision > y->revision) - (x->revision < y->revision);

	if (order == 0)
		order = time_compare(
			&x->metadata.creation_timestamp, &y->metadata.creation_timestamp);
	return order ? order : str_cmp(x->metadata.name, y->metadata.name);
}

str revision_hash(const struct controller_revision *r)
{
	return str_map_get(&r->metadata.labels, REVISION_LABEL);
}

/* As a strategic merge patch that puts the template back. */
static int make_data(struct history *h, str *to, struct err *e)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	int encoded = struct_encode(
		api_type(API_POD_TEMPLATE_SPEC), h->template, FORMAT_JSON, &b, e);

	if (encoded == 0)
		*to = arena_fmt(h->p->arena,
			"{\"spec\":{\"template\":{\"$patch\":\"replace\",%.*s}}",
			STR_ARG(str_slice(buf_str(&b), 1, b.len)));
	buf_free(&b);
	return encoded;
}

int history_template(struct history *h, const struct controller_revision *r,
	const struct pod_template_spec **to, struct err *e)
{
	const struct stateful_set *holder;
	void *found;

	/* Any kind whose spec has a template will do. */
	TRY(object_decode(
		h->p->arena, api_type(API_STATEFUL_SET), FORMAT_JSON, r->data, &found, NULL, e));
	holder = found;
	*to = &holder->spec.template;
	return 0;
}

static int is_present(
	struct history *h, const struct controller_revision *r, bool *to, struct err *e)
{
	const struct pod_template_spec *t;

	TRY(history_template(h, r, &t, e));
	*to = struct_equal(api_type(API_POD_TEMPLATE_SPEC), t, h->template);
	return 0;
}

static str hash_data(struct history *h, str data)
{
	char digits[16];
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	buf_add_str(&b, data);
	buf_add_i64(&b, *h->collisions);
	int len = snprintf(
		digits, sizeof(digits), "%u", hash_fnv32a(HASH_FNV32A_START, buf_str(&b)));

	buf_free(&b);
	for (int i = 0; i < len; i++)
		digits[i] = "bcdfghjklmnpqrstvwxz2456789"[(unsigned char)digits[i] % 27];
	return arena_str(h->p->arena, str_span(digits, (size_t)len));
}

static int create(struct history *h, struct err *e)
{
	const struct object_meta *m = meta_of(h->owner);
	void *now;
	str data;
	bool same;

	TRY(make_data(h, &data, e));
	for (;;) {
		str hash = hash_data(h, data);
		struct controller_revision *r = pass_new(h->p, API_CONTROLLER_REVISION,
			m->namespace,
			arena_fmt(h->p->arena, "%.*s-%.*s", STR_ARG(m->name), STR_ARG(hash)));

		r->metadata.labels = *h->labels;
		str_map_set(h->p->arena, &r->metadata.labels, REVISION_LABEL, hash);
		meta_add_owner(
			h->p->arena, &r->metadata, meta_controller_ref(h->p->arena, h->owner));
		r->data = data;
		r->revision = h->latest_number + 1;
		if (pass_create(h->p, r, &now, e) == 0)
			break;
		if (e->kind != ERR_EXISTS)
			return -1;
		TRY(pass_fetch(
			h->p, API_CONTROLLER_REVISION, m->namespace, r->metadata.name, &now, e));
		TRY(is_present(h, now, &same, e));
		if (same)
			break;
		++*h->collisions;
	}
	h->latest = now;
	object_list_add(h->p->arena, &h->revisions, now);
	return 0;
}

int history_find(struct history *h, struct err *e)
{
	struct claim claim = {.p = h->p, .owner = h->owner, .selector = h->selector};
	bool same = false;
	void *now;

	TRY(claim_objects(&claim, API_CONTROLLER_REVISION, &h->revisions, e));
	object_list_sort(&h->revisions, compare_revisions);
	for (size_t i = 0; i < h->revisions.len; i++) {
		const struct controller_revision *r = h->revisions.at[i];

		h->latest_number = r->revision;
		TRY(is_present(h, r, &same, e));
		if (same)
			h->latest = r;
	}
	if (!h->latest)
		return create(h, e);
	if (h->latest->revision == h->latest_number)
		return 0;
	struct controller_revision *next = pass_copy(h->p, h->latest);

	next->revision = h->latest_number + 1;
	TRY(pass_update(h->p, next, &now, e));
	h->latest = now;
	return 0;
}

int history_truncate(struct history *h, int32_t limit, bool (*is_live)(const void *owner, str hash),
	const void *owner, struct err *e)
{
	struct object_list spare = {0};

	for (size_t i = 0; i < h->revisions.len; i++) {
		const struct controller_revision *r = h->revisions.at[i];

		if (!str_eq(r->metadata.name, h->latest->metadata.name) &&
			!is_live(owner, revision_hash(r)))
			object_list_add(h->p->arena, &spare, r);
	}
	for (size_t i = 0; i + (size_t)limit < spare.len; i++)
		TRY(pass_ignore_missing(pass_delete(h->p, spare.at[i], e), e));
	return 0;
}
