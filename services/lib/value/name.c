#include "lib/value/name.h"

/* Regular expressions are only shown; the matchers below implement them. */
#define LABEL_RE            "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN_RE        LABEL_RE "(\\." LABEL_RE ")*"
#define UNDERSCORE_LABEL_RE "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
#define KEY_RE              "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

#define SHOWN(re)   "regex used for validation is '" re "')"
#define CHARS(n)    "must be no more than " #n " characters"
#define BYTES(n)    "must be no more than " #n " bytes"
#define PREFIX(say) "prefix part " say
#define NAME(say)   "name part " say

#define LABEL_FAULT \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " \
	"and must start and end with an alphanumeric character (e.g. 'my-name',  or " \
	"'123-abc', " SHOWN(LABEL_RE)
#define SUBDOMAIN_FAULT \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, " \
	"'-' or '.', and must start and end with an alphanumeric character (e.g. " \
	"'example.com', " SHOWN(SUBDOMAIN_RE)
#define KEY_FAULT \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with " \
	"an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', " SHOWN(KEY_RE)

enum {
	LOWER = 1,
	UPPER = 2,
	DIGIT = 4,
	DASH = 8,
	UNDERSCORE = 16,
	DOT = 32,
	SMALL = LOWER | DIGIT,
	ALNUM = LOWER | UPPER | DIGIT,
	KEY = ALNUM | DASH | UNDERSCORE | DOT,
};

enum shape {
	WORD,
	EMPTY_OR_WORD,
	DOTTED,            /* words with dots between */
	DOTTED_UNDERSCORE, /* each with an underscore in front, or none */
	WILDCARD,          /* "*." and dotted words */
	PERCENT,           /* a word and a percent sign */
};

/* First, inner and last characters of a word; a single one is both first and last. */
struct rule {
	uint8_t first, inner, last;
	uint8_t shape;
	uint16_t max;
	const char *too_long, *fault;
	const char *dotted_fault; /* in its place if dots are all that is wrong */
	void (*also)(str name, struct name_faults *f);
};

static void refuse_dots(str name, struct name_faults *f);
static void check_qualified(str name, struct name_faults *f);
static void check_path_name(str name, struct name_faults *f);
static void check_path_prefix(str name, struct name_faults *f);
static void check_relaxed(str name, struct name_faults *f);
static void check_port(str name, struct name_faults *f);
static void check_decimal(str name, struct name_faults *f);

static const struct rule rules[] = {
	[NAME_DNS1123_LABEL] = {SMALL, SMALL | DASH, SMALL, WORD, 63, CHARS(63), LABEL_FAULT,
		"must not contain dots", NULL},
	[NAME_SHORT] = {SMALL, SMALL | DASH, SMALL, WORD, 63, BYTES(63), LABEL_FAULT,
		"must not contain dots", NULL},
	[NAME_DNS1123_SUBDOMAIN] = {SMALL, SMALL | DASH, SMALL, DOTTED, 253, CHARS(253),
		SUBDOMAIN_FAULT, NULL, NULL},
	[NAME_LONG] = {SMALL, SMALL | DASH, SMALL, DOTTED, 253, BYTES(253), SUBDOMAIN_FAULT, NULL,
		NULL},
	[NAME_LONG_CASELESS] = {ALNUM, ALNUM | DASH, ALNUM, DOTTED, 253, BYTES(253),
		"an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and "
		"must start and end with an alphanumeric character (e.g. 'Example.com', " SHOWN(
			SUBDOMAIN_RE),
		NULL, NULL},
	[NAME_DNS1123_SUBDOMAIN_UNDERSCORE] = {SMALL, SMALL | DASH | UNDERSCORE, SMALL,
		DOTTED_UNDERSCORE, 253, CHARS(253),
		"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
		"characters, "
		"'_', '-' or '.', and must start and end with an alphanumeric character (e.g. "
		"'example.com', " SHOWN(UNDERSCORE_LABEL_RE "(\\." UNDERSCORE_LABEL_RE ")*"),
		NULL, NULL},
	[NAME_DNS1035_LABEL] = {LOWER, SMALL | DASH, SMALL, WORD, 63, CHARS(63),
		"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "
		"with an alphabetic character, and end with an alphanumeric character (e.g. "
		"'my-name',  or 'abc-123', " SHOWN("[a-z]([-a-z0-9]*[a-z0-9])?"),
		NULL, NULL},
	[NAME_WILDCARD_SUBDOMAIN] = {SMALL, SMALL | DASH, SMALL, WILDCARD, 253, CHARS(253),
		"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
		"subdomain, which must consist of lower case alphanumeric characters, '-' or '.' "
		"and end with an alphanumeric character (e.g. '*.example.com', " SHOWN(
			"\\*\\." SUBDOMAIN_RE),
		NULL, NULL},
	[NAME_LABEL_VALUE] = {ALNUM, KEY, ALNUM, EMPTY_OR_WORD, 63, BYTES(63),
		"a valid label must be an empty string or consist of alphanumeric characters, '-', "
		"'_' or '.', and must start and end with an alphanumeric character (e.g. "
		"'MyValue',  or 'my_value',  or '12345', " SHOWN("(" KEY_RE ")?"),
		NULL, NULL},
	[NAME_CONFIG_MAP_KEY] = {KEY, KEY, KEY, WORD, 253, CHARS(253),
		"a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
		"'key.name',  or 'KEY_NAME',  or 'key-name', " SHOWN("[-._a-zA-Z0-9]+"),
		NULL, refuse_dots},
	[NAME_ENV_VAR] = {KEY - DIGIT, KEY, KEY, WORD, 0, NULL,
		"a valid environment variable name must consist of alphabetic characters, digits, "
		"'_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or "
		"'MY_ENV.NAME',  or 'MyEnvName1', " SHOWN("[-._a-zA-Z][-._a-zA-Z0-9]*"),
		NULL, refuse_dots},
	[NAME_HTTP_HEADER] = {ALNUM | DASH, ALNUM | DASH, ALNUM | DASH, WORD, 0, NULL,
		"a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
		"'X-Header-Name', " SHOWN("[-A-Za-z0-9]+"),
		NULL, NULL},
	[NAME_C_IDENTIFIER] = {LOWER | UPPER | UNDERSCORE, ALNUM | UNDERSCORE, ALNUM | UNDERSCORE,
		WORD, 0, NULL,
		"a valid C identifier must start with alphabetic character or '_', followed by a "
		"string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
		"'MyName', " SHOWN("[A-Za-z_][A-Za-z0-9_]*"),
		NULL, NULL},
	[NAME_PERCENT] = {DIGIT, DIGIT, DIGIT, PERCENT, 0, NULL,
		"a valid percent string must be a numeric string followed by an ending '%' (e.g. "
		"'1%',  or '93%', " SHOWN("[0-9]+%"),
		NULL, NULL},
	[NAME_QUALIFIED] = {.also = check_qualified},
	[NAME_PATH_SEGMENT] = {.also = check_path_name},
	[NAME_PATH_SEGMENT_PREFIX] = {.also = check_path_prefix},
	[NAME_ENV_VAR_RELAXED] = {.also = check_relaxed},
	[NAME_PORT] = {.also = check_port},
	[NAME_DECIMAL_INTEGER] = {.also = check_decimal},
};

static bool has_shape(str name, const struct rule *r);

static void say(struct name_faults *f, const char *what)
{
	f->at[f->len++] = what;
}

bool name_check(enum name_form form, str name, struct name_faults *f)
{
	const struct rule *r = &rules[form];

	f->len = 0;
	if (r->too_long && name.len > r->max)
		say(f, r->too_long);
	if (r->fault && !has_shape(name, r)) {
		bool dotted = r->dotted_fault && has_shape(name, &rules[NAME_DNS1123_SUBDOMAIN]);

		say(f, dotted ? r->dotted_fault : r->fault);
	}
	if (r->also)
		r->also(name, f);
	return f->len == 0;
}

str name_of_prefix(struct arena *a, str prefix)
{
	if (prefix.len < 2 || prefix.at[prefix.len - 1] != '-')
		return prefix;
	char *at = arena_get(a, prefix.len);

	/* Upstream takes two characters off and puts one there. */
	memcpy(at, prefix.at, prefix.len - 2);
	at[prefix.len - 2] = 'a';
	return str_span(at, prefix.len - 1);
}

static unsigned class_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return LOWER;
	if (c >= 'A' && c <= 'Z')
		return UPPER;
	if (c >= '0' && c <= '9')
		return DIGIT;
	return c == '-' ? DASH : c == '_' ? UNDERSCORE : c == '.' ? DOT : 0;
}

static bool is_word(str name, const struct rule *r)
{
	if (name.len == 0 || !(class_of(name.at[0]) & r->first))
		return false;
	for (size_t i = 1; i + 1 < name.len; i++) {
		if (!(class_of(name.at[i]) & r->inner))
			return false;
	}
	return name.len == 1 || (class_of(name.at[name.len - 1]) & r->last);
}

static bool is_dotted(str name, const struct rule *r, bool underscores)
{
	for (str rest = name; rest.at;) {
		str word = str_cut(&rest, '.');

		if (underscores && word.len > 0 && word.at[0] == '_')
			word = str_slice(word, 1, word.len);
		if (!is_word(word, r))
			return false;
	}
	return name.len > 0;
}

static bool has_shape(str name, const struct rule *r)
{
	switch ((enum shape)r->shape) {
	case WORD: return is_word(name, r);
	case EMPTY_OR_WORD: return name.len == 0 || is_word(name, r);
	case DOTTED: return is_dotted(name, r, false);
	case DOTTED_UNDERSCORE: return is_dotted(name, r, true);
	case WILDCARD:
		return str_starts(name, STR("*.")) &&
			is_dotted(str_slice(name, 2, name.len), r, false);
	case PERCENT:
		return str_ends(name, STR("%")) && is_word(str_slice(name, 0, name.len - 1), r);
	}
	return false;
}

static void refuse_dots(str name, struct name_faults *f)
{
	if (str_eq(name, STR(".")))
		say(f, "must not be '.'");
	else if (str_eq(name, STR("..")))
		say(f, "must not be '..'");
	else if (str_starts(name, STR("..")))
		say(f, "must not start with '..'");
}

static void check_qualified(str name, struct name_faults *f)
{
	ptrdiff_t slash = str_find_char(name, '/');
	str prefix = str_slice(name, 0, slash < 0 ? 0 : (size_t)slash);
	str rest = str_slice(name, (size_t)(slash + 1), name.len);

	if (str_find_char(rest, '/') >= 0) {
		say(f,
			"a valid label key " KEY_FAULT " with an optional DNS subdomain prefix and "
			"'/' (e.g. 'example.com/MyName')");
		return;
	}
	if (slash == 0)
		say(f, PREFIX("must be non-empty"));
	if (prefix.len > 253)
		say(f, PREFIX(BYTES(253)));
	if (slash > 0 && !has_shape(prefix, &rules[NAME_LONG]))
		say(f, PREFIX(SUBDOMAIN_FAULT));
	if (rest.len == 0)
		say(f, NAME("must be non-empty"));
	else if (rest.len > 63)
		say(f, NAME(BYTES(63)));
	if (!is_word(rest, &rules[NAME_LABEL_VALUE]))
		say(f, NAME(KEY_FAULT));
}

static void check_path_prefix(str name, struct name_faults *f)
{
	if (str_find_char(name, '/') >= 0)
		say(f, "may not contain '/'");
	if (str_find_char(name, '%') >= 0)
		say(f, "may not contain '%'");
}

static void check_path_name(str name, struct name_faults *f)
{
	if (str_eq(name, STR(".")))
		say(f, "may not be '.'");
	else if (str_eq(name, STR("..")))
		say(f, "may not be '..'");
	else
		check_path_prefix(name, f);
}

static void check_relaxed(str name, struct name_faults *f)
{
	if (name.len == 0)
		say(f, "environment variable name must be non-empty");
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] >= ' ' && name.at[i] <= '~' && name.at[i] != '=')
			continue;
		say(f,
			"a valid environment variable name must consist only of printable ASCII "
			"characters other "
			"than '='");
		return;
	}
}

static void check_port(str name, struct name_faults *f)
{
	unsigned seen = 0, others = name.len == 0;

	for (size_t i = 0; i < name.len; i++) {
		unsigned c = class_of(name.at[i]);

		seen |= c;
		others |= !(c & (SMALL | DASH));
	}
	if (name.len > 15)
		say(f, CHARS(15));
	if (others)
		say(f, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!(seen & LOWER))
		say(f, "must contain at least one letter (a-z)");
	if (str_find(name, STR("--")) >= 0)
		say(f, "must not contain consecutive hyphens");
	if (name.len > 0 && (name.at[0] == '-' || name.at[name.len - 1] == '-'))
		say(f, "must not begin or end with a hyphen");
}

static void check_decimal(str name, struct name_faults *f)
{
	static const struct rule digits = {.first = DIGIT, .inner = DIGIT, .last = DIGIT};
	str rest = str_slice(name, str_starts(name, STR("-")), name.len);
	bool zero_first = rest.len > 0 && rest.at[0] == '0';

	if (name.len == 0)
		say(f, "must be non-empty");
	else if (!is_word(rest, &digits) || (zero_first && name.len > 1))
		say(f, "must be a valid decimal integer in canonical form");
}
