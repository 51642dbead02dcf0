#include "apiserver/validation/rules.h"

enum { TOKEN_LIFE_MIN_S = 600 };

static void check_modes(struct causes *c, const struct field_path *p, const struct str_list *modes);
static const struct quantity *storage_of(const struct quantity_map *m) PURE;

void check_volume_source(struct validation *v, const struct field_path *p, const void *o)
{
	const struct volume_source *s = o;

	check_one_of(v->causes, p, API_VOLUME_SOURCE, o, "volume");
	if (s->host_path && str_find(s->host_path->path, STR("..")) >= 0)
		causes_invalid(v->causes, FIELD(FIELD(p, "hostPath"), "path"),
			cause_text(s->host_path->path), "must not contain '..'");
	if (s->secret)
		check_mode(v->causes, FIELD(FIELD(p, "secret"), "defaultMode"),
			s->secret->default_mode);
	if (s->config_map)
		check_mode(v->causes, FIELD(FIELD(p, "configMap"), "defaultMode"),
			s->config_map->default_mode);
	if (s->projected)
		check_mode(v->causes, FIELD(FIELD(p, "projected"), "defaultMode"),
			s->projected->default_mode);
	if (s->nfs && s->nfs->path.len && s->nfs->path.at[0] != '/')
		causes_invalid(v->causes, FIELD(FIELD(p, "nfs"), "path"), cause_text(s->nfs->path),
			"must be an absolute path");
}

void check_volume_projection(struct validation *v, const struct field_path *p, const void *o)
{
	const struct volume_projection *s = o;

	if (count_set(API_VOLUME_PROJECTION, o) > 1)
		causes_forbidden(
			v->causes, p, "may not specify more than 1 volume type per source");
	if (s->service_account_token && s->service_account_token->expiration_seconds &&
		*s->service_account_token->expiration_seconds < TOKEN_LIFE_MIN_S)
		causes_invalid(v->causes,
			FIELD(FIELD(p, "serviceAccountToken"), "expirationSeconds"),
			cause_i64(v->causes->arena, *s->service_account_token->expiration_seconds),
			"may not specify a duration less than 10 minutes");
}

void check_downward_file(struct validation *v, const struct field_path *p, const void *o)
{
	const struct downward_api_volume_file *f = o;
	const struct field_path *owner = p->parent->parent; /* of the list of items */

	check_local_path(v->causes, FIELD(p, "path"), f->path);
	check_mode(v->causes, FIELD(p, "mode"), f->mode);
	if (f->field_ref && f->resource_field_ref)
		causes_invalid(v->causes, owner, cause_text(STR("resource")),
			"fieldRef and resourceFieldRef can not be specified simultaneously");
	else if (!f->field_ref && !f->resource_field_ref)
		causes_required(
			v->causes, owner, "one of fieldRef and resourceFieldRef is required");
}

void check_unique_volumes(struct causes *c, const struct field_path *p, const struct pod_spec *s)
{
	for (size_t i = 0; i < s->volumes.len; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(s->volumes.at[i].name, s->volumes.at[k].name)) {
				causes_duplicate(c, FIELD(FIELD_INDEX(p, i), "name"),
					cause_text(s->volumes.at[i].name));
				break;
			}
}

void check_pvc_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct persistent_volume_claim_spec *s = o;
	struct causes *c = v->causes;
	const struct quantity *size = storage_of(&s->resources.requests);
	const struct field_path *at = FIELD_KEY(FIELD(p, "resources"), STR("storage"));

	if (!s->access_modes.len)
		causes_required(c, FIELD(p, "accessModes"), "at least 1 access mode is required");
	check_modes(c, FIELD(p, "accessModes"), &s->access_modes);
	if (!size)
		causes_required(c, at, "%s", "");
	else if (quantity_sign(size) <= 0)
		causes_invalid(c, at, cause_quantity(c->arena, size), "must be greater than zero");
}

void check_pv_spec(struct validation *v, const struct field_path *p, const void *o)
{
	const struct persistent_volume_spec *s = o;
	bool attached = object_type(v->root) == api_type(API_STORAGE_VOLUME_ATTACHMENT);
	struct causes *c = v->causes;

	check_modes(c, FIELD(p, "accessModes"), &s->access_modes);
	if (!attached && !s->capacity.len)
		causes_required(c, FIELD(p, "capacity"), "%s", "");
	if (!attached && !storage_of(&s->capacity)) {
		const str storage = STR("storage");

		causes_not_supported(c, FIELD(p, "capacity"),
			cause_field(c->arena, &api_schema.types[API_PERSISTENT_VOLUME_SPEC], o,
				"capacity"),
			&storage, 1);
	}
	check_one_of(c, p, API_PERSISTENT_VOLUME_SOURCE, &s->persistent_volume_source, "volume");
	if (s->persistent_volume_source.local && (!s->node_affinity || !s->node_affinity->required))
		causes_required(c, FIELD(p, "nodeAffinity"), "Local volume requires node affinity");
}

void update_pvc(struct validation *v, const void *now, const void *before)
{
	const struct persistent_volume_claim *a = now, *b = before;
	struct persistent_volume_claim_spec allowed = a->spec;
	const struct quantity *size = storage_of(&a->spec.resources.requests);
	const struct quantity *old_size = storage_of(&b->spec.resources.requests);
	const struct field_path *spec = FIELD(NULL, "spec");
	bool bound = str_eq(b->status.phase, STR("Bound"));

	/* The binder sets the volume's name and, once, the class that was left to the default. */
	if (!b->spec.volume_name.len)
		allowed.volume_name = b->spec.volume_name;
	if (!b->spec.storage_class_name)
		allowed.storage_class_name = NULL;
	if (bound)
		allowed.resources.requests = b->spec.resources.requests;
	allowed.volume_attributes_class_name = b->spec.volume_attributes_class_name;
	if (!struct_equal(&api_schema.types[API_PERSISTENT_VOLUME_CLAIM_SPEC], &allowed, &b->spec))
		causes_forbidden(v->causes, spec,
			"spec is immutable after creation except resources.requests and "
			"volumeAttributesClassName for bound claims");
	else if (bound && size && old_size && quantity_compare(size, old_size) < 0)
		causes_forbidden(v->causes,
			FIELD(FIELD(FIELD(spec, "resources"), "requests"), "storage"),
			"field can not be less than previous value");
}

void update_pv(struct validation *v, const void *now, const void *before)
{
	const struct persistent_volume *a = now, *b = before;

	if (!struct_equal(&api_schema.types[API_PERSISTENT_VOLUME_SOURCE],
		    &a->spec.persistent_volume_source, &b->spec.persistent_volume_source))
		causes_forbidden(v->causes, FIELD(FIELD(NULL, "spec"), "persistentvolumesource"),
			"spec.persistentvolumesource is immutable after creation");
}

void check_storage_class(struct validation *v, const struct field_path *p, const void *o)
{
	const struct storage_storage_class *s = o;

	for (size_t i = 0; i < s->parameters.len; i++)
		if (!s->parameters.at[i].key.len)
			causes_invalid(v->causes, FIELD(p, "parameters"), cause_text(STR("")),
				"field can not be empty.");
}

static void check_modes(struct causes *c, const struct field_path *p, const struct str_list *modes)
{
	for (size_t i = 0; modes->len > 1 && i < modes->len; i++)
		if (str_eq(modes->at[i], STR("ReadWriteOncePod"))) {
			causes_forbidden(
				c, p, "may not use ReadWriteOncePod with other access modes");
			return;
		}
}

static const struct quantity *storage_of(const struct quantity_map *m)
{
	for (size_t i = 0; i < m->len; i++)
		if (str_eq(m->at[i].key, STR("storage")))
			return &m->at[i].value;
	return NULL;
}
