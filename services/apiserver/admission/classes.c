#include "apiserver/admission/plugins.h"
#include "lib/api/resource_list.h"

/* DefaultStorageClass, DefaultIngressClass, StorageObjectInUseProtection,
 * PersistentVolumeClaimResize. */

/* The newest of those that an annotation marks; of equally old ones the first by name. */
const struct object_meta *newest_default(
	const struct admission_list *all, const char *const *annotations)
{
	const struct object_meta *found = NULL;

	for (size_t i = 0; i < all->len; i++) {
		const struct object_meta *m = meta_of(all->at[i]);
		bool marked = false;

		for (size_t k = 0; annotations[k]; k++)
			marked |= str_eq(meta_annotation(m, str_of(annotations[k])), STR("true"));
		if (marked &&
			(!found ||
				time_compare(&m->creation_timestamp, &found->creation_timestamp) >
					0))
			found = m;
	}
	return found;
}

static str *text(struct arena *a, str s)
{
	str *to = arena_get(a, sizeof(*to));

	*to = s;
	return to;
}

int default_storage_class(struct admission *n, struct admission_attributes *t, struct err *e)
{
	static const char *const marks[] = {"storageclass.kubernetes.io/is-default-class",
		"storageclass.beta.kubernetes.io/is-default-class", NULL};
	struct persistent_volume_claim *c = t->object;
	struct admission_list all = {0};

	if (c->spec.storage_class_name ||
		meta_annotation(&c->metadata, STR("volume.beta.kubernetes.io/storage-class")).at)
		return 0;
	TRY(admission_list(n, t, "storage.k8s.io", "storageclasses", (str){NULL, 0}, &all, e));
	const struct object_meta *found = newest_default(&all, marks);

	if (found)
		c->spec.storage_class_name = text(t->arena, found->name);
	return 0;
}

int default_ingress_class(struct admission *n, struct admission_attributes *t, struct err *e)
{
	static const char *const marks[] = {"ingressclass.kubernetes.io/is-default-class", NULL};
	struct ingress *g = t->object;
	struct admission_list all = {0};

	if (g->spec.ingress_class_name ||
		meta_annotation(&g->metadata, STR("kubernetes.io/ingress.class")).at)
		return 0;
	TRY(admission_list(n, t, "networking.k8s.io", "ingressclasses", (str){NULL, 0}, &all, e));
	const struct object_meta *found = newest_default(&all, marks);

	if (found)
		g->spec.ingress_class_name = text(t->arena, found->name);
	return 0;
}

int storage_object_in_use_protection(
	UNUSED struct admission *n, struct admission_attributes *t, UNUSED struct err *e)
{
	static const struct {
		const char *group, *resource, *finalizer;
	} kinds[] = {{"", "persistentvolumes", "kubernetes.io/pv-protection"},
		{"", "persistentvolumeclaims", "kubernetes.io/pvc-protection"},
		{"storage.k8s.io", "volumeattributesclasses", "kubernetes.io/vac-protection"}};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		str finalizer = str_of(kinds[i].finalizer);
		struct object_meta *m = meta_of(t->object);

		if (admission_is(t, kinds[i].group, kinds[i].resource) &&
			!meta_has_finalizer(m, finalizer))
			meta_add_finalizer(t->arena, m, finalizer);
	}
	return 0;
}

/* The old annotation counts before the field. */
static str class_of(const struct persistent_volume_claim *c)
{
	str beta = meta_annotation(&c->metadata, STR("volume.beta.kubernetes.io/storage-class"));

	if (beta.at)
		return beta;
	return c->spec.storage_class_name ? *c->spec.storage_class_name : STR("");
}

int persistent_volume_claim_resize(
	struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct persistent_volume_claim *now = t->object, *old = t->old;
	const struct quantity none = {0};
	const struct quantity *to = resource_list_get(
		&now->spec.resources.requests, STR("storage"));
	const struct quantity *from = resource_list_get(
		&old->spec.resources.requests, STR("storage"));
	struct storage_storage_class *class = NULL;
	str name = class_of(now);

	if (quantity_compare(to ? to : &none, from ? from : &none) <= 0)
		return 0;
	if (!str_eq(old->status.phase, STR("Bound")))
		return admission_forbid(
			t, e, "Only bound persistent volume claims can be expanded");
	if (name.len > 0 && str_eq(name, class_of(old)))
		TRY(admission_get(
			n, t, "storage.k8s.io", "storageclasses", (str){NULL, 0}, name, &class, e));
	if (class && class->allow_volume_expansion && *class->allow_volume_expansion)
		return 0;
	return admission_forbid(t, e,
		"only dynamically provisioned pvc can be resized and the storageclass that "
		"provisions the pvc must support resize");
}
