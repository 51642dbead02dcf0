/*
 * NodeResourcesFit (LeastAllocated) and NodeResourcesBalancedAllocation.
 */
#include "scheduler/framework.h"

static void add_nominated(const struct cycle *c, const struct node_info *n, struct resources *used);
static bool lacks(int64_t asked, int64_t allocatable, int64_t requested);
static int64_t least(int64_t capacity, int64_t asked);

bool filter_resources(const struct cycle *c, const struct node_info *n, struct refusal *why)
{
	const struct resources *ask = &c->p->requests, *have = &n->allocatable;
	struct resources used = n->requested;

	/* Room that preemption made is kept for whom it was made, if he is not less important. */
	if (c->cache->nominated)
		add_nominated(c, n, &used);
	if (used.pods + 1 > have->pods)
		refuse(why, STR("Too many pods"));
	if (lacks(ask->cpu_milli, have->cpu_milli, used.cpu_milli))
		refuse(why, STR("Insufficient cpu"));
	if (lacks(ask->memory, have->memory, used.memory))
		refuse(why, STR("Insufficient memory"));
	if (lacks(ask->ephemeral, have->ephemeral, used.ephemeral))
		refuse(why, STR("Insufficient ephemeral-storage"));
	for (size_t i = 0; i < ask->scalar_count; i++)
		if (lacks(ask->scalars[i].value, scalar_of(have, ask->scalars[i].name),
			    scalar_of(&used, ask->scalars[i].name)))
			refuse(why,
				arena_fmt(c->arena, "Insufficient %.*s",
					STR_ARG(ask->scalars[i].name)));
	why->for_good = ask->cpu_milli > have->cpu_milli || ask->memory > have->memory ||
		ask->ephemeral > have->ephemeral;
	return why->count == 0;
}

int64_t score_least_allocated(const struct cycle *c, const struct node_info *n)
{
	int64_t cpu = least(n->allocatable.cpu_milli, n->scored_cpu_milli + c->p->scored_cpu_milli);
	int64_t memory = least(n->allocatable.memory, n->scored_memory + c->p->scored_memory);

	return (cpu + memory) / 2;
}

/* The less the shares of cpu and memory differ, the better. */
int64_t score_balanced(const struct cycle *c, const struct node_info *n)
{
	double cpu, memory;

	if (!c->p->requests.cpu_milli && !c->p->requests.memory)
		return 0;
	if (!n->allocatable.cpu_milli || !n->allocatable.memory)
		return 0;
	cpu = (double)(n->requested.cpu_milli + c->p->requests.cpu_milli) /
		(double)n->allocatable.cpu_milli;
	memory = (double)(n->requested.memory + c->p->requests.memory) /
		(double)n->allocatable.memory;
	cpu = cpu > 1 ? 1 : cpu;
	memory = memory > 1 ? 1 : memory;
	double apart = cpu > memory ? cpu - memory : memory - cpu;
	return (int64_t)((1 - apart / 2) * SCORE_MAX);
}

static void add_nominated(const struct cycle *c, const struct node_info *n, struct resources *used)
{
	map_each (&c->cache->pods, e) {
		const struct pod_info *o = e->value;

		if (o == c->p || o->node || o->priority < c->p->priority ||
			!str_eq(o->nominated, n->name))
			continue;
		used->cpu_milli += o->requests.cpu_milli;
		used->memory += o->requests.memory;
		used->ephemeral += o->requests.ephemeral;
		used->pods++;
	}
}

static bool lacks(int64_t asked, int64_t allocatable, int64_t requested)
{
	return asked > 0 && asked > allocatable - requested;
}

static int64_t least(int64_t capacity, int64_t asked)
{
	if (capacity <= 0 || asked > capacity)
		return 0;
	return (capacity - asked) * SCORE_MAX / capacity;
}
