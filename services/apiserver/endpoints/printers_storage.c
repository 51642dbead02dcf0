/*
 * Rows of what drivers of volumes and devices keep: storage.k8s.io and resource.k8s.io.
 */
#include "apiserver/endpoints/printers.h"

#include "api/kinds.h"
#include "lib/api/meta.h"

static const struct column named_columns[] = {COLUMN_NAME, COLUMN_AGE, COLUMNS_END};
static const struct column csi_driver_columns[] = {COLUMN_NAME,
	{"AttachRequired", "boolean", NULL, 0}, {"PodInfoOnMount", "boolean", NULL, 0},
	{"StorageCapacity", "boolean", NULL, 0}, {"TokenRequests", "string", NULL, 0},
	{"RequiresRepublish", "boolean", NULL, 0}, {"Modes", "string", NULL, 0}, COLUMN_AGE,
	COLUMNS_END};
static const struct column csi_node_columns[] = {
	COLUMN_NAME, {"Drivers", "integer", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column capacity_columns[] = {COLUMN_NAME,
	{"StorageClassName", "string", NULL, 0}, {"Capacity", "string", NULL, 0}, COLUMNS_END};
static const struct column attachment_columns[] = {COLUMN_NAME, {"Attacher", "string", "name", 0},
	{"PV", "string", NULL, 0}, {"Node", "string", NULL, 0}, {"Attached", "boolean", NULL, 0},
	COLUMN_AGE, COLUMNS_END};
static const struct column attributes_class_columns[] = {
	COLUMN_NAME, {"DriverName", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column claim_columns[] = {
	COLUMN_NAME, {"State", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};
static const struct column slice_columns[] = {COLUMN_NAME, {"Node", "string", NULL, 0},
	{"Driver", "string", NULL, 0}, {"Pool", "string", NULL, 0}, COLUMN_AGE, COLUMNS_END};

static void print_named(struct cells *c, const void *object);
static void print_csi_driver(struct cells *c, const void *object);
static void print_csi_node(struct cells *c, const void *object);
static void print_capacity(struct cells *c, const void *object);
static void print_attachment(struct cells *c, const void *object);
static void print_attributes_class(struct cells *c, const void *object);
static void print_claim(struct cells *c, const void *object);
static void print_slice(struct cells *c, const void *object);

const struct printer printers_storage[] = {
	{API_STORAGE_CSI_DRIVER, csi_driver_columns, print_csi_driver},
	{API_STORAGE_CSI_NODE, csi_node_columns, print_csi_node},
	{API_STORAGE_CSI_STORAGE_CAPACITY, capacity_columns, print_capacity},
	{API_STORAGE_VOLUME_ATTACHMENT, attachment_columns, print_attachment},
	{API_STORAGE_VOLUME_ATTRIBUTES_CLASS, attributes_class_columns, print_attributes_class},
	{API_RESOURCE_DEVICE_CLASS, named_columns, print_named},
	{API_RESOURCE_RESOURCE_CLAIM, claim_columns, print_claim},
	{API_RESOURCE_RESOURCE_CLAIM_TEMPLATE, named_columns, print_named},
	{API_RESOURCE_RESOURCE_SLICE, slice_columns, print_slice},
	{.print = NULL},
};

static void print_named(struct cells *c, const void *object)
{
	const struct object_meta *m = meta_of(object);

	cell_text(c, m->name);
	cell_age(c, &m->creation_timestamp);
}

static void print_csi_driver(struct cells *c, const void *object)
{
	const struct storage_csi_driver *d = object;
	const struct storage_csi_driver_spec *s = &d->spec;
	struct buf audiences;

	buf_init(&audiences, BUF_NO_LIMIT);
	for (size_t i = 0; i < s->token_requests.len; i++) {
		if (i)
			buf_add_char(&audiences, ',');
		buf_add_str(&audiences, s->token_requests.at[i].audience);
	}
	cell_text(c, d->metadata.name);
	cell_bool(c, !s->attach_required || *s->attach_required);
	cell_bool(c, s->pod_info_on_mount && *s->pod_info_on_mount);
	cell_bool(c, s->storage_capacity && *s->storage_capacity);
	cell_text(c, s->token_requests.len ? buf_str(&audiences) : STR("<unset>"));
	cell_bool(c, s->requires_republish && *s->requires_republish);
	cell_joined(c, &s->volume_lifecycle_modes);
	cell_age(c, &d->metadata.creation_timestamp);
	buf_free(&audiences);
}

static void print_csi_node(struct cells *c, const void *object)
{
	const struct storage_csi_node *n = object;

	cell_text(c, n->metadata.name);
	cell_number(c, (int64_t)n->spec.drivers.len);
	cell_age(c, &n->metadata.creation_timestamp);
}

static void print_capacity(struct cells *c, const void *object)
{
	const struct storage_csi_storage_capacity *s = object;
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	if (s->capacity)
		quantity_put(&b, s->capacity);
	cell_text(c, s->metadata.name);
	cell_text(c, s->storage_class_name);
	cell_text(c, s->capacity ? buf_str(&b) : STR("<unset>"));
	buf_free(&b);
}

static void print_attachment(struct cells *c, const void *object)
{
	const struct storage_volume_attachment *v = object;

	cell_text(c, v->metadata.name);
	cell_text(c, v->spec.attacher);
	cell_or(c, v->spec.source.persistent_volume_name, "");
	cell_text(c, v->spec.node_name);
	cell_bool(c, v->status.attached);
	cell_age(c, &v->metadata.creation_timestamp);
}

static void print_attributes_class(struct cells *c, const void *object)
{
	const struct storage_volume_attributes_class *v = object;

	cell_text(c, v->metadata.name);
	cell_text(c, v->driver_name);
	cell_age(c, &v->metadata.creation_timestamp);
}

static void print_claim(struct cells *c, const void *object)
{
	const struct resource_resource_claim *r = object;
	bool deleted = r->metadata.deletion_timestamp != NULL;

	cell_text(c, r->metadata.name);
	if (!r->status.allocation)
		cell_text(c, deleted ? STR("deleted") : STR("pending"));
	else
		cell_fmt(c, "%sallocated%s", deleted ? "deleted," : "",
			r->status.reserved_for.len ? ",reserved" : "");
	cell_age(c, &r->metadata.creation_timestamp);
}

static void print_slice(struct cells *c, const void *object)
{
	const struct resource_resource_slice *s = object;

	cell_text(c, s->metadata.name);
	cell_or(c, s->spec.node_name, "");
	cell_text(c, s->spec.driver);
	cell_text(c, s->spec.pool.name);
	cell_age(c, &s->metadata.creation_timestamp);
}
