/*
 * Which fields a write cannot change, as managed fields ask: most kinds with a status have it out
 * of reach of the object, and the spec out of reach of the status.
 */
#include "apiserver/registry/strategy.h"

#include "lib/base/compiler.h"

enum { PATHS_MAX = 4 };

static const struct reset_row {
	str group, resource, subresource;
	str reset[PATHS_MAX], only[PATHS_MAX]; /* up to the first that is absent */
} rows[] = {
	{STR_INIT(""), STR_INIT("pods"), STR_INIT("status"),
		.reset = {STR_INIT("spec"), STR_INIT("metadata.deletionTimestamp"),
			STR_INIT("metadata.ownerReferences")}},
	{STR_INIT(""), STR_INIT("pods"), STR_INIT("ephemeralcontainers"),
		.only = {STR_INIT("spec.ephemeralContainers")}},
	{STR_INIT(""), STR_INIT("pods"), STR_INIT("resize"),
		.only = {STR_INIT("spec.containers.*.resources"),
			STR_INIT("spec.containers.*.resizePolicy"),
			STR_INIT("spec.initContainers.*.resources"),
			STR_INIT("spec.initContainers.*.resizePolicy")}},
	{STR_INIT(""), STR_INIT("namespaces"), STR_INIT("finalize"), .reset = {STR_INIT("status")}},
	{STR_INIT("apps"), STR_INIT("deployments"), STR_INIT("status"),
		.reset = {STR_INIT("spec"), STR_INIT("metadata.labels")}},
	{STR_INIT("certificates.k8s.io"), STR_INIT("certificatesigningrequests"), STR_INIT(""),
		.reset = {STR_INIT("spec"), STR_INIT("status")}},
	{STR_INIT("certificates.k8s.io"), STR_INIT("certificatesigningrequests"),
		STR_INIT("status"), .reset = {STR_INIT("spec"), STR_INIT("status.conditions")}},
	{STR_INIT("certificates.k8s.io"), STR_INIT("certificatesigningrequests"),
		STR_INIT("approval"), .reset = {STR_INIT("spec"), STR_INIT("status.certificate")}},
	{STR_INIT("admissionregistration.k8s.io"), STR_INIT("validatingadmissionpolicies"),
		STR_INIT("status"), .reset = {STR_INIT("spec"), STR_INIT("metadata")}},
	{STR_INIT("flowcontrol.apiserver.k8s.io"), STR_INIT("flowschemas"), STR_INIT("status"),
		.reset = {STR_INIT("metadata"), STR_INIT("spec")}},
	{STR_INIT("flowcontrol.apiserver.k8s.io"), STR_INIT("prioritylevelconfigurations"),
		STR_INIT("status"), .reset = {STR_INIT("metadata"), STR_INIT("spec")}},
	{STR_INIT("apiregistration.k8s.io"), STR_INIT("apiservices"), STR_INIT("status"),
		.reset = {STR_INIT("metadata"), STR_INIT("spec")}},
	{STR_INIT("networking.k8s.io"), STR_INIT("servicecidrs"), STR_INIT("status"),
		.reset = {STR_INIT("metadata"), STR_INIT("spec")}},
	{STR_INIT("resource.k8s.io"), STR_INIT("resourceclaims"), STR_INIT("status"),
		.reset = {STR_INIT("metadata"), STR_INIT("spec")}},
	{STR_INIT("storage.k8s.io"), STR_INIT("volumeattachments"), STR_INIT("status"),
		.reset = {STR_INIT("metadata"), STR_INIT("spec")}},
};

static const str status[] = {STR_INIT("status")}, spec[] = {STR_INIT("spec")};

static const str all_but_status[] = {STR_INIT("metadata"), STR_INIT("spec")};

static size_t count(const str paths[PATHS_MAX])
{
	size_t n = 0;

	while (n < PATHS_MAX && paths[n].at)
		n++;
	return n;
}

struct reset_fields strategy_reset_fields(const struct resource *r, str subresource)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_eq(rows[i].resource, r->plural) && str_eq(rows[i].group, r->group) &&
			str_eq(rows[i].subresource, subresource))
			return (struct reset_fields){rows[i].reset, rows[i].only,
				count(rows[i].reset), count(rows[i].only)};
	if (r->custom && str_eq(subresource, STR("status")))
		return (struct reset_fields){.reset = all_but_status, .reset_count = 2};
	if (str_eq(subresource, STR("status")))
		return (struct reset_fields){.reset = spec, .reset_count = 1};
	if (subresource.len || !resource_sub(r, STR("status")))
		return (struct reset_fields){.reset_count = 0};
	return (struct reset_fields){.reset = status, .reset_count = 1};
}
