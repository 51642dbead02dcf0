#include "tools/schema_gen.h"

#include <ctype.h>

static bool is_reserved(str name);
static size_t word_end(str s, size_t from);

str c_name(struct arena *a, str go_name)
{
	struct buf b;

	buf_init(&b, 4096);
	for (size_t at = 0; at < go_name.len;) {
		if (!isalnum((unsigned char)go_name.at[at])) {
			at++;
			continue;
		}
		size_t end = word_end(go_name, at);

		if (b.len > 0)
			buf_add_char(&b, '_');
		for (; at < end; at++)
			buf_add_char(&b, (char)tolower((unsigned char)go_name.at[at]));
	}
	if (is_reserved(buf_str(&b)))
		buf_add_char(&b, '_');
	str name = arena_str(a, buf_str(&b));

	buf_free(&b);
	return name;
}

/*
 * An acronym whose first letter protobuf made small (jSONSchemas) counts as all capitals. A word is
 * capitals with the small letters and digits behind them; the last capital of several begins the
 * next word (HTTPGet: http get), unless all that follows of this word is a plural's s (podIPs).
 */
static size_t word_end(str s, size_t from)
{
	size_t at = from;

	if (from == 0 && s.len > 2 && isupper((unsigned char)s.at[1]) &&
		isupper((unsigned char)s.at[2]))
		at++;
	while (at < s.len && isupper((unsigned char)s.at[at]))
		at++;
	size_t capitals = at - from;

	while (at < s.len && (islower((unsigned char)s.at[at]) || isdigit((unsigned char)s.at[at])))
		at++;
	size_t small = at - from - capitals;
	bool plural = small == 1 && s.at[at - 1] == 's';

	if (capitals > 1 && small > 0 && !plural && islower((unsigned char)s.at[from + capitals]))
		return from + capitals - 1;
	return at;
}

static bool is_reserved(str name)
{
	static const char *const words[] = {"auto", "bool", "break", "case", "char", "const",
		"continue", "default", "do", "double", "else", "enum", "extern", "float", "for",
		"goto", "if", "inline", "int", "linux", "long", "rand", "register", "restrict",
		"return", "short", "signed", "sizeof", "static", "stderr", "stdin", "stdout", "str",
		"struct", "switch", "system", "typedef", "union", "unix", "unsigned", "void",
		"volatile", "while"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq(name, str_of(words[i])))
			return true;
	return false;
}
