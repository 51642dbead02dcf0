#include "lib/codec/yaml.h"

#include "lib/codec/yaml_scalar.h"

#include <stdlib.h>
#include <yaml.h>

/* libyaml's emitter, which go-yaml's is a translation of, chooses the layout. */
struct writer {
	struct arena *a;
	struct err *e;
	yaml_emitter_t emitter;
};

static int put_document(struct writer *w, const struct json_item *item);
static int put_value(struct writer *w, const struct json_item *item);
static int by_key(const void *a, const void *b);

static int take(void *to, unsigned char *text, size_t len)
{
	struct buf *b = to;

	buf_add(b, text, len);
	return !b->overflowed;
}

int yaml_put_item(struct arena *a, struct buf *b, const struct json_item *item, struct err *e)
{
	struct writer w = {.a = a, .e = e};

	if (!yaml_emitter_initialize(&w.emitter))
		return err_set(e, ERR_LIMIT, "no memory for a YAML emitter");
	yaml_emitter_set_output(&w.emitter, take, b);
	yaml_emitter_set_unicode(&w.emitter, 1);
	int result = put_document(&w, item);

	yaml_emitter_delete(&w.emitter);
	TRY(result);
	/* libyaml ends a document so if its last text ends in empty lines; go-yaml does not. */
	if (str_ends(buf_str(b), STR("\n...\n")))
		b->len -= sizeof("...\n") - 1;
	return buf_ok(b, "a YAML text", e);
}

/* `made` says whether the event could be made. What overflows the buffer is told at the end. */
static int emit(struct writer *w, int made, yaml_event_t *event)
{
	if (made && yaml_emitter_emit(&w->emitter, event))
		return 0;
	return err_set(w->e, ERR_LIMIT, "a YAML text needs more memory than there is");
}

static int put_document(struct writer *w, const struct json_item *item)
{
	yaml_event_t event;

	TRY(emit(w, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event));
	TRY(emit(w, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event));
	TRY(put_value(w, item));
	TRY(emit(w, yaml_document_end_event_initialize(&event, 1), &event));
	return emit(w, yaml_stream_end_event_initialize(&event), &event);
}

static int put_scalar(struct writer *w, str text, yaml_scalar_style_t style)
{
	yaml_event_t event;
	bool plain = style == YAML_PLAIN_SCALAR_STYLE;

	return emit(w,
		yaml_scalar_event_initialize(&event, NULL, NULL, (const unsigned char *)text.at,
			(int)text.len, plain, true, style),
		&event);
}

/* A text that would mean something else without quotes gets them. */
static int put_text(struct writer *w, str text)
{
	bool plain = yaml_resolve(text).kind == YAML_STR && !yaml_is_base60(text);

	if (str_find_char(text, '\n') >= 0)
		return put_scalar(w, text, YAML_LITERAL_SCALAR_STYLE);
	return put_scalar(
		w, text, plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

/* Integers of 64 bits as they are, all else as a double. */
static int put_number(struct writer *w, str number)
{
	struct yaml_scalar s = yaml_resolve(number);
	struct buf text;

	buf_init(&text, 64);
	if (s.kind == YAML_FLOAT)
		yaml_put_float(&text, s.number, false);
	else if (s.kind == YAML_INT && s.size == 0)
		buf_add_char(&text, '0');
	else
		buf_add_str(&text, number);
	int result = put_scalar(w, buf_str(&text), YAML_PLAIN_SCALAR_STYLE);

	buf_free(&text);
	return result;
}

static int put_array(struct writer *w, const struct json_item *array)
{
	struct json_walk walk = json_enter(array);
	yaml_event_t event;

	TRY(emit(w,
		yaml_sequence_start_event_initialize(
			&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE),
		&event));
	for (struct json_item item; json_next(&walk, &item);)
		TRY(put_value(w, &item));
	return emit(w, yaml_sequence_end_event_initialize(&event), &event);
}

/* Runs of this length are sorted by insertion, as Go's sort.Sort begins. */
enum { RUN = 12 };

static void sort_run(struct json_item *members, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct json_item moved = members[i];
		size_t at = i;

		for (; at > 0 && by_key(&moved, &members[at - 1]) < 0; at--)
			members[at] = members[at - 1];
		members[at] = moved;
	}
}

static void merge_runs(
	const struct json_item *from, size_t middle, size_t end, struct json_item *to)
{
	size_t left = 0, right = middle;

	for (size_t i = 0; i < end; i++) {
		bool take_right = right < end &&
			(left == middle || by_key(&from[right], &from[left]) < 0);

		to[i] = from[take_right ? right++ : left++];
	}
}

/*
 * go-yaml's order of keys is no total order ("01" < "10a" < "1a" < "01"), so the outcome depends on
 * the algorithm: this one gives Go's up to RUN members, and the same everywhere beyond. `spare` has
 * room for as many. Returns where the sorted members are.
 */
static struct json_item *sort_members(
	struct json_item *members, size_t count, struct json_item *spare)
{
	for (size_t at = 0; at < count; at += RUN)
		sort_run(&members[at], count - at < RUN ? count - at : RUN);
	for (size_t width = RUN; width < count; width *= 2) {
		for (size_t at = 0; at < count; at += 2 * width) {
			size_t left = count - at;

			merge_runs(&members[at], left < width ? left : width,
				left < 2 * width ? left : 2 * width, &spare[at]);
		}
		struct json_item *sorted = spare;

		spare = members;
		members = sorted;
	}
	return members;
}

static int put_object(struct writer *w, const struct json_item *object)
{
	struct json_item *members = arena_try_array(w->a, object->count + 1, sizeof(*members));
	struct json_item *spare = arena_try_array(w->a, object->count, sizeof(*spare));
	struct json_walk walk = json_enter(object);
	size_t count = 0;
	yaml_event_t event;

	if (!members || !spare)
		return arena_full(w->a, w->e);
	while (json_next(&walk, &members[count]))
		count++;
	members = sort_members(members, count, spare);
	TRY(emit(w,
		yaml_mapping_start_event_initialize(
			&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
		&event));
	for (size_t i = 0; i < count; i++) {
		TRY(put_text(w, members[i].key));
		TRY(put_value(w, &members[i]));
	}
	return emit(w, yaml_mapping_end_event_initialize(&event), &event);
}

static int put_value(struct writer *w, const struct json_item *item)
{
	switch (item->kind) {
	case JSON_NULL: return put_scalar(w, STR("null"), YAML_PLAIN_SCALAR_STYLE);
	case JSON_BOOL:
		return put_scalar(
			w, item->truth ? STR("true") : STR("false"), YAML_PLAIN_SCALAR_STYLE);
	case JSON_NUMBER: return put_number(w, item->text);
	case JSON_STRING: return put_text(w, item->text);
	case JSON_ARRAY: return put_array(w, item);
	case JSON_OBJECT: break;
	}
	return put_object(w, item);
}

static bool is_digit(str s, size_t at)
{
	return at < s.len && s.at[at] >= '0' && s.at[at] <= '9';
}

/* Beyond ASCII all count as letters. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* The number at `at`, wrapping as Go's does; `*end` is behind it. */
static int64_t number_at(str s, size_t at, uint64_t value, size_t *end)
{
	for (; is_digit(s, at); at++)
		value = value * 10 + (uint64_t)(s.at[at] - '0');
	*end = at;
	return (int64_t)value;
}

/* Does a digit that counts stand in front, so that a zero at `at` is no leading one? */
static bool inside_number(str s, size_t at)
{
	while (at > 0 && is_digit(s, at - 1)) {
		if (s.at[--at] != '0')
			return true;
	}
	return false;
}

/* go-yaml's order: letters behind other characters, numbers by value. */
static int compare_from(str a, str b, size_t at)
{
	bool letter = is_letter(a.at[at]), other = is_letter(b.at[at]);
	bool zero = a.at[at] == '0' || b.at[at] == '0';
	size_t end, other_end;

	if (letter != other)
		return letter ? 1 : -1;
	int by_code = (unsigned char)a.at[at] < (unsigned char)b.at[at] ? -1 : 1;

	if (letter)
		return by_code;
	uint64_t start = zero && inside_number(a, at);
	int64_t number = number_at(a, at, start, &end),
		other_number = number_at(b, at, start, &other_end);

	if (number != other_number)
		return number < other_number ? -1 : 1;
	if (end != other_end)
		return end < other_end ? -1 : 1;
	return by_code;
}

static int by_key(const void *a, const void *b)
{
	str one = ((const struct json_item *)a)->key, other = ((const struct json_item *)b)->key;

	for (size_t i = 0; i < one.len && i < other.len; i++) {
		if (one.at[i] != other.at[i])
			return compare_from(one, other, i);
	}
	return (one.len > other.len) - (one.len < other.len);
}
