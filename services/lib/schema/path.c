#include "lib/schema/path.h"

#include "lib/schema/walk.h"

/* Where the next part of a path is looked up: a struct, or the elements of a list or map. */
struct cursor {
	const struct type *type; /* NULL: no struct */
	void *at;
	struct place place;
};

static int step(struct cursor *c, str part, struct err *e);

static struct cursor start(const struct type *t, const void *o)
{
	return (struct cursor){.type = t, .at = (void *)(uintptr_t)o};
}

/* The next part: up to a dot or bracket, or what brackets hold. */
static str take_part(str *rest)
{
	size_t end = 0;

	if (rest->at[0] == '[') {
		str part = str_slice(*rest, 1, rest->len);

		*rest = part;
		part = str_cut(rest, ']');
		if (rest->at && str_starts(*rest, STR(".")))
			*rest = str_slice(*rest, 1, rest->len);
		return part;
	}
	while (end < rest->len && rest->at[end] != '.' && rest->at[end] != '[')
		end++;
	str part = str_slice(*rest, 0, end);
	bool dot = end < rest->len && rest->at[end] == '.';

	*rest = end < rest->len ? str_slice(*rest, end + dot, rest->len) : (str){NULL, 0};
	return part;
}

int path_find(const struct type *t, const void *o, str path, struct place *to, struct err *e)
{
	struct cursor c = start(t, o);

	for (str rest = path; rest.at && rest.len > 0;)
		TRY(step(&c, take_part(&rest), e));
	if (!c.place.field)
		return err_set(e, ERR_INVALID, "an empty path leads nowhere");
	*to = c.place;
	return 0;
}

/* ~1 is a slash, ~0 a tilde. */
static int unescape(str part, char *to, size_t size, str *out, struct err *e)
{
	size_t len = 0;

	if (part.len >= size)
		return err_set(
			e, ERR_LIMIT, "a part of the pointer is longer than %zu bytes", size - 1);
	for (size_t i = 0; i < part.len; i++) {
		char c = part.at[i];

		if (c == '~') {
			i++;
			if (i == part.len || (part.at[i] != '0' && part.at[i] != '1'))
				return err_set(
					e, ERR_INVALID, "in a pointer ~ stands before 0 or 1");
			c = part.at[i] == '1' ? '/' : '~';
		}
		to[len++] = c;
	}
	*out = str_span(to, len);
	return 0;
}

int path_find_pointer(
	const struct type *t, const void *o, str pointer, struct place *to, struct err *e)
{
	struct cursor c = start(t, o);
	char text[1024];
	str rest = pointer;

	if (!str_starts(pointer, STR("/")))
		return err_set(e, ERR_INVALID, "a pointer begins with a slash");
	for (str_cut(&rest, '/'); rest.at;) {
		str part = str_cut(&rest, '/');

		TRY(unescape(part, text, sizeof(text), &part, e));
		TRY(step(&c, part, e));
	}
	*to = c.place;
	return 0;
}

/* Goes into what the place holds, if that is a struct. */
static void enter(struct cursor *c, void *at)
{
	const struct place *p = &c->place;
	const struct type *t = field_type(p->owner, p->field);

	c->at = at;
	c->type = t;
	/* A list that is a message of its own is walked as the list. */
	if (t && t->form == FORM_LIST && at) {
		c->place = (struct place){.owner = t, .field = own_fields(t), .at = at};
		c->place.at = field_at(at, own_fields(t));
		c->at = c->place.at;
		c->type = NULL;
	}
}

static int step_field(struct cursor *c, str part, struct err *e)
{
	const struct field *f = type_field(c->type, part);
	struct any_pointer *p;

	if (!f)
		return err_set(e, ERR_INVALID, "%s has no field \"%.*s\"", type_name(c->type),
			STR_ARG(part));
	p = field_at(c->at, f);
	c->place = (struct place){.owner = c->type, .field = f, .at = p};
	if (f->shape == SHAPE_VALUE)
		enter(c, p);
	else if (f->shape == SHAPE_POINTER)
		enter(c, p->at);
	else
		*c = (struct cursor){.at = p, .place = c->place};
	return 0;
}

static int step_index(struct cursor *c, str part, struct err *e)
{
	const struct any_list *list = c->place.at;
	uint64_t index;

	if (!str_to_u64(part, &index))
		return err_set(e, ERR_INVALID, "\"%.*s\" is no index of a list", STR_ARG(part));
	if (index >= list->len)
		return err_set(e, ERR_NOT_FOUND, "the list has no element %.*s", STR_ARG(part));
	c->place.at = (char *)list->at + index * stride(c->place.owner, c->place.field);
	return 0;
}

static int step_key(struct cursor *c, str part, struct err *e)
{
	const struct any_list *map = c->place.at;
	size_t size = stride(c->place.owner, c->place.field);

	for (size_t i = 0; i < map->len; i++) {
		char *entry = (char *)map->at + i * size;

		if (str_eq(*(const str *)entry, part)) {
			c->place.at = entry + ENTRY_VALUE;
			return 0;
		}
	}
	return err_set(e, ERR_NOT_FOUND, "the map has no key \"%.*s\"", STR_ARG(part));
}

static int step(struct cursor *c, str part, struct err *e)
{
	const struct field *f = c->place.field;

	if (f && !c->at)
		return err_set(e, ERR_NOT_FOUND, "\"%.*s\" is not set",
			STR_ARG(field_name(c->place.owner, f)));
	if (c->type)
		return step_field(c, part, e);
	if (c->place.in_element || f->shape == SHAPE_VALUE || f->shape == SHAPE_POINTER)
		return err_set(e, ERR_INVALID, "\"%.*s\" has nothing below it",
			STR_ARG(field_name(c->place.owner, f)));
	if (f->shape == SHAPE_LIST)
		TRY(step_index(c, part, e));
	else
		TRY(step_key(c, part, e));
	c->place.in_element = true;
	enter(c, c->place.at);
	return 0;
}

void path_put_text(struct buf *b, const struct place *p)
{
	const struct any_pointer *pointer = p->at;
	const void *at = p->at;

	if (!p->in_element && p->field->shape == SHAPE_POINTER)
		at = pointer->at;
	if (!at)
		return;
	if (p->field->kind == KIND_STRING && (p->in_element || p->field->shape <= SHAPE_POINTER))
		buf_add_str(b, *(const str *)at);
	else
		json_encode_place(p, b);
}
