#include "controller-manager/volume_match.h"

#define CLASS_ANNOTATION STR("volume.beta.kubernetes.io/storage-class")

str claim_class(const struct persistent_volume_claim *c)
{
	str class = meta_annotation(&c->metadata, CLASS_ANNOTATION);

	if (class.at)
		return class;
	return c->spec.storage_class_name ? *c->spec.storage_class_name : (str){NULL, 0};
}

str volume_class(const struct persistent_volume *v)
{
	str class = meta_annotation(&v->metadata, CLASS_ANNOTATION);

	return class.at ? class : v->spec.storage_class_name;
}

bool volume_is_for(const struct persistent_volume *v, const struct persistent_volume_claim *c)
{
	const struct object_reference *r = v->spec.claim_ref;

	return r && str_eq(r->name, c->metadata.name) &&
		str_eq(r->namespace, c->metadata.namespace) &&
		(r->uid.len == 0 || str_eq(r->uid, c->metadata.uid));
}

static str mode_of(const str *mode)
{
	return mode ? *mode : STR("Filesystem");
}

bool volume_mode_differs(const struct persistent_volume *v, const struct persistent_volume_claim *c)
{
	return !str_eq(mode_of(v->spec.volume_mode), mode_of(c->spec.volume_mode));
}

const struct quantity *volume_storage(const struct quantity_map *m)
{
	for (size_t i = 0; i < m->len; i++) {
		if (str_eq(m->at[i].key, STR("storage")))
			return &m->at[i].value;
	}
	return NULL;
}

static int compare_storage(const struct quantity_map *a, const struct quantity_map *b)
{
	static const struct quantity none;
	const struct quantity *x = volume_storage(a), *y = volume_storage(b);

	return quantity_compare(x ? x : &none, y ? y : &none);
}

static bool is_too_small(const struct persistent_volume *v, const struct persistent_volume_claim *c)
{
	return compare_storage(&v->spec.capacity, &c->spec.resources.requests) < 0;
}

static bool attributes_differ(
	const struct persistent_volume *v, const struct persistent_volume_claim *c)
{
	const str *has = v->spec.volume_attributes_class_name,
		  *wants = c->spec.volume_attributes_class_name;

	return !str_eq(has ? *has : STR(""), wants ? *wants : STR(""));
}

static bool has_access_modes(
	const struct persistent_volume *v, const struct persistent_volume_claim *c)
{
	for (size_t i = 0; i < c->spec.access_modes.len; i++) {
		size_t n = 0;

		while (n < v->spec.access_modes.len &&
			!str_eq(v->spec.access_modes.at[n], c->spec.access_modes.at[i]))
			n++;
		if (n == v->spec.access_modes.len)
			return false;
	}
	return true;
}

int volume_check(
	const struct persistent_volume *v, const struct persistent_volume_claim *c, struct err *e)
{
	if (v->metadata.deletion_timestamp)
		return err_set(e, ERR_INVALID, "the volume is marked for deletion \"%.*s\"",
			STR_ARG(v->metadata.name));
	if (is_too_small(v, c))
		return err_set(e, ERR_INVALID, "requested PV is too small");
	if (!str_eq(volume_class(v), claim_class(c)))
		return err_set(e, ERR_INVALID, "storageClassName does not match");
	if (attributes_differ(v, c))
		return err_set(e, ERR_INVALID, "volumeAttributesClassName does not match");
	if (volume_mode_differs(v, c))
		return err_set(e, ERR_INVALID, "incompatible volumeMode");
	if (!has_access_modes(v, c))
		return err_set(e, ERR_INVALID, "incompatible accessMode");
	return 0;
}

static bool fits(const struct volume_wish *w, const struct persistent_volume *v)
{
	const struct persistent_volume_claim *c = w->claim;

	if (v->metadata.deletion_timestamp || is_too_small(v, c) || volume_mode_differs(v, c) ||
		attributes_differ(v, c) || !has_access_modes(v, c))
		return false;
	if (v->spec.claim_ref)
		return volume_is_for(v, c);
	return !w->kept_only && str_eq(v->status.phase, STR("Available")) &&
		str_eq(volume_class(v), claim_class(c)) &&
		(!w->selector || meta_matches(w->selector, &v->metadata.labels));
}

/* The fewest access modes first, then what is kept for the claim, then the smallest. */
const struct persistent_volume *volume_better(const struct volume_wish *w,
	const struct persistent_volume *best, const struct persistent_volume *v)
{
	if (!fits(w, v))
		return best;
	if (!best)
		return v;
	if (v->spec.access_modes.len != best->spec.access_modes.len)
		return v->spec.access_modes.len < best->spec.access_modes.len ? v : best;
	if ((v->spec.claim_ref != NULL) != (best->spec.claim_ref != NULL))
		return v->spec.claim_ref ? v : best;
	return compare_storage(&v->spec.capacity, &best->spec.capacity) < 0 ? v : best;
}
