#include "apiserver/admission/pod_security.h"

#include <stdio.h>

/* What a namespace's labels ask for. */

#define PREFIX "pod-security.kubernetes.io/"

static const char *const levels[] = {"privileged", "baseline", "restricted"};

static bool read_level(str text, enum pod_level *to)
{
	for (size_t i = 0; i < COUNT_OF(levels); i++)
		if (str_eq(text, str_of(levels[i]))) {
			*to = (enum pod_level)i;
			return true;
		}
	return false;
}

/* "latest", "v1.0", "v1.36". */
static bool read_version(str text, int *to)
{
	str number = str_slice(text, 3, text.len);
	int64_t minor;

	*to = POD_POLICY_LATEST;
	if (str_eq(text, STR("latest")))
		return true;
	if (!str_starts(text, STR("v1.")) || number.len == 0 || number.at[0] == '+' ||
		number.at[0] == '-' || (number.len > 1 && number.at[0] == '0') ||
		!str_to_i64(number, &minor) || minor > INT32_MAX)
		return false;
	*to = (int)minor;
	return true;
}

/* True if the label is there; a level that cannot be read becomes `otherwise`. */
static bool read_mode(const struct str_map *labels, const char *mode, enum pod_level otherwise,
	struct pod_policy *to, bool *has_version, bool *good_level, struct causes *c)
{
	const struct field_path *path = FIELD(FIELD(NULL, "metadata"), "labels");
	char key[64];

	snprintf(key, sizeof(key), PREFIX "%s", mode);
	str level = str_map_get(labels, str_of(key));

	*good_level = level.at && read_level(level, &to->level);
	if (level.at && !*good_level) {
		to->level = otherwise;
		if (c)
			causes_invalid(c, FIELD_KEY(path, arena_str(c->arena, str_of(key))),
				cause_text(level),
				"must be one of privileged, baseline, restricted");
	}
	snprintf(key, sizeof(key), PREFIX "%s-version", mode);
	str version = str_map_get(labels, str_of(key));

	*has_version = version.at;
	if (version.at && !read_version(version, &to->minor) && c)
		causes_invalid(c, FIELD_KEY(path, arena_str(c->arena, str_of(key))),
			cause_text(version), "must be \"latest\" or \"v1.x\"");
	return level.at;
}

/* Who enforces more than he says to warn of is warned of that. */
void pod_policies_read(const struct str_map *labels, struct pod_policies *to, struct causes *c)
{
	const struct pod_policy none = {POD_PRIVILEGED, POD_POLICY_LATEST};
	bool enforced, warned, has_version, good;

	*to = (struct pod_policies){none, none, none};
	read_mode(labels, "enforce", POD_RESTRICTED, &to->enforce, &has_version, &enforced, c);
	read_mode(labels, "audit", POD_PRIVILEGED, &to->audit, &has_version, &good, c);
	warned = read_mode(labels, "warn", POD_PRIVILEGED, &to->warn, &has_version, &good, c);
	if (!warned && enforced && to->enforce.level > to->warn.level) {
		to->warn.level = to->enforce.level;
		if (!has_version)
			to->warn.minor = to->enforce.minor;
	}
}

str pod_policy_text(struct arena *a, struct pod_policy p)
{
	if (p.minor == POD_POLICY_LATEST)
		return arena_fmt(a, "%s:latest", levels[p.level]);
	return arena_fmt(a, "%s:v1.%d", levels[p.level], p.minor);
}

bool pod_policy_same(struct pod_policy a, struct pod_policy b)
{
	return a.level == b.level && a.minor == b.minor;
}
