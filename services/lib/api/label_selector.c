#include "lib/api/label_selector.h"

#include "lib/value/quote.h"

static const struct {
	const char *name;
	enum selector_op op;
} operators[] = {
	{"In", SELECTOR_IN},
	{"NotIn", SELECTOR_NOT_IN},
	{"Exists", SELECTOR_EXISTS},
	{"DoesNotExist", SELECTOR_NOT_EXISTS},
};

static int read_operator(str name, enum selector_op *to, struct err *e)
{
	char quoted[QUOTE_MAX];

	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (str_eq(name, str_of(operators[i].name))) {
			*to = operators[i].op;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "%s is not a valid label selector operator",
		quote(quoted, name));
}

static struct str_list copy(struct arena *a, const str *from, size_t len)
{
	struct str_list list = {.at = arena_get(a, (len + 1) * sizeof(str)), .len = len};

	if (len)
		memcpy(list.at, from, len * sizeof(str));
	return list;
}

/* By key, as selectors print; few. */
static void sort(struct selector *s)
{
	for (size_t i = 1; i < s->len; i++) {
		struct selector_requirement r = s->at[i];
		size_t k = i;

		for (; k > 0 && str_cmp(s->at[k - 1].key, r.key) > 0; k--)
			s->at[k] = s->at[k - 1];
		s->at[k] = r;
	}
}

int label_selector_read(struct arena *a, const struct label_selector *s, struct selector *to,
	bool *nothing, struct err *e)
{
	size_t count = s ? s->match_labels.len + s->match_expressions.len : 0;
	struct selector all = {.at = arena_try_array(a, count + 1, sizeof(*all.at))};

	if (!all.at)
		return arena_full(a, e);
	for (size_t i = 0; s && i < s->match_labels.len; i++)
		TRY(selector_require(s->match_labels.at[i].key, SELECTOR_EQUALS,
			copy(a, &s->match_labels.at[i].value, 1), (str){NULL, 0},
			&all.at[all.len++], e));
	for (size_t i = 0; s && i < s->match_expressions.len; i++) {
		const struct label_selector_requirement *r = &s->match_expressions.at[i];
		enum selector_op op;

		TRY(read_operator(r->operator, &op, e));
		TRY(selector_require(r->key, op, copy(a, r->values.at, r->values.len),
			(str){NULL, 0}, &all.at[all.len++], e));
	}
	sort(&all);
	*to = all;
	*nothing = !s;
	return 0;
}
