/*
 * Lists of sets and maps: no item twice
 * (apiextensions-apiserver/pkg/apiserver/schema/listtype).
 */
#include "lib/base/map.h"
#include "lib/structural/check.h"

static bool is_type(const struct crd_json_schema_props *s, const char *type)
{
	return s->x_kubernetes_list_type && str_eq(*s->x_kubernetes_list_type, str_of(type));
}

static str text_of(struct arena *a, const struct json_item *v)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	json_put_item(&b, v);
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

/* What tells an item from the others, as JSON: itself, or of a map the object of its keys. */
static str identity(
	struct arena *a, const struct crd_json_schema_props *s, const struct json_item *v)
{
	const struct str_list *keys = &s->x_kubernetes_list_map_keys;
	struct json_item key;
	struct buf b;

	if (is_type(s, "set"))
		return text_of(a, v);
	buf_init(&b, BUF_NO_LIMIT);
	buf_add_char(&b, '{');
	for (size_t i = 0; i < keys->len; i++) {
		if (!json_member(v, keys->at[i], &key))
			continue;
		if (b.len > 1)
			buf_add_char(&b, ',');
		json_put_str(&b, keys->at[i]);
		buf_add_char(&b, ':');
		json_put_item(&b, &key);
	}
	buf_add_char(&b, '}');
	str text = arena_str(a, buf_str(&b));

	buf_free(&b);
	return text;
}

static void check_unique(struct causes *c, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct field_path *p)
{
	const str once = STR("once"), twice = STR("twice");
	struct json_walk walk = json_enter(v);
	struct map seen;
	size_t i = 0;

	map_init(&seen);
	for (struct json_item m; json_next(&walk, &m); i++) {
		str id;

		if (is_type(s, "map") && m.kind != JSON_OBJECT && m.kind != JSON_NULL) {
			causes_invalid(c, FIELD_INDEX(p, i), cause_json(text_of(c->arena, &m)),
				"must be an object for an array of list-type map");
			break;
		}
		id = identity(c->arena, s, &m);
		void *had = map_put(&seen, id, (void *)(uintptr_t)once.at);

		if (had)
			map_put(&seen, id, (void *)(uintptr_t)twice.at);
		if (had != once.at)
			continue;
		/* Told once however often it comes. */
		if (c->len < VALUE_CAUSES_MAX)
			causes_duplicate(c, FIELD_INDEX(p, i),
				is_type(s, "set") && m.kind == JSON_STRING ? cause_text(m.text)
									   : cause_json(id));
	}
	map_free(&seen);
}

void check_list_types(struct causes *c, const struct crd_json_schema_props *s,
	const struct json_item *v, const struct field_path *p)
{
	struct json_walk walk = json_enter(v);
	struct json_item m;
	size_t i = 0;

	if (v->kind == JSON_ARRAY) {
		if ((is_type(s, "set") || is_type(s, "map")) && v->count)
			check_unique(c, s, v, p);
		for (; s->items && s->items->schema && json_next(&walk, &m); i++)
			check_list_types(c, s->items->schema, &m, FIELD_INDEX(p, i));
		return;
	}
	if (v->kind != JSON_OBJECT)
		return;
	for (; i < s->properties.len; i++)
		if (json_member(v, s->properties.at[i].key, &m))
			check_list_types(c, &s->properties.at[i].value, &m,
				FIELD(p, arena_str(c->arena, s->properties.at[i].key).at));
	if (s->additional_properties && s->additional_properties->schema)
		while (json_next(&walk, &m))
			check_list_types(
				c, s->additional_properties->schema, &m, FIELD_KEY(p, m.key));
}
