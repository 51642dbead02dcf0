#include "scheduler/queue.h"

#include "lib/base/test.h"

/* A small cluster, made of JSON. */
struct cluster {
	struct arena arena;
	struct cache cache;
	struct cycle cycle;
};

static struct entry *make(struct test *t, struct cluster *c, enum api_type type, const char *json)
{
	void *o;
	struct err e;

	REQUIRE_OK(
		object_decode(&c->arena, api_type(type), FORMAT_JSON, str_of(json), &o, NULL, &e),
		&e);
	object_default(&c->arena, o);
	return entry_new(o);
}

static void begin(struct cluster *c)
{
	arena_init(&c->arena, ARENA_NO_LIMIT);
	cache_init(&c->cache);
}

static void end(struct cluster *c)
{
	cache_free(&c->cache);
	arena_free(&c->arena);
}

static void add_node(
	struct test *t, struct cluster *c, const char *name, const char *spec, const char *labels)
{
	str json = arena_fmt(&c->arena,
		"{\"metadata\":{\"name\":\"%s\",\"labels\":{%s}},\"spec\":{%s},\"status\":{"
		"\"allocatable\":{\"cpu\":\"2\",\"memory\":\"4Gi\",\"pods\":\"3\","
		"\"example.com/gpu\":\"1\"}}}",
		name, labels, spec);

	cache_set_node(&c->cache, make(t, c, API_NODE, json.at));
}

static struct pod_info *pod(
	struct test *t, struct cluster *c, const char *name, const char *labels, const char *spec)
{
	str json = arena_fmt(&c->arena,
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"a\",\"uid\":\"%s\",\"labels\":{%s}}"
		","
		"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]%s}}",
		name, name, labels, spec);
	struct pod_info *p = pod_info_new(make(t, c, API_POD, json.at));

	map_put(&c->cache.pods, p->uid, p);
	return p;
}

/* Why a pod does not fit on a node; empty: it does. */
static str why_not(struct test *t, struct cluster *c, struct pod_info *p, const char *node)
{
	struct node_info *n = map_get(&c->cache.nodes, str_of(node));
	struct refusal why;
	unsigned blamed = 0;

	REQUIRE(n != NULL);
	c->cycle = (struct cycle){.arena = &c->arena, .cache = &c->cache, .p = p};
	framework_pre_filter(&c->cycle);
	bool fits = framework_filter(&c->cycle, n, &why, &blamed);
	framework_end(&c->cycle);
	CHECK(fits == !blamed);
	return fits ? STR("") : why.reasons[0];
}

TEST(filters_of_the_node)
{
	struct cluster c;

	begin(&c);
	add_node(t, &c, "plain", "", "\"zone\":\"x\"");
	add_node(t, &c, "cordoned", "\"unschedulable\":true", "");
	add_node(t, &c, "tainted",
		"\"taints\":[{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoSchedule\"}]", "");
	struct pod_info *p = pod(t, &c, "p", "", "");
	CHECK_STR(why_not(t, &c, p, "plain"), "");
	CHECK_STR(why_not(t, &c, p, "cordoned"), "node(s) were unschedulable");
	CHECK_STR(why_not(t, &c, p, "tainted"), "node(s) had untolerated taint(s)");
	struct pod_info *tolerant = pod(t, &c, "q", "",
		",\"tolerations\":[{\"key\":\"k\",\"operator\":\"Equal\",\"value\":\"v\"}]");
	CHECK_STR(why_not(t, &c, tolerant, "tainted"), "");
	struct pod_info *device = pod(t, &c, "d", "",
		",\"resourceClaims\":[{\"name\":\"x\",\"resourceClaimName\":\"x\"}]");
	CHECK_STR(why_not(t, &c, device, "plain"),
		"resource claims are not allocated by this scheduler");
	struct pod_info *choosy = pod(t, &c, "r", "", ",\"nodeSelector\":{\"zone\":\"y\"}");
	CHECK_STR(why_not(t, &c, choosy, "plain"),
		"node(s) didn't match Pod's node affinity/selector");
	end(&c);
}

TEST(filters_of_resources)
{
	static const char big[] = ",\"resources\":{\"requests\":{\"cpu\":\"3\"}}";
	struct cluster c;

	begin(&c);
	add_node(t, &c, "n", "", "");
	CHECK_STR(why_not(t, &c, pod(t, &c, "big", "", big), "n"), "Insufficient cpu");
	CHECK_STR(why_not(t, &c,
			  pod(t, &c, "gpus", "",
				  ",\"resources\":{\"requests\":{\"example.com/gpu\":\"2\"}}"),
			  "n"),
		"Insufficient example.com/gpu");
	for (int i = 0; i < 3; i++)
		cache_place(&c.cache, pod(t, &c, arena_fmt(&c.arena, "small-%d", i).at, "", ""),
			STR("n"));
	struct pod_info *p = pod(t, &c, "p", "", "");
	CHECK_STR(why_not(t, &c, p, "n"), "Too many pods");
	cache_displace(&c.cache, cache_pod(&c.cache, STR("small-0")));
	CHECK_STR(why_not(t, &c, p, "n"), "");
	end(&c);
}

TEST(filters_of_ports)
{
	static const char spec[] = ",\"initContainers\":[],\"hostNetwork\":false";
	struct cluster c;

	begin(&c);
	add_node(t, &c, "n", "", "");
	struct pod_info *a = pod(t, &c, "a", "", spec), *b = pod(t, &c, "b", "", spec);
	struct container_port port = {.host_port = 80, .protocol = STR_INIT("TCP")};
	struct pod *first = (struct pod *)(uintptr_t)a->pod,
		   *second = (struct pod *)(uintptr_t)b->pod;
	first->spec.containers.at[0].ports.at = second->spec.containers.at[0].ports.at = &port;
	first->spec.containers.at[0].ports.len = second->spec.containers.at[0].ports.len = 1;
	cache_place(&c.cache, a, STR("n"));
	CHECK_STR(why_not(t, &c, b, "n"),
		"node(s) didn't have free ports for the requested pod ports");
	end(&c);
}

TEST(filters_of_spread_and_affinity)
{
	static const char spread[] =
		",\"topologySpreadConstraints\":[{\"maxSkew\":1,\"topologyKey\":\"zone\","
		"\"whenUnsatisfiable\":\"DoNotSchedule\",\"labelSelector\":{\"matchLabels\":{"
		"\"app\":"
		"\"w\"}}}]";
	static const char apart[] =
		",\"affinity\":{\"podAntiAffinity\":{"
		"\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"zone\","
		"\"labelSelector\":{\"matchLabels\":{\"app\":\"w\"}}}]}}";
	static const char near[] =
		",\"affinity\":{\"podAffinity\":{"
		"\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"zone\","
		"\"labelSelector\":{\"matchLabels\":{\"app\":\"w\"}}}]}}";
	struct cluster c;

	begin(&c);
	add_node(t, &c, "x", "", "\"zone\":\"x\"");
	add_node(t, &c, "y", "", "\"zone\":\"y\"");
	struct pod_info *first = pod(t, &c, "w", "\"app\":\"w\"", near);
	CHECK_STR(why_not(t, &c, first, "x"), "");
	cache_place(&c.cache, first, STR("x"));
	CHECK_STR(why_not(t, &c, pod(t, &c, "s", "\"app\":\"w\"", spread), "x"),
		"node(s) didn't match pod topology spread constraints");
	CHECK_STR(why_not(t, &c, pod(t, &c, "s2", "\"app\":\"w\"", spread), "y"), "");
	CHECK_STR(why_not(t, &c, pod(t, &c, "far", "", apart), "x"),
		"node(s) didn't match pod anti-affinity rules");
	CHECK_STR(why_not(t, &c, pod(t, &c, "close", "", near), "y"),
		"node(s) didn't match pod affinity rules");
	cache_place(&c.cache, pod(t, &c, "hermit", "", apart), STR("y"));
	CHECK_STR(why_not(t, &c, pod(t, &c, "late", "\"app\":\"w\"", ""), "y"),
		"node(s) didn't satisfy existing pods anti-affinity rules");
	end(&c);
}

TEST(scores_prefer_the_empty_node)
{
	struct cluster c;
	struct random r;

	begin(&c);
	random_repeatable(&r, 1);
	add_node(t, &c, "busy", "", "");
	add_node(t, &c, "free", "", "");
	cache_place(&c.cache, pod(t, &c, "a", "", ""), STR("busy"));
	struct pod_info *p = pod(t, &c, "p", "", "");
	c.cycle = (struct cycle){.arena = &c.arena, .cache = &c.cache, .p = p};
	framework_pre_filter(&c.cycle);
	struct node_info *best = framework_best(&c.cycle, c.cache.list, c.cache.len, &r);
	CHECK_STR(best->name, "free");
	framework_end(&c.cycle);
	end(&c);
}

TEST(queue_order_backoff_and_events)
{
	struct sched_queue q;
	struct cluster c;

	begin(&c);
	queue_init(&q);
	struct pod_info *low = pod(t, &c, "low", "", ""),
			*high = pod(t, &c, "high", "", ",\"priority\":5");
	struct pod_info *gated = pod(t, &c, "gated", "", ",\"schedulingGates\":[{\"name\":\"g\"}]");
	queue_push(&q, low, 1);
	queue_push(&q, gated, 1);
	queue_push(&q, high, 2);
	CHECK(queue_pop(&q, 3) == high);
	CHECK(queue_pop(&q, 3) == low);
	CHECK(!queue_pop(&q, 3));

	/* Refused for want of room: comes back when a pod goes, not when labels change. */
	low->blamed = 1u << 5;
	CHECK_STR(str_of(plugins[5].name), "NodeResourcesFit");
	queue_park(&q, low, 10);
	queue_event(&q, EVENT_NODE_LABELS, 20);
	CHECK(low->place == POD_UNSCHEDULABLE);
	queue_event(&q, EVENT_POD_DELETE, 20);
	CHECK(low->place == POD_BACKOFF);
	CHECK(!queue_pop(&q, 30));
	CHECK_INT(queue_next_ns(&q), 10 + NS_PER_S);
	CHECK(queue_pop(&q, 11 + NS_PER_S) == low);
	queue_retry(&q, high, 0);
	queue_retry(&q, low, 0);
	queue_drop(&q, high);
	CHECK(queue_pop(&q, 100 * NS_PER_S) == low);
	queue_free(&q);
	end(&c);
}
