#include "apiserver/storage/state.h"

#include <stdlib.h>

/*
 * JSON of objects that somebody has read lately, in shards, so that I/O threads do not wait for
 * each other. An entry is found by its object's prefix, key and revision, which never mean another
 * object: no reference to the object is kept.
 *
 * The text read longest ago goes first. A list larger than the cache, read again and again, would
 * so find none of itself: its texts replace only what nobody has read for a while.
 */

enum {
	SHARDS = 16,
	LATELY_S = 10,
	JSON_ARENA_BYTES_MAX = 256 << 20,
	JSON_TEXT_BYTES_MAX = 256 << 20
};

struct json_entry {
	struct json_entry *newer, *older;
	struct stored_json *text;
	str key;
	size_t bytes;
	int64_t read_ns;
};

struct json_shard {
	pthread_mutex_t lock;
	struct map entries;
	struct json_entry *newest, *oldest;
	size_t bytes;
};

struct json_cache {
	const struct clock *clock;
	struct hash_key hash_key;
	size_t shard_bytes_max;
	struct json_shard shards[SHARDS];
};

static void put_key(struct buf *to, const struct stored *o);
static struct json_shard *shard_of(struct json_cache *j, str key);
static bool has_room(const struct json_cache *j, const struct json_shard *s, int64_t now_ns);
static void link_newest(struct json_shard *s, struct json_entry *x);
static void unlink_entry(struct json_shard *s, struct json_entry *x);
static void evict(struct json_shard *s, struct json_entry *x);
static void destroy_text(struct counted *c);
static int write_text(const struct stored *o, struct stored_json **to, struct err *e);

int stored_json(struct storage *s, const struct stored *o, enum stored_reader reader,
	struct stored_json **to, struct err *e)
{
	/* What is JSON already need not be kept twice; a revision names no schema. */
	if (o->resource->custom_type)
		return write_text(o, to, e);
	*to = json_cache_get(s->json, o);
	if (*to)
		return 0;
	TRY(write_text(o, to, e));
	json_cache_put(s->json, o, reader, *to);
	return 0;
}

struct json_cache *json_cache_new(size_t bytes_max, const struct clock *clock)
{
	struct json_cache *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->clock = clock;
	j->hash_key = hash_key_random();
	j->shard_bytes_max = bytes_max / SHARDS;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&j->shards[i].lock, NULL);
		map_init(&j->shards[i].entries);
	}
	return j;
}

void json_cache_free(struct json_cache *j)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct json_shard *s = &j->shards[i];

		while (s->oldest)
			evict(s, s->oldest);
		map_free(&s->entries);
		pthread_mutex_destroy(&s->lock);
	}
	free(j);
}

struct stored_json *json_cache_get(struct json_cache *j, const struct stored *o)
{
	struct stored_json *text = NULL;
	struct json_shard *s;
	struct json_entry *x;
	struct buf key;

	buf_init(&key, BUF_NO_LIMIT);
	put_key(&key, o);
	s = shard_of(j, buf_str(&key));
	pthread_mutex_lock(&s->lock);
	x = map_get(&s->entries, buf_str(&key));
	if (x) {
		unlink_entry(s, x);
		link_newest(s, x);
		x->read_ns = j->clock->monotonic_ns(j->clock);
		text = x->text;
		counted_take(&text->counted);
	}
	pthread_mutex_unlock(&s->lock);
	buf_free(&key);
	return text;
}

void json_cache_put(struct json_cache *j, const struct stored *o, enum stored_reader reader,
	struct stored_json *text)
{
	struct json_entry *x = calloc(1, sizeof(*x));
	struct json_shard *s;
	struct buf key;

	if (!x)
		return;
	buf_init(&key, BUF_NO_LIMIT);
	put_key(&key, o);
	x->key = buf_str(&key);
	x->text = text;
	x->bytes = sizeof(*x) + sizeof(struct map_entry) + key.cap + sizeof(*text) +
		text->with_kind.len;
	x->read_ns = j->clock->monotonic_ns(j->clock);
	counted_take(&text->counted);
	s = shard_of(j, x->key);
	pthread_mutex_lock(&s->lock);

	struct json_entry *other = map_get(&s->entries, x->key);

	if (other)
		evict(s, other);
	map_put(&s->entries, x->key, x);
	link_newest(s, x);
	s->bytes += x->bytes;
	if (reader == READER_OF_LIST && !has_room(j, s, x->read_ns))
		evict(s, x);
	while (s->bytes > j->shard_bytes_max)
		evict(s, s->oldest);
	pthread_mutex_unlock(&s->lock);
}

static void put_key(struct buf *to, const struct stored *o)
{
	buf_add(to, &o->revision, sizeof(o->revision));
	buf_add_str(to, o->resource->etcd_prefix);
	buf_add_char(to, '/');
	buf_add_str(to, stored_key(o));
}

static struct json_shard *shard_of(struct json_cache *j, str key)
{
	return &j->shards[hash_keyed(j->hash_key, key) % SHARDS];
}

/* Without what somebody has read lately. */
static bool has_room(const struct json_cache *j, const struct json_shard *s, int64_t now_ns)
{
	return s->bytes <= j->shard_bytes_max || now_ns - s->oldest->read_ns > LATELY_S * NS_PER_S;
}

static void link_newest(struct json_shard *s, struct json_entry *x)
{
	x->newer = NULL;
	x->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = x;
	s->newest = x;
}

static void unlink_entry(struct json_shard *s, struct json_entry *x)
{
	*(x->newer ? &x->newer->older : &s->newest) = x->older;
	*(x->older ? &x->older->newer : &s->oldest) = x->newer;
}

static void evict(struct json_shard *s, struct json_entry *x)
{
	map_remove(&s->entries, x->key);
	unlink_entry(s, x);
	s->bytes -= x->bytes;
	counted_drop(&x->text->counted);
	free((char *)(uintptr_t)x->key.at);
	free(x);
}

static void destroy_text(struct counted *c)
{
	free(CONTAINER_OF(c, struct stored_json, counted));
}

/* Up to where `rest` begins. List items of custom resources say what they are. */
static size_t head_bytes(const struct stored *o)
{
	const struct kind *k = type_kind(o->type);

	if (o->resource->custom_type)
		return 1;
	return sizeof("{\"kind\":\"\",\"apiVersion\":\"\",") - 1 + o->resource->kind.len +
		strlen(o->type->schema->text + k->api_version);
}

static int write_text(const struct stored *o, struct stored_json **to, struct err *e)
{
	size_t head_len = head_bytes(o);
	struct stored_json *text = NULL;
	struct arena arena;
	struct buf json;
	void *object;
	int result;

	arena_init(&arena, JSON_ARENA_BYTES_MAX);
	buf_init(&json, JSON_TEXT_BYTES_MAX);
	result = 0;
	if (o->resource->stored_as == STORED_JSON)
		buf_add_str(&json, o->envelope);
	else
		result = stored_decode(&arena, o, &object, e);
	if (result == 0 && json.len == 0)
		result = object_encode(object, FORMAT_JSON, &json, e);
	if (result == 0 && json.len > head_len)
		text = malloc(sizeof(*text) + json.len);
	if (result == 0 && !text)
		result = err_set(e, ERR_SYSTEM, "no memory for an object's JSON");
	if (result == 0) {
		counted_init(&text->counted, destroy_text);
		memcpy(text + 1, json.at, json.len);
		text->with_kind = str_span((char *)(text + 1), json.len);
		text->rest = str_slice(text->with_kind, head_len, SIZE_MAX);
		*to = text;
	}
	buf_free(&json);
	arena_free(&arena);
	return result;
}
