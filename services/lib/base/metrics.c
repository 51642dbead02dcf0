#include "lib/base/metrics.h"

#include "lib/base/arena.h"
#include "lib/base/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct series {
	const struct metric *metric;
	const str *values;
	_Atomic double value;      /* counter, gauge; histogram: the sum */
	_Atomic uint64_t counts[]; /* histogram: per bucket, the last for +Inf */
};

struct family {
	const struct metric *metric;
	size_t label_count;
	struct map series; /* by label values, joined */
};

struct metrics {
	pthread_mutex_t lock; /* guards the rest */
	struct arena arena;
	size_t count;
	struct family *families;
};

static struct series *add_series(struct metrics *m, struct family *f, str key, const str *values);
static void write_family(const struct family *f, struct buf *to);

struct metrics *metrics_new(const struct metric *table, size_t count)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	pthread_mutex_init(&m->lock, NULL);
	arena_init(&m->arena, ARENA_NO_LIMIT);
	metrics_add(m, table, count);
	return m;
}

size_t metrics_add(struct metrics *m, const struct metric *table, size_t count)
{
	size_t first;

	pthread_mutex_lock(&m->lock);
	first = m->count;
	m->count += count;
	m->families = realloc(m->families, (m->count + 1) * sizeof(m->families[0]));
	if (!m->families)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct family *f = &m->families[first + i];

		*f = (struct family){.metric = &table[i]};
		map_init(&f->series);
		while (f->label_count < METRIC_LABELS_MAX && table[i].labels[f->label_count])
			f->label_count++;
	}
	pthread_mutex_unlock(&m->lock);
	return first;
}

void metrics_free(struct metrics *m)
{
	for (size_t i = 0; i < m->count; i++)
		map_free(&m->families[i].series);
	free(m->families);
	arena_free(&m->arena);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

struct series *metrics_series(struct metrics *m, size_t which, const str *values)
{
	static const str other[METRIC_LABELS_MAX] = {STR_INIT("other"), STR_INIT("other"),
		STR_INIT("other"), STR_INIT("other"), STR_INIT("other"), STR_INIT("other"),
		STR_INIT("other"), STR_INIT("other")};
	struct family *f;
	struct buf key;

	/* 0xff is in no UTF-8 text, so joined values stay apart. */
	buf_init(&key, BUF_NO_LIMIT);
	pthread_mutex_lock(&m->lock);
	f = &m->families[which];
	for (size_t i = 0; i < f->label_count; i++) {
		buf_add_str(&key, values[i]);
		buf_add_char(&key, '\xff');
	}
	struct series *s = map_get(&f->series, buf_str(&key));

	if (!s && (values == other || f->series.len < METRIC_SERIES_MAX))
		s = add_series(m, f, buf_str(&key), values);
	pthread_mutex_unlock(&m->lock);
	buf_free(&key);
	return s ? s : metrics_series(m, which, other);
}

void series_add(struct series *s, double by)
{
	double before = atomic_load_explicit(&s->value, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(
		&s->value, &before, before + by, memory_order_relaxed, memory_order_relaxed))
		;
}

void series_set(struct series *s, double value)
{
	atomic_store_explicit(&s->value, value, memory_order_relaxed);
}

void series_observe(struct series *s, double value)
{
	size_t bucket = 0;

	while (bucket < s->metric->bucket_count && value > s->metric->buckets[bucket])
		bucket++;
	atomic_fetch_add_explicit(&s->counts[bucket], 1, memory_order_relaxed);
	series_add(s, value);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct family *const *)a)->metric->name,
		(*(const struct family *const *)b)->metric->name);
}

void metrics_write(struct metrics *m, struct buf *to)
{
	const struct family **sorted;

	pthread_mutex_lock(&m->lock);
	sorted = calloc(m->count + 1, sizeof(struct family *));
	if (!sorted)
		abort();
	for (size_t i = 0; i < m->count; i++)
		sorted[i] = &m->families[i];
	qsort(sorted, m->count, sizeof(struct family *), by_name);
	for (size_t i = 0; i < m->count; i++)
		write_family(sorted[i], to);
	pthread_mutex_unlock(&m->lock);
	free(sorted);
}

static struct series *add_series(struct metrics *m, struct family *f, str key, const str *values)
{
	size_t counts = f->metric->kind == METRIC_HISTOGRAM ? f->metric->bucket_count + 1 : 0;
	struct series *s = arena_get(&m->arena, sizeof(*s) + counts * sizeof(s->counts[0]));
	str *copies = arena_get(&m->arena, f->label_count * sizeof(*copies));

	for (size_t i = 0; i < f->label_count; i++)
		copies[i] = arena_str(&m->arena, values[i]);
	s->metric = f->metric;
	s->values = copies;
	map_put(&f->series, arena_str(&m->arena, key), s);
	return s;
}

/* The shortest text that reads back as the same number; whole numbers in full, as Go does. */
static void put_number(struct buf *to, double value)
{
	char text[32];

	if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value) {
		buf_add_i64(to, (int64_t)value);
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_add_str(to, str_of(text));
}

static void put_escaped(struct buf *to, str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\n') {
			buf_add_str(to, STR("\\n"));
			continue;
		}
		if (c == '\\' || c == '"')
			buf_add_char(to, '\\');
		buf_add_char(to, c);
	}
}

/* name_suffix{labels,le="bound"}; bound absent: no such label. */
static void put_series_name(struct buf *to, const struct series *s, const char *suffix, str bound)
{
	char before = '{';

	buf_add_fmt(to, "%s%s", s->metric->name, suffix);
	for (size_t i = 0; i < METRIC_LABELS_MAX && s->metric->labels[i]; i++, before = ',') {
		buf_add_fmt(to, "%c%s=\"", before, s->metric->labels[i]);
		put_escaped(to, s->values[i]);
		buf_add_char(to, '"');
	}
	if (bound.at) {
		buf_add_fmt(to, "%cle=\"%.*s\"", before, STR_ARG(bound));
		before = ',';
	}
	buf_add_str(to, before == ',' ? STR("} ") : STR(" "));
}

static void write_histogram(const struct series *s, struct buf *to)
{
	uint64_t below = 0;
	struct buf bound;

	buf_init(&bound, 64);
	for (size_t i = 0; i <= s->metric->bucket_count; i++) {
		buf_reset(&bound);
		if (i < s->metric->bucket_count)
			put_number(&bound, s->metric->buckets[i]);
		else
			buf_add_str(&bound, STR("+Inf"));
		below += atomic_load_explicit(&s->counts[i], memory_order_relaxed);
		put_series_name(to, s, "_bucket", buf_str(&bound));
		buf_add_fmt(to, "%llu\n", (unsigned long long)below);
	}
	buf_free(&bound);
	put_series_name(to, s, "_sum", (str){NULL, 0});
	put_number(to, atomic_load_explicit(&s->value, memory_order_relaxed));
	buf_add_char(to, '\n');
	put_series_name(to, s, "_count", (str){NULL, 0});
	buf_add_fmt(to, "%llu\n", (unsigned long long)below);
}

static int by_key(const void *a, const void *b)
{
	return str_cmp((*(const struct map_entry *const *)a)->key,
		(*(const struct map_entry *const *)b)->key);
}

static void write_family(const struct family *f, struct buf *to)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	static const char *const marks[] = {"ALPHA", "BETA", "STABLE"};
	const struct metric *metric = f->metric;
	const struct map_entry **sorted = calloc(f->series.len + 1, sizeof(struct map_entry *));
	size_t count = 0;

	if (!sorted)
		abort();
	map_each (&f->series, entry)
		sorted[count++] = entry;
	qsort(sorted, count, sizeof(struct map_entry *), by_key);
	if (count > 0)
		buf_add_fmt(to, "# HELP %s [%s] %s\n# TYPE %s %s\n", metric->name,
			marks[metric->stability], metric->help, metric->name, kinds[metric->kind]);
	for (size_t i = 0; i < count; i++) {
		const struct series *s = sorted[i]->value;

		if (metric->kind == METRIC_HISTOGRAM) {
			write_histogram(s, to);
			continue;
		}
		put_series_name(to, s, "", (str){NULL, 0});
		put_number(to, atomic_load_explicit(&s->value, memory_order_relaxed));
		buf_add_char(to, '\n');
	}
	free(sorted);
}
