#include "apiserver/authentication/token_file.h"

#include "lib/base/map.h"

#include <stdlib.h>

enum { FIELDS_MAX = 4, FILE_BYTES_MAX = 64 << 20 };

enum field { TOKEN, NAME, UID, GROUPS };

struct token_file {
	struct arena arena;
	struct map users; /* struct user by token */
};

/* A line of the file. */
struct record {
	str fields[FIELDS_MAX];
	size_t count; /* may be more than are kept */
};

static int read_record(struct arena *a, str *rest, struct record *r, struct err *e);
static int take_record(struct token_file *f, const struct record *r, struct err *e);

int token_file_read(str csv, struct token_file **to, struct err *e)
{
	struct token_file *f = calloc(1, sizeof(*f));
	struct record r = {0};
	int result = 0;

	if (!f)
		return err_set(e, ERR_SYSTEM, "no memory for the token file");
	arena_init(&f->arena, FILE_BYTES_MAX);
	map_init(&f->users);
	while (result == 0 && csv.len > 0) {
		result = read_record(&f->arena, &csv, &r, e);
		if (result == 0 && r.count > 0)
			result = take_record(f, &r, e);
	}
	if (result < 0)
		token_file_free(f);
	else
		*to = f;
	return result;
}

void token_file_free(struct token_file *f)
{
	if (!f)
		return;
	map_each (&f->users, u)
		counted_drop(&((struct user *)u->value)->counted);
	map_free(&f->users);
	arena_free(&f->arena);
	free(f);
}

struct user *token_file_find(const struct token_file *f, str token)
{
	return map_get(&f->users, token);
}

static struct str_list split(struct arena *a, str text)
{
	size_t count = 1;
	struct str_list l = {0};

	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == ',';
	l.at = arena_get(a, count * sizeof(*l.at));
	while (text.at)
		l.at[l.len++] = str_cut(&text, ',');
	return l;
}

static int take_record(struct token_file *f, const struct record *r, struct err *e)
{
	if (r->count <= UID)
		return err_set(e, ERR_INVALID,
			"token file must have at least 3 columns (token, user name, user uid), "
			"found %zu",
			r->count);
	if (r->fields[TOKEN].len == 0)
		return 0;
	struct user u = {.name = r->fields[NAME], .uid = r->fields[UID]};

	if (r->count > GROUPS)
		u.groups = split(&f->arena, r->fields[GROUPS]);
	struct user *before = map_put(&f->users, r->fields[TOKEN], user_new(&u));

	if (before)
		counted_drop(&before->counted);
	return 0;
}

/* Between quotes; two of them are one. */
static int read_quoted(struct arena *a, str *rest, str *to, struct err *e)
{
	char *text = arena_try(a, rest->len);
	size_t len = 0, at = 1;

	if (!text)
		return arena_full(a, e);
	for (; at < rest->len; at++) {
		if (rest->at[at] == '"') {
			if (at + 1 >= rest->len || rest->at[at + 1] != '"')
				break;
			at++;
		}
		text[len++] = rest->at[at];
	}
	if (at == rest->len)
		return err_set(e, ERR_INVALID, "extraneous or missing \" in quoted-field");
	*rest = str_slice(*rest, at + 1, rest->len);
	*to = str_span(text, len);
	return 0;
}

static int read_bare(str *rest, str *to, struct err *e)
{
	size_t len = 0;

	while (len < rest->len && rest->at[len] != ',' && rest->at[len] != '\n') {
		if (rest->at[len] == '"')
			return err_set(e, ERR_INVALID, "bare \" in non-quoted-field");
		len++;
	}
	*to = str_slice(*rest, 0, len);
	*rest = str_slice(*rest, len, rest->len);
	if (rest->len > 0 && rest->at[0] == '\n' && str_ends(*to, STR("\r")))
		to->len--;
	return 0;
}

static bool at_line_end(str rest)
{
	return rest.len == 0 || rest.at[0] == '\n' || str_starts(rest, STR("\r\n"));
}

/* An empty line is no record. */
static int read_record(struct arena *a, str *rest, struct record *r, struct err *e)
{
	bool more = !at_line_end(*rest);

	*r = (struct record){0};
	while (more) {
		str field;

		if (rest->len > 0 && rest->at[0] == '"')
			TRY(read_quoted(a, rest, &field, e));
		else
			TRY(read_bare(rest, &field, e));
		if (r->count < FIELDS_MAX)
			TRY(arena_str_try(a, field, &r->fields[r->count], e));
		r->count++;
		more = rest->len > 0 && rest->at[0] == ',';
		if (more)
			*rest = str_slice(*rest, 1, rest->len);
		else if (!at_line_end(*rest))
			return err_set(e, ERR_INVALID, "extraneous or missing \" in quoted-field");
	}
	str_cut(rest, '\n');
	return 0;
}
