/*
 * The tag of an image reference, after the grammar of github.com/distribution/reference:
 *
 *	[domain/]path[:tag][@digest]
 *
 * What the grammar refuses has no tag, so that its policy is "IfNotPresent".
 */
#include "lib/api/defaults/defaults.h"

#include <ctype.h>

enum { NAME_MAX_BYTES = 255, TAG_MAX_BYTES = 128, HASH_DIGITS = 64 };

static bool is_low(char c)
{
	return islower((unsigned char)c) || isdigit((unsigned char)c);
}

/* How long a separator is: one dot, one or two underscores, any dashes; 0 if it is none. */
static size_t separator(str s, size_t at)
{
	size_t len = 0;

	while (at + len < s.len && s.at[at + len] == s.at[at])
		len++;
	if (s.at[at] == '.')
		return len == 1;
	if (s.at[at] == '_')
		return len <= 2 ? len : 0;
	return s.at[at] == '-' ? len : 0;
}

static bool is_path_part(str s)
{
	if (s.len == 0 || !is_low(s.at[0]) || !is_low(s.at[s.len - 1]))
		return false;
	for (size_t i = 0; i < s.len;) {
		size_t len = is_low(s.at[i]) ? 1 : separator(s, i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

static bool is_path(str s)
{
	for (str rest = s; rest.at;)
		if (!is_path_part(str_cut(&rest, '/')))
			return false;
	return true;
}

static bool is_port(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isdigit((unsigned char)s.at[i]))
			return false;
	return s.len > 0;
}

static bool is_domain_label(str s)
{
	if (s.len == 0 || s.at[0] == '-' || s.at[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.at[i]) && s.at[i] != '-')
			return false;
	return true;
}

static bool is_address(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isxdigit((unsigned char)s.at[i]) && s.at[i] != ':')
			return false;
	return s.len > 0;
}

static bool is_domain(str s)
{
	str port = s, host;

	if (str_starts(s, STR("["))) {
		port = str_slice(s, 1, s.len);
		host = str_cut(&port, ']');
		if (!is_address(host) || !port.at)
			return false;
		return port.len == 0 ||
			(port.at[0] == ':' && is_port(str_slice(port, 1, port.len)));
	}
	host = str_cut(&port, ':');
	if (port.at && !is_port(port))
		return false;
	for (str rest = host; rest.at;)
		if (!is_domain_label(str_cut(&rest, '.')))
			return false;
	return true;
}

/* What stands before the first slash is a domain if it looks like one. */
static bool has_domain(str first)
{
	if (str_find_char(first, '.') >= 0 || str_find_char(first, ':') >= 0 ||
		str_eq(first, STR("localhost")))
		return true;
	for (size_t i = 0; i < first.len; i++)
		if (isupper((unsigned char)first.at[i]))
			return true;
	return false;
}

static bool is_hash(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isdigit((unsigned char)s.at[i]) && (s.at[i] < 'a' || s.at[i] > 'f'))
			return false;
	return s.len == HASH_DIGITS;
}

static bool is_name(str name)
{
	str path = name, first = str_cut(&path, '/');

	if (name.len > NAME_MAX_BYTES || is_hash(name))
		return false;
	if (!path.at || !has_domain(first))
		return is_path(name);
	return is_domain(first) && is_path(path);
}

static bool is_tag(str tag)
{
	for (size_t i = 0; i < tag.len; i++) {
		bool word = isalnum((unsigned char)tag.at[i]) || tag.at[i] == '_';

		if (!word && (i == 0 || (tag.at[i] != '.' && tag.at[i] != '-')))
			return false;
	}
	return tag.len > 0 && tag.len <= TAG_MAX_BYTES;
}

static bool is_latest(str image)
{
	str digest = image, name = str_cut(&digest, '@'), tag = {NULL, 0};
	size_t end = name.len;

	while (end > 0 && name.at[end - 1] != ':' && name.at[end - 1] != '/')
		end--;
	if (end > 0 && name.at[end - 1] == ':') {
		tag = str_slice(name, end, name.len);
		name.len = end - 1;
	}
	if (!is_name(name) || (tag.at && !is_tag(tag)))
		return false;
	return tag.at ? str_eq(tag, STR("latest")) : !digest.at;
}

str default_pull_policy(str image)
{
	return is_latest(image) ? STR("Always") : STR("IfNotPresent");
}
