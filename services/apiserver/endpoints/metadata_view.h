/*
 * PartialObjectMetadata: an object's metadata alone.
 */
#pragma once

#include "apiserver/registry/metadata.h"
#include "apiserver/storage/storage.h"

/* Shares what it shows. `version` of meta.k8s.io: "v1", "v1beta1"; an object without metadata is
 * its own view. */
void *metadata_view(struct arena *a, void *object, str version);

/* The same of a stored one, of which no more is decoded. */
NODISCARD int metadata_view_stored(struct arena *a, const struct stored *o, str version,
	struct partial_object_metadata **to, struct err *e);
