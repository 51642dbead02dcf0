#include "apiserver/endpoints/continue_token.h"

#include "lib/codec/base64.h"
#include "lib/codec/json.h"

#define NOT_VALID "continue key is not valid"

static bool is_clean(str key);

str continue_token_write(struct arena *a, const struct continue_token *t)
{
	struct buf json, text;
	str key = arena_fmt(a, "%.*s", STR_ARG(t->after));

	buf_init(&json, BUF_NO_LIMIT);
	buf_init(&text, BUF_NO_LIMIT);
	key.len++; /* the NUL behind makes it the next possible key */
	buf_add_str(&json, STR("{\"v\":\"meta.k8s.io/v1\",\"rv\":"));
	buf_add_i64(&json, t->revision);
	buf_add_str(&json, STR(",\"start\":"));
	json_put_str(&json, key);
	buf_add_char(&json, '}');
	base64_put(&text, buf_str(&json));
	while (text.len && text.at[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++)
		text.at[i] = (char)(text.at[i] == '+' ? '-' : text.at[i] == '/' ? '_' : text.at[i]);
	str to = arena_str(a, buf_str(&text));

	buf_free(&json);
	buf_free(&text);
	return to;
}

/* base64url without padding, as the standard alphabet with it. */
static int decode(struct arena *a, str text, str *to, struct err *e)
{
	char *standard = arena_try(a, text.len + 4);

	if (!standard)
		return arena_full(a, e);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n')
			return err_set(e, ERR_INVALID,
				NOT_VALID ": illegal base64 data at input byte %zu", i);
		standard[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	size_t len = text.len;

	if (len % 4 == 1)
		return err_set(e, ERR_INVALID, NOT_VALID ": illegal base64 data at input byte %zu",
			len - 1);
	while (len % 4)
		standard[len++] = '=';
	if (base64_read(a, str_span(standard, len), to, e) < 0)
		return err_context(e, NOT_VALID);
	return 0;
}

int continue_token_read(struct arena *a, str text, struct continue_token *to, struct err *e)
{
	str json;
	struct json_item root, version, revision, start;
	struct continue_token t;

	TRY(decode(a, text, &json, e));
	if (json_parse(a, json, &root, e) < 0)
		return err_context(e, NOT_VALID);
	if (!json_member(&root, STR("v"), &version) || version.kind != JSON_STRING)
		version.text = STR("");
	if (!str_eq(version.text, STR("meta.k8s.io/v1")))
		return err_set(e, ERR_INVALID,
			NOT_VALID ": server does not recognize this encoded version %.*s",
			STR_ARG(version.text));
	if (!json_member(&root, STR("rv"), &revision) || revision.kind != JSON_NUMBER ||
		!json_to_i64(&revision, &t.revision) || t.revision == 0)
		return err_set(e, ERR_INVALID,
			NOT_VALID ": incorrect encoded start resourceVersion (version "
				  "meta.k8s.io/v1)");
	if (!json_member(&root, STR("start"), &start) || start.kind != JSON_STRING ||
		start.text.len == 0)
		return err_set(e, ERR_INVALID,
			NOT_VALID ": encoded start key empty (version meta.k8s.io/v1)");
	t.after = start.text;
	if (!is_clean(t.after))
		return err_set(e, ERR_INVALID, NOT_VALID ": %.*s", STR_ARG(t.after));
	if (t.after.len && t.after.at[t.after.len - 1] == 0)
		t.after.len--;
	*to = t;
	return 0;
}

/* What path.Clean would leave as it is: no way out of the prefix. */
static bool is_clean(str key)
{
	if (key.len && key.at[0] == '/')
		key = str_slice(key, 1, key.len);
	for (str rest = key; rest.at;) {
		str part = str_cut(&rest, '/');

		if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return false;
	}
	return true;
}
