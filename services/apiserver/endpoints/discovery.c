#include "apiserver/endpoints/discovery.h"

#include "apiserver/apiextensions/definition.h"
#include "apiserver/endpoints/discovery_remote.h"
#include "lib/codec/base64.h"
#include "lib/crypto/digest.h"

#include <stdlib.h>

enum { VERBS_MAX = 8 };

/* In the order in which verbs are told. */
static const struct {
	enum verb verb;
	str name;
} verb_names[] = {
	{VERB_CREATE, STR_INIT("create")},
	{VERB_DELETE, STR_INIT("delete")},
	{VERB_DELETECOLLECTION, STR_INIT("deletecollection")},
	{VERB_GET, STR_INIT("get")},
	{VERB_LIST, STR_INIT("list")},
	{VERB_PATCH, STR_INIT("patch")},
	{VERB_UPDATE, STR_INIT("update")},
	{VERB_WATCH, STR_INIT("watch")},
};

struct group {
	str name;
	int32_t priority;
	str *versions; /* the preferred one first */
	struct api_resource_list **lists;
	size_t version_count;
	struct api_group *document;
};

struct discovery {
	struct counted counted;
	struct arena arena;
	struct catalog *catalog;         /* a reference */
	struct aggregation *aggregation; /* a reference */
	const struct resource **rows;    /* all that are served */
	size_t row_count;
	struct group *groups; /* the first is core */
	size_t group_count;
	struct api_versions *api;
	struct api_group_list *apis;
	struct discovery_api_group_discovery_list *aggregated_api, *aggregated_apis;
	str etag_api, etag_apis;
};

static void find_versions(struct discovery *d, struct group *g);
static struct api_resource_list *list_resources(struct discovery *d, str group, str version);
static struct api_group *describe_group(struct discovery *d, const struct group *g);
static struct discovery_api_group_discovery_list *aggregate(
	struct discovery *d, size_t first, size_t end);
static int etag(struct arena *a, const void *document, str *to, struct err *e);

/* These kinds are every group's own and go as v1. */
static void *new_document(struct arena *a, enum api_type type)
{
	struct object *o = object_new(a, &api_schema.types[type]);

	o->api_version = STR("v1");
	return o;
}

static void destroy(struct counted *c)
{
	struct discovery *d = CONTAINER_OF(c, struct discovery, counted);

	counted_drop(&d->catalog->counted);
	counted_drop(&d->aggregation->counted);
	arena_free(&d->arena);
	free(d);
}

/* Built-in ones, then those that came at run time. */
static void find_rows(struct discovery *d)
{
	d->rows = arena_get(&d->arena, (api_resource_count + d->catalog->count) * sizeof(*d->rows));
	for (size_t i = 0; i < api_resource_count; i++)
		if (registry_serves(&api_resources[i]))
			d->rows[d->row_count++] = &api_resources[i];
	for (size_t i = 0; i < d->catalog->count; i++)
		d->rows[d->row_count++] = d->catalog->rows[i];
}

static void add_group(struct discovery *d, str name)
{
	struct group *g = &d->groups[d->group_count];

	for (size_t i = 0; i < d->group_count; i++)
		if (str_eq(d->groups[i].name, name))
			return;
	g->name = name;
	find_versions(d, g);
	d->group_count += g->version_count > 0;
}

/* Core is not of /apis; the others by their priority, then by name. */
static int compare_groups(const void *a, const void *b)
{
	const struct group *one = a, *other = b;

	if ((one->name.len == 0) != (other->name.len == 0))
		return one->name.len == 0 ? -1 : 1;
	if (one->priority != other->priority)
		return one->priority > other->priority ? -1 : 1;
	return str_cmp(one->name, other->name);
}

static void add_groups(struct discovery *d)
{
	const struct aggregation *n = d->aggregation;

	for (size_t i = 0; i < d->row_count; i++)
		add_group(d, d->rows[i]->group);
	for (size_t i = 0; i < n->count; i++)
		if (n->at[i].remote)
			add_group(d, n->at[i].group);
	qsort(d->groups, d->group_count, sizeof(*d->groups), compare_groups);
}

static int make(struct discovery *d, str advertise_address, struct err *e)
{
	size_t groups_max = api_resource_count + d->catalog->count + d->aggregation->count;

	find_rows(d);
	d->groups = arena_get(&d->arena, groups_max * sizeof(*d->groups));
	add_groups(d);
	d->api = new_document(&d->arena, API_API_VERSIONS);
	d->api->versions.at = d->groups[0].versions;
	d->api->versions.len = d->groups[0].version_count;
	d->api->server_address_by_client_cidrs.at = arena_get(
		&d->arena, sizeof(struct server_address_by_client_cidr));
	d->api->server_address_by_client_cidrs.len = 1;
	d->api->server_address_by_client_cidrs.at[0] = (struct server_address_by_client_cidr){
		.client_cidr = STR("0.0.0.0/0"),
		.server_address = arena_str(&d->arena, advertise_address)};
	d->apis = new_document(&d->arena, API_API_GROUP_LIST);
	d->apis->groups.at = arena_get(&d->arena, groups_max * sizeof(struct api_group));
	for (size_t i = 1; i < d->group_count; i++) {
		struct api_group *g = &d->apis->groups.at[d->apis->groups.len++];

		d->groups[i].document = describe_group(d, &d->groups[i]);
		*g = *d->groups[i].document;
		g->object.kind = g->object.api_version = (str){NULL, 0};
	}
	d->aggregated_api = aggregate(d, 0, 1);
	d->aggregated_apis = aggregate(d, 1, d->group_count);
	TRY(etag(&d->arena, d->aggregated_api, &d->etag_api, e));
	return etag(&d->arena, d->aggregated_apis, &d->etag_apis, e);
}

/* Takes catalog and aggregation over. */
static int discovery_new(struct catalog *c, struct aggregation *n, str advertise_address,
	struct discovery **to, struct err *e)
{
	struct discovery *d = calloc(1, sizeof(*d));

	if (!d) {
		counted_drop(&c->counted);
		counted_drop(&n->counted);
		return err_set(e, ERR_SYSTEM, "no memory for discovery");
	}
	counted_init(&d->counted, destroy);
	d->catalog = c;
	d->aggregation = n;
	arena_init(&d->arena, ARENA_NO_LIMIT);
	if (make(d, advertise_address, e) < 0) {
		counted_drop(&d->counted);
		return -1;
	}
	*to = d;
	return 0;
}

void discovery_init(struct discovery_now *n, str advertise_address)
{
	pthread_mutex_init(&n->lock, NULL);
	n->advertise_address = advertise_address;
}

void discovery_free(struct discovery_now *n)
{
	if (n->made)
		counted_drop(&n->made->counted);
	pthread_mutex_destroy(&n->lock);
}

int discovery_take(struct endpoints_server *p, struct discovery **to, struct err *e)
{
	struct discovery_now *n = &p->discovery;
	int result = 0;

	pthread_mutex_lock(&n->lock);
	if (!n->made || n->made->catalog->serial != extensions_serial(p->extensions) ||
		n->made->aggregation->serial != aggregator_serial(p->aggregator)) {
		struct discovery *next;

		result = discovery_new(extensions_catalog(p->extensions),
			aggregator_take(p->aggregator), n->advertise_address, &next, e);
		if (result == 0 && n->made)
			counted_drop(&n->made->counted);
		if (result == 0)
			n->made = next;
	}
	if (result == 0) {
		counted_take(&n->made->counted);
		*to = n->made;
	}
	pthread_mutex_unlock(&n->lock);
	return result;
}

void discovery_drop(struct discovery *d)
{
	counted_drop(&d->counted);
}

void discovery_put_paths(const struct discovery *d, struct buf *to)
{
	buf_add_str(to, STR("\n    \"/api\",\n    \"/api/v1\",\n    \"/apis\""));
	for (size_t i = 1; i < d->group_count; i++) {
		const struct group *g = &d->groups[i];

		buf_add_fmt(to, ",\n    \"/apis/%.*s\"", STR_ARG(g->name));
		for (size_t k = 0; k < g->version_count; k++)
			buf_add_fmt(to, ",\n    \"/apis/%.*s/%.*s\"", STR_ARG(g->name),
				STR_ARG(g->versions[k]));
	}
}

/* --- answers */

static void send_document(struct request *r, void *document)
{
	struct err e;

	r->form.as = AS_OBJECT;
	if (answer_object(r, 200, document, &e) < 0)
		request_fail(r, &e);
	else
		request_send(r);
}

static void send_aggregated(struct request *r, void *document, str tag)
{
	request_add_header(r, "ETag", tag);
	request_add_header(r, "Vary", STR("Accept"));
	request_add_header(r, "Cache-Control", STR("public"));
	if (str_eq(http_header(&r->x->request.headers, STR("if-none-match")), tag)) {
		request_send_text(r, 304, STR(""), STR(""));
		return;
	}
	r->answer.content_type = arena_fmt(&r->arena,
		"%.*s;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
		STR_ARG(answer_content_type(&r->form)));
	send_document(r, document);
}

static const struct group *find_group(const struct discovery *d, str name)
{
	for (size_t i = 0; i < d->group_count; i++)
		if (str_eq(d->groups[i].name, name))
			return &d->groups[i];
	return NULL;
}

/* "" for /api itself, "v1"; "", "apps", "apps/v1" below /apis. */
static void *find_document(const struct discovery *d, bool grouped, str rest)
{
	const struct group *g = &d->groups[0];

	if (grouped) {
		if (rest.len == 0)
			return d->apis;
		g = find_group(d, str_cut(&rest, '/'));
		if (!g || g == &d->groups[0])
			return NULL;
		if (!rest.at)
			return g->document;
	} else if (rest.len == 0) {
		return d->api;
	}
	for (size_t i = 0; i < g->version_count; i++)
		if (str_eq(g->versions[i], rest))
			return g->lists[i];
	return NULL;
}

static bool handle(struct request *r, const struct discovery *d, str path)
{
	bool grouped = str_eq(path, STR("/apis")) || str_starts(path, STR("/apis/"));
	bool ours = grouped || str_eq(path, STR("/api")) || str_starts(path, STR("/api/"));
	const struct http_request *q = &r->x->request;
	struct err e;

	if (!ours)
		return false;
	str rest = str_slice(path, grouped ? 6 : 5, path.len);
	void *document = find_document(d, grouped, rest);
	enum accept_endpoint accepts = rest.len ? ACCEPT_PLAIN : ACCEPT_DISCOVERY;

	if (!document)
		return false;
	if (negotiate_answer(&r->arena, &q->headers, &r->query, accepts, &r->form, &e) < 0) {
		request_fail(r, &e);
		return true;
	}
	if (r->form.as != AS_DISCOVERY)
		send_document(r, document);
	else if (grouped)
		send_aggregated(r, d->aggregated_apis, d->etag_apis);
	else
		send_aggregated(r, d->aggregated_api, d->etag_api);
	return true;
}

/* The answer is written before the documents are let go. */
bool discovery_handle(struct request *r, str path)
{
	struct discovery *d;
	struct err e;

	if (!str_starts(path, STR("/api")))
		return false;
	if (discovery_take(r->endpoints, &d, &e) < 0) {
		request_fail(r, &e);
		return true;
	}
	bool handled = handle(r, d, path);

	discovery_drop(d);
	return handled;
}

/* --- documents */

/* By priority, then v2 in front of v1. */
static void insert_version(struct discovery *d, struct group *g, str version)
{
	struct priority p = aggregation_priority(d->aggregation, g->name, version);
	size_t k = 0;

	while (k < g->version_count && !str_eq(g->versions[k], version))
		k++;
	if (k < g->version_count)
		return;
	for (; k > 0; k--) {
		str other = g->versions[k - 1];
		struct priority q = aggregation_priority(d->aggregation, g->name, other);

		if (q.version != p.version ? q.version > p.version
					   : version_compare(other, version) < 0)
			break;
		g->versions[k] = other;
	}
	g->versions[k] = version;
	g->version_count++;
	if (p.group > g->priority)
		g->priority = p.group;
}

static void find_versions(struct discovery *d, struct group *g)
{
	const struct aggregation *n = d->aggregation;
	size_t max = n->count;

	for (size_t i = 0; i < d->row_count; i++)
		max += str_eq(d->rows[i]->group, g->name);
	g->versions = arena_get(&d->arena, (max + 1) * sizeof(*g->versions));
	g->lists = arena_get(&d->arena, (max + 1) * sizeof(*g->lists));
	for (size_t i = 0; i < d->row_count; i++)
		if (str_eq(d->rows[i]->group, g->name))
			insert_version(d, g, d->rows[i]->version);
	for (size_t i = 0; i < n->count; i++)
		if (n->at[i].remote && str_eq(n->at[i].group, g->name))
			insert_version(d, g, n->at[i].version);
	for (size_t i = 0; i < g->version_count; i++)
		g->lists[i] = list_resources(d, g->name, g->versions[i]);
}

static struct str_list list_verbs(struct arena *a, unsigned verbs)
{
	struct str_list list = {.at = arena_get(a, VERBS_MAX * sizeof(str))};

	for (size_t i = 0; i < COUNT_OF(verb_names); i++)
		if (verbs & verb_names[i].verb)
			list.at[list.len++] = verb_names[i].name;
	return list;
}

static struct str_list list_texts(const str *texts)
{
	struct str_list list = {.at = (str *)(uintptr_t)texts};

	while (texts[list.len].at)
		list.len++;
	if (list.len == 0)
		list.at = NULL;
	return list;
}

static str api_version_of(struct arena *a, str group, str version)
{
	return group.len ? arena_fmt(a, "%.*s/%.*s", STR_ARG(group), STR_ARG(version)) : version;
}

/* Eight bytes of a hash over group, version and kind of what is stored. */
static str storage_hash(struct arena *a, const struct resource *r)
{
	enum { HASH_BYTES = 8 };
	uint8_t digest[DIGEST_SHA256_BYTES];
	str stored = r->stored_version;
	struct buf b;

	if (r->stored_as == STORED_NOT)
		return (str){NULL, 0};
	ptrdiff_t slash = str_find_char(stored, '/');
	str group = slash < 0 ? STR("") : str_slice(stored, 0, (size_t)slash);
	str version = slash < 0 ? stored : str_slice(stored, (size_t)slash + 1, stored.len);

	digest_sha256(
		arena_fmt(a, "%.*s/%.*s/%.*s", STR_ARG(group), STR_ARG(version), STR_ARG(r->kind)),
		digest);
	buf_init(&b, BUF_NO_LIMIT);
	base64_put(&b, str_span((const char *)digest, HASH_BYTES));
	str to = arena_str(a, buf_str(&b));

	buf_free(&b);
	return to;
}

static struct api_resource describe(struct arena *a, const struct resource *r)
{
	return (struct api_resource){
		.name = r->plural,
		.singular_name = r->singular,
		.namespaced = r->namespaced,
		.kind = r->kind,
		.verbs = {.items = list_verbs(a, r->verbs)},
		.short_names = list_texts(r->short_names),
		.categories = list_texts(r->categories),
		.storage_version_hash = storage_hash(a, r),
	};
}

static struct group_version_kind kind_of(const struct type *t)
{
	const struct kind *k = type_kind(t);
	const char *text = t->schema->text;

	return (struct group_version_kind){.group = str_of(text + k->group),
		.version = str_of(text + k->version),
		.kind = str_of(text + k->name)};
}

static struct api_resource describe_sub(
	struct arena *a, const struct resource *r, const struct subresource *s)
{
	struct group_version_kind k = kind_of(resource_sub_type(r, s));
	bool foreign = !str_eq(k.group, r->group) || !str_eq(k.version, r->version);

	return (struct api_resource){
		.name = arena_fmt(a, "%.*s/%.*s", STR_ARG(r->plural), STR_ARG(s->name)),
		.singular_name = STR(""),
		.namespaced = r->namespaced,
		.group = foreign ? k.group : (str){NULL, 0},
		.version = foreign ? k.version : (str){NULL, 0},
		.kind = k.kind,
		.verbs = {.items = list_verbs(a, s->verbs)},
	};
}

static void insert(struct api_resource_list *list, struct api_resource r)
{
	size_t at = list->resources.len++;

	for (; at > 0 && str_cmp(list->resources.at[at - 1].name, r.name) > 0; at--)
		list->resources.at[at] = list->resources.at[at - 1];
	list->resources.at[at] = r;
}

static struct api_resource_list *list_resources(struct discovery *d, str group, str version)
{
	struct arena *a = &d->arena;
	struct api_resource_list *list = new_document(a, API_API_RESOURCE_LIST);
	size_t count = 0;

	list->group_version = api_version_of(a, group, version);
	for (size_t i = 0; i < d->row_count; i++) {
		const struct resource *r = d->rows[i];

		if (!str_eq(r->group, group) || !str_eq(r->version, version))
			continue;
		for (const struct subresource *s = r->subresources; s->name.at; s++)
			count++;
		count++;
	}
	list->resources.at = arena_get(a, (count + 1) * sizeof(struct api_resource));
	for (size_t i = 0; i < d->row_count; i++) {
		const struct resource *r = d->rows[i];

		if (!str_eq(r->group, group) || !str_eq(r->version, version))
			continue;
		insert(list, describe(a, r));
		for (const struct subresource *s = r->subresources; s->name.at; s++)
			if (registry_serves_sub(r, s))
				insert(list, describe_sub(a, r, s));
	}
	return list;
}

static struct api_group *describe_group(struct discovery *d, const struct group *g)
{
	struct arena *a = &d->arena;
	struct api_group *to = new_document(a, API_API_GROUP);

	to->name = g->name;
	to->versions.at = arena_get(
		a, g->version_count * sizeof(struct group_version_for_discovery));
	for (size_t i = 0; i < g->version_count; i++)
		to->versions.at[to->versions.len++] = (struct group_version_for_discovery){
			.group_version = api_version_of(a, g->name, g->versions[i]),
			.version = g->versions[i]};
	to->preferred_version = to->versions.at[0];
	return to;
}

/* --- all at once */

static struct group_version_kind *copy_kind(struct arena *a, const struct type *type)
{
	struct group_version_kind *k = arena_get(a, sizeof(*k));

	*k = kind_of(type);
	return k;
}

static void aggregate_subs(
	struct arena *a, const struct resource *r, struct discovery_api_resource_discovery *to)
{
	size_t count = 0;

	while (r->subresources[count].name.at)
		count++;
	to->subresources.at = count
		? arena_get(a, count * sizeof(struct discovery_api_subresource_discovery))
		: NULL;
	for (const struct subresource *s = r->subresources; s->name.at; s++) {
		if (!registry_serves_sub(r, s))
			continue;
		to->subresources.at[to->subresources.len++] =
			(struct discovery_api_subresource_discovery){
				.subresource = s->name,
				.response_kind = copy_kind(a, resource_sub_type(r, s)),
				.verbs = list_verbs(a, s->verbs),
			};
	}
}

static const struct resource *find_row(const struct discovery *d, str group, str version, str name)
{
	for (size_t i = 0; i < d->row_count; i++) {
		const struct resource *r = d->rows[i];

		if (str_eq(r->plural, name) && str_eq(r->group, group) &&
			str_eq(r->version, version))
			return r;
	}
	return NULL;
}

static struct discovery_api_version_discovery aggregate_version(
	struct discovery *d, const struct group *g, size_t which)
{
	struct arena *a = &d->arena;
	const struct api_resource_list *list = g->lists[which];
	const struct aggregated *s = aggregation_find(d->aggregation, g->name, g->versions[which]);
	struct discovery_api_version_discovery v = {
		.version = g->versions[which], .freshness = STR("Current")};

	if (s && s->remote)
		return discovery_of_remote(a, s);
	v.resources.at = arena_get(
		a, list->resources.len * sizeof(struct discovery_api_resource_discovery));
	for (size_t i = 0; i < list->resources.len; i++) {
		const struct api_resource *from = &list->resources.at[i];
		const struct resource *r = find_row(d, g->name, v.version, from->name);

		if (!r)
			continue; /* a subresource, told with its owner */
		struct discovery_api_resource_discovery *to = &v.resources.at[v.resources.len++];

		*to = (struct discovery_api_resource_discovery){
			.resource = r->plural,
			.response_kind = copy_kind(a, resource_type(r)),
			.scope = r->namespaced ? STR("Namespaced") : STR("Cluster"),
			.singular_resource = r->singular,
			.verbs = from->verbs.items,
			.short_names = from->short_names,
			.categories = from->categories,
		};
		aggregate_subs(a, r, to);
	}
	return v;
}

static struct discovery_api_group_discovery_list *aggregate(
	struct discovery *d, size_t first, size_t end)
{
	struct arena *a = &d->arena;
	struct discovery_api_group_discovery_list *list = object_new(
		a, &api_schema.types[API_DISCOVERY_API_GROUP_DISCOVERY_LIST]);

	list->items.at = arena_get(
		a, d->group_count * sizeof(struct discovery_api_group_discovery));
	for (size_t i = first; i < end; i++) {
		const struct group *g = &d->groups[i];
		struct discovery_api_group_discovery *to = &list->items.at[list->items.len++];

		to->metadata.name = g->name;
		to->versions.at = arena_get(
			a, g->version_count * sizeof(struct discovery_api_version_discovery));
		for (size_t k = 0; k < g->version_count; k++)
			to->versions.at[to->versions.len++] = aggregate_version(d, g, k);
	}
	return list;
}

static int etag(struct arena *a, const void *document, str *to, struct err *e)
{
	uint8_t digest[DIGEST_SHA256_BYTES];
	char text[2 * DIGEST_SHA256_BYTES + 1];
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	int result = object_encode(document, FORMAT_JSON, &b, e);

	if (result == 0) {
		digest_sha256(buf_str(&b), digest);
		for (size_t i = 0; i < DIGEST_SHA256_BYTES; i++)
			snprintf(text + 2 * i, 3, "%02X", digest[i]);
		*to = arena_fmt(a, "\"%s\"", text);
	}
	buf_free(&b);
	return result;
}
