#include "apiserver/storage/entry.h"

#include "apiserver/storage/crd_form.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	/* What an object of etcd's largest size may need when decoded. */
	SCRATCH_BYTES_MAX = 256 << 20,
	ENVELOPE_BYTES_MAX = 64 << 20,
	REVISION_TEXT_BYTES = 24,
};

/* A struct stored with all that it points to, in one block. */
struct block {
	struct stored stored;
	struct str_map labels;
};

static struct object_meta *meta_of(const struct entry_kind *k, const void *object);
static int decode(
	struct entry_scratch *s, const struct entry_kind *k, str value, void **to, struct err *e);
static int encode(const struct entry_kind *k, const void *object, struct buf *to, struct err *e);
static str revision_text(int64_t revision, char to[REVISION_TEXT_BYTES]);
static int build(struct entry_scratch *s, const struct entry_kind *k, str key, void *object,
	int64_t revision, struct stored **to, struct err *e);
static void read_fields(
	struct entry_scratch *s, const struct entry_kind *k, const void *object, str *to);
static str place(char **at, str text);
static void destroy(struct counted *c);

const struct type *entry_stored_type(const struct resource *r)
{
	if (r->custom_type)
		return r->custom_type;
	if (r->type == API_CRD_CUSTOM_RESOURCE_DEFINITION)
		return api_type(r->type); /* crd_form.c knows the stored one */
	return type_find_api_version(&api_schema, r->stored_version, r->kind);
}

int entry_kind_init(struct entry_kind *k, const struct resource *r, struct err *e)
{
	const struct field *metadata;

	*k = (struct entry_kind){.resource = r, .node_field = -1};
	k->type = entry_stored_type(r);
	if (!k->type)
		return err_set(e, ERR_UNSUPPORTED, "%.*s: no type %.*s", STR_ARG(r->plural),
			STR_ARG(r->stored_version));
	metadata = type_field(k->type, STR("metadata"));
	if (!metadata)
		return err_set(e, ERR_UNSUPPORTED, "%.*s has no metadata", STR_ARG(r->plural));
	k->metadata = metadata->offset;
	for (; r->labels && r->labels[k->field_count].name.at; k->field_count++) {
		if (k->field_count == FIELD_LABELS_MAX)
			return err_set(e, ERR_LIMIT, "%.*s has more than %d field labels",
				STR_ARG(r->plural), FIELD_LABELS_MAX);
		if (str_eq(r->labels[k->field_count].name, STR("spec.nodeName")))
			k->node_field = (int)k->field_count;
	}
	return 0;
}

void entry_scratch_init(struct entry_scratch *s)
{
	arena_init(&s->arena, SCRATCH_BYTES_MAX);
	buf_init(&s->text, ENVELOPE_BYTES_MAX);
}

void entry_scratch_free(struct entry_scratch *s)
{
	arena_free(&s->arena);
	buf_free(&s->text);
}

int entry_read(struct entry_scratch *s, const struct entry_kind *k, str key, str value,
	int64_t revision, struct stored **to, struct err *e)
{
	void *object;

	arena_reset(&s->arena);
	if (decode(s, k, value, &object, e) < 0) {
		err_prefix(e, "unable to decode %.*s/%.*s", STR_ARG(k->resource->etcd_prefix),
			STR_ARG(key));
		e->kind = ERR_INTERNAL;
		return -1;
	}
	return build(s, k, key, object, revision, to, e);
}

int entry_restamp(struct entry_scratch *s, const struct entry_kind *k, const struct stored *o,
	int64_t revision, struct stored **to, struct err *e)
{
	str key = o->ns.at ? str_span(o->ns.at, o->ns.len + 1 + o->name.len) : o->name;
	void *object;

	arena_reset(&s->arena);
	TRY(stored_decode(&s->arena, o, &object, e));
	return build(s, k, key, object, revision, to, e);
}

/* A copy of the head alone is changed; what hangs from it is only read. */
int entry_write(const struct entry_kind *k, const void *object, int64_t revision, struct buf *to,
	struct err *e)
{
	char text[REVISION_TEXT_BYTES];
	void *head = malloc(k->type->size_bytes);
	int result;

	if (!head)
		return err_set(e, ERR_SYSTEM, "no memory to write an object");
	memcpy(head, object, k->type->size_bytes);
	meta_of(k, head)->resource_version = revision ? revision_text(revision, text)
						      : (str){NULL, 0};
	meta_of(k, head)->self_link = (str){NULL, 0};
	result = encode(k, head, to, e);
	if (result == 0 && !revision && k->resource->type == API_CRD_CUSTOM_RESOURCE_DEFINITION)
		result = crd_form_write(to, e);
	free(head);
	/* Upstream's writer of JSON ends each text with a newline. */
	if (result == 0 && !revision && k->resource->stored_as == STORED_JSON)
		buf_add_char(to, '\n');
	return result;
}

void entry_name(const struct entry_kind *k, const void *object, str *ns, str *name)
{
	const struct object_meta *meta = meta_of(k, object);

	*ns = k->resource->namespaced ? meta->namespace : (str){NULL, 0};
	*name = meta->name;
}

int stored_decode(struct arena *a, const struct stored *o, void **to, struct err *e)
{
	bool json = o->resource->stored_as == STORED_JSON;

	return object_decode(
		a, o->type, json ? FORMAT_JSON : FORMAT_PROTOBUF, o->envelope, to, NULL, e);
}

static struct object_meta *meta_of(const struct entry_kind *k, const void *object)
{
	return (struct object_meta *)((char *)(uintptr_t)object + k->metadata);
}

/* As objects of the type say it. */
static str api_version_of(const struct entry_kind *k)
{
	return str_of(k->type->schema->text + type_kind(k->type)->api_version);
}

/* Custom resources of all versions are converted by saying another one. */
static bool is_other_version(const struct entry_kind *k, const struct object *head)
{
	str version = head->api_version, group = str_cut(&version, '/');

	return k->resource->custom_type && version.at && str_eq(group, k->resource->group);
}

/* By the value's own version. Others than the stored one would need a conversion. */
static int decode(
	struct entry_scratch *s, const struct entry_kind *k, str value, void **to, struct err *e)
{
	str version, kind, message;
	struct object *head;
	void *object;

	if (str_starts(value, str_span("k8s\0", 4))) {
		TRY(object_open(value, &version, &kind, &message, e));
		if (!str_eq(version, k->resource->stored_version) ||
			!str_eq(kind, k->resource->kind))
			return err_set(e, ERR_UNSUPPORTED, "no kind %.*s of %.*s is stored here",
				STR_ARG(kind), STR_ARG(version));
		TRY(object_decode(&s->arena, k->type, FORMAT_PROTOBUF, value, &object, NULL, e));
	} else {
		if (k->resource->type == API_CRD_CUSTOM_RESOURCE_DEFINITION)
			TRY(crd_form_read(&s->arena, value, &value, e));
		TRY(object_decode(&s->arena, k->type, FORMAT_JSON, value, &object, NULL, e));
		head = object;
		if (is_other_version(k, head))
			head->api_version = api_version_of(k);
		if (!str_eq(head->api_version, api_version_of(k)) ||
			!str_eq(head->kind, k->resource->kind))
			return err_set(e, ERR_UNSUPPORTED, "no kind %.*s of %.*s is stored here",
				STR_ARG(head->kind), STR_ARG(head->api_version));
	}
	object_default(&s->arena, object);
	*to = object;
	return 0;
}

static int encode(const struct entry_kind *k, const void *object, struct buf *to, struct err *e)
{
	bool json = k->resource->stored_as == STORED_JSON;

	return object_encode(object, json ? FORMAT_JSON : FORMAT_PROTOBUF, to, e);
}

static str revision_text(int64_t revision, char to[REVISION_TEXT_BYTES])
{
	return str_span(to, (size_t)snprintf(to, REVISION_TEXT_BYTES, "%lld", (long long)revision));
}

static int build(struct entry_scratch *s, const struct entry_kind *k, str key, void *object,
	int64_t revision, struct stored **to, struct err *e)
{
	struct object_meta *meta = meta_of(k, object);
	const struct str_map labels = meta->labels;
	char text[REVISION_TEXT_BYTES];
	str fields[FIELD_LABELS_MAX];
	size_t bytes = sizeof(struct block) + k->field_count * sizeof(str) +
		labels.len * sizeof(struct str_entry) + key.len;

	meta->resource_version = revision_text(revision, text);
	buf_reset(&s->text);
	TRY(encode(k, object, &s->text, e));
	read_fields(s, k, object, fields);
	bytes += s->text.len;
	for (size_t i = 0; i < k->field_count; i++)
		bytes += fields[i].len;
	for (size_t i = 0; i < labels.len; i++)
		bytes += labels.at[i].key.len + labels.at[i].value.len;

	struct block *b = malloc(bytes);

	if (!b)
		abort();

	str *field_places = (str *)(b + 1);
	struct str_entry *label_places = (struct str_entry *)(field_places + k->field_count);
	char *at = (char *)(label_places + labels.len);
	str placed = place(&at, key);
	ptrdiff_t slash = k->resource->namespaced ? str_find_char(placed, '/') : -1;

	counted_init(&b->stored.counted, destroy);
	b->stored.resource = k->resource;
	resource_take(k->resource);
	b->stored.type = k->type;
	b->stored.ns = slash < 0 ? (str){NULL, 0} : str_slice(placed, 0, (size_t)slash);
	b->stored.name = str_slice(placed, (size_t)(slash + 1), SIZE_MAX);
	b->stored.revision = revision;
	b->stored.envelope = place(&at, buf_str(&s->text));
	for (size_t i = 0; i < k->field_count; i++)
		field_places[i] = place(&at, fields[i]);
	for (size_t i = 0; i < labels.len; i++)
		label_places[i] = (struct str_entry){
			place(&at, labels.at[i].key), place(&at, labels.at[i].value)};
	b->labels = (struct str_map){label_places, labels.len};
	b->stored.labels = &b->labels;
	b->stored.fields = field_places;
	*to = &b->stored;
	return 0;
}

static void read_fields(
	struct entry_scratch *s, const struct entry_kind *k, const void *object, str *to)
{
	struct buf text;
	struct place p;
	struct err e;

	buf_init(&text, ENVELOPE_BYTES_MAX);
	for (size_t i = 0; i < k->field_count; i++) {
		str paths = k->resource->labels[i].path;

		buf_reset(&text);
		while (text.len == 0 && paths.at) {
			str path = str_cut(&paths, '|');

			if (path_find(k->type, object, path, &p, &e) == 0)
				path_put_text(&text, &p);
		}
		to[i] = text.len ? arena_str(&s->arena, buf_str(&text)) : STR("");
	}
	buf_free(&text);
}

static str place(char **at, str text)
{
	char *to = *at;

	if (text.len > 0)
		memcpy(to, text.at, text.len);
	*at += text.len;
	return str_span(to, text.len);
}

static void destroy(struct counted *c)
{
	struct block *b = CONTAINER_OF(c, struct block, stored.counted);
	const struct resource *r = b->stored.resource;

	free(b);
	resource_drop(r);
}
