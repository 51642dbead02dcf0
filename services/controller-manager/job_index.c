#include "controller-manager/job.h"

struct job_indexes job_indexes_read(struct arena *a, str text, size_t completions)
{
	struct job_indexes x = {.at = arena_get(a, completions + 1), .len = completions};

	for (str rest = text; rest.at && text.len > 0;) {
		str last = str_cut(&rest, ','), first = str_cut(&last, '-');
		int64_t from, to;

		if (!str_to_i64(first, &from))
			continue;
		to = from;
		if (last.at && !str_to_i64(last, &to))
			continue;
		for (; from <= to && from < (int64_t)completions; from++)
			job_indexes_add(&x, from);
	}
	return x;
}

void job_indexes_add(struct job_indexes *x, int64_t index)
{
	if (index < 0 || (size_t)index >= x->len || x->at[index])
		return;
	x->at[index] = 1;
	x->count++;
}

bool job_indexes_has(const struct job_indexes *x, int64_t index)
{
	return index >= 0 && (size_t)index < x->len && x->at[index];
}

str job_indexes_text(struct arena *a, const struct job_indexes *x)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	for (size_t i = 0; i < x->len; i++) {
		size_t end = i;

		if (!x->at[i])
			continue;
		while (end + 1 < x->len && x->at[end + 1])
			end++;
		if (b.len > 0)
			buf_add_char(&b, ',');
		buf_add_u64(&b, i);
		if (end > i) {
			buf_add_char(&b, end == i + 1 ? ',' : '-');
			buf_add_u64(&b, end);
		}
		i = end;
	}
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

int64_t job_pod_index(const struct pod *p)
{
	str text = meta_annotation(&p->metadata, STR("batch.kubernetes.io/job-completion-index"));
	int64_t index;

	return text.len > 0 && str_to_i64(text, &index) && index >= 0 ? index : -1;
}
