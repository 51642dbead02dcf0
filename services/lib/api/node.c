#include "lib/api/node.h"

static bool requirement_holds(const struct node_selector_requirement *r, str value);
static bool number_compares(str value, str bound, bool greater);

bool taint_tolerated_by(const struct taint *t, const struct toleration *by)
{
	if (by->effect.len > 0 && !str_eq(by->effect, t->effect))
		return false;
	if (by->key.len > 0 && !str_eq(by->key, t->key))
		return false;
	if (by->operator.len == 0 || str_eq(by->operator, STR("Equal")))
		return by->key.len > 0 && str_eq(by->value, t->value);
	return str_eq(by->operator, STR("Exists"));
}

bool taint_tolerated(const struct taint *t, const struct pod_spec *by)
{
	for (size_t i = 0; i < by->tolerations.len; i++)
		if (taint_tolerated_by(t, &by->tolerations.at[i]))
			return true;
	return false;
}

bool node_suits(const struct node *n, const struct pod_spec *s)
{
	const struct node_selector *required = node_affinity_required(s);

	for (size_t i = 0; i < s->node_selector.len; i++) {
		str value = str_map_get(&n->metadata.labels, s->node_selector.at[i].key);

		if (!value.at || !str_eq(value, s->node_selector.at[i].value))
			return false;
	}
	for (size_t i = 0; required && i < required->node_selector_terms.len; i++)
		if (node_meets(n, &required->node_selector_terms.at[i]))
			return true;
	return !required;
}

bool node_meets(const struct node *n, const struct node_selector_term *t)
{
	if (t->match_expressions.len + t->match_fields.len == 0)
		return false;
	for (size_t i = 0; i < t->match_expressions.len; i++) {
		const struct node_selector_requirement *r = &t->match_expressions.at[i];

		if (!requirement_holds(r, str_map_get(&n->metadata.labels, r->key)))
			return false;
	}
	for (size_t i = 0; i < t->match_fields.len; i++) {
		const struct node_selector_requirement *r = &t->match_fields.at[i];

		if (!str_eq(r->key, STR("metadata.name")) ||
			!requirement_holds(r, n->metadata.name))
			return false;
	}
	return true;
}

const struct node_selector *node_affinity_required(const struct pod_spec *s)
{
	return s->affinity && s->affinity->node_affinity
		? s->affinity->node_affinity->required_during_scheduling_ignored_during_execution
		: NULL;
}

static bool requirement_holds(const struct node_selector_requirement *r, str value)
{
	bool among = false;

	for (size_t i = 0; i < r->values.len; i++)
		among = among || (value.at && str_eq(r->values.at[i], value));
	if (str_eq(r->operator, STR("In")))
		return among;
	if (str_eq(r->operator, STR("NotIn")))
		return !among;
	if (str_eq(r->operator, STR("Exists")))
		return value.at != NULL;
	if (str_eq(r->operator, STR("DoesNotExist")))
		return !value.at;
	return value.at && r->values.len == 1 &&
		number_compares(value, r->values.at[0], str_eq(r->operator, STR("Gt")));
}

static bool number_compares(str value, str bound, bool greater)
{
	int64_t a, b;

	return str_to_i64(value, &a) && str_to_i64(bound, &b) && (greater ? a > b : a < b);
}
