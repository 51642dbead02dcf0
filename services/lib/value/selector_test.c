#include "lib/value/selector.h"

#include "lib/value/cases_test.h"

/* "key=value;key=value", sorted by key. */
static struct str_map map_of(struct test *t, str text)
{
	struct str_map m = {arena_get(&t->arena, 8 * sizeof(struct str_entry)), 0};

	if (text.len == 0)
		return m;
	while (text.at) {
		str value = str_cut(&text, ';'), key = str_cut(&value, '=');

		REQUIRE(m.len < 8);
		m.at[m.len++] = (struct str_entry){key, value};
	}
	return m;
}

static void check_text(struct test *t, struct buf *b, str want)
{
	CHECK(str_eq(buf_str(b), want));
	buf_reset(b);
}

static void check_matches(struct test *t, const struct selector *s, bool fields, str sets, str bits)
{
	for (size_t i = 0; sets.at; i++) {
		struct str_map m = map_of(t, str_cut(&sets, '|'));
		bool matches = fields ? selector_matches_fields(s, &m) : selector_matches(s, &m);

		CHECK_INT(matches, bits.at[i] == '1');
	}
}

/* Messages longer than struct err holds are cut. */
static void check_message(struct test *t, int result, const struct err *e, str want)
{
	struct err cut;

	CHECK(result < 0);
	CHECK_INT(err_set(&cut, ERR_INVALID, "%.*s", STR_ARG(want)), -1);
	CHECK_STR(str_of(e->text), cut.text);
	CHECK_INT(e->kind, ERR_INVALID);
}

TEST(label_selectors_are_what_upstream_makes_of_them)
{
	enum { IN, PATH, ERROR, TEXT, LABELS, MATCHES };
	struct cases c = cases_open(t, "tests/data/selector.tsv");
	struct buf b;

	buf_init(&b, 1 << 16);
	for (str row[CASES_COLUMNS_MAX]; cases_next(t, &c, row);) {
		str path = row[PATH].len > 0 ? row[PATH] : (str){NULL, 0};
		struct selector s;
		struct err e;
		int result = selector_parse(&t->arena, row[IN], path, &s, &e);

		if (row[ERROR].len > 0) {
			check_message(t, result, &e, row[ERROR]);
			continue;
		}
		REQUIRE_OK(result, &e);
		selector_put(&b, &s);
		check_text(t, &b, row[TEXT]);
		check_matches(t, &s, false, row[LABELS], row[MATCHES]);
	}
	buf_free(&b);
}

TEST(field_selectors_are_what_upstream_makes_of_them)
{
	enum { IN, ERROR, TEXT, FIELDS, MATCHES };
	struct cases c = cases_open(t, "tests/data/field_selector.tsv");
	struct buf b;

	buf_init(&b, 1 << 16);
	for (str row[CASES_COLUMNS_MAX]; cases_next(t, &c, row);) {
		struct selector s;
		struct err e;
		int result = selector_parse_fields(&t->arena, row[IN], &s, &e);

		if (row[ERROR].len > 0) {
			check_message(t, result, &e, row[ERROR]);
			continue;
		}
		REQUIRE_OK(result, &e);
		selector_put_fields(&b, &s);
		check_text(t, &b, row[TEXT]);
		check_matches(t, &s, true, row[FIELDS], row[MATCHES]);
	}
	buf_free(&b);
}

TEST(selector_names_the_exact_value)
{
	struct selector s;
	struct err e;
	str value;

	REQUIRE_OK(
		selector_parse(&t->arena, STR("a=1,b in (2),c in (3,4),d"), (str){NULL, 0}, &s, &e),
		&e);
	CHECK(selector_exact(&s, STR("a"), &value) && str_eq(value, STR("1")));
	CHECK(selector_exact(&s, STR("b"), &value) && str_eq(value, STR("2")));
	CHECK(!selector_exact(&s, STR("c"), &value));
	CHECK(!selector_exact(&s, STR("d"), &value));
	CHECK(!selector_exact(&s, STR("e"), &value));
	REQUIRE_OK(selector_parse_fields(&t->arena, STR("a!=1,a=2"), &s, &e), &e);
	CHECK(selector_exact_field(&s, STR("a"), &value) && str_eq(value, STR("2")));
	CHECK(!selector_exact_field(&s, STR("b"), &value));
}

TEST(selector_requirements_are_checked_as_upstream_does)
{
	struct selector_requirement r;
	str two[] = {STR("b"), STR("-a")};
	struct err e;

	CHECK_FAILS(selector_require(STR("a"), SELECTOR_IN, (struct str_list){NULL, 0},
			    (str){NULL, 0}, &r, &e),
		&e, ERR_INVALID,
		"values: Invalid value: null: for 'in', 'notin' operators, values set can't be "
		"empty");
	CHECK_FAILS(selector_require(
			    STR("a"), SELECTOR_EXISTS, (struct str_list){two, 2}, STR("p"), &r, &e),
		&e, ERR_INVALID,
		"[p.values: Invalid value: [\"b\",\"-a\"]: values set must be empty for exists and "
		"does not exist, "
		"p.values[1][a]: Invalid value: \"-a\": a valid label must be");
	CHECK_FAILS(selector_require(
			    STR("a"), SELECTOR_EQUALS, (struct str_list){two, 2}, STR("p"), &r, &e),
		&e, ERR_INVALID, "exact-match compatibility requires one single value");
}

TEST(selector_gives_a_clean_error_at_every_memory_limit)
{
	bool done = false;

	for (size_t limit = 0; !done && limit < 65536; limit += 16) {
		struct arena a;
		struct selector s = {NULL, 77};
		struct err e;

		arena_init(&a, limit);
		test_note(t, "limit %zu", limit);
		done = selector_parse(&a, STR("a in (b,c,d,e,f,g),h,!i,j=k,l>5"), (str){NULL, 0},
			       &s, &e) == 0 &&
			selector_parse_fields(&a, STR("a=b,c=d\\,e,f!=g"), &s, &e) == 0;
		if (!done)
			CHECK_INT(e.kind, ERR_LIMIT);
		arena_free(&a);
	}
	CHECK(done);
}
