/*
 * Between the files of managed fields: the entries of an object, read.
 */
#pragma once

#include "lib/api/managed.h"

/* Who owns what. An owner is known by the manager, operation and subresource of his entry; one that
 * updates by its apiVersion as well. */
struct owner {
	struct managed_fields_entry entry;
	struct field_set set;
	bool changed; /* the text in `entry` is of another set */
};

struct owners {
	struct owner *at;
	size_t len, cap;
};

/* One write under way. */
struct managing {
	const struct managed_write *q;
	struct fields f;
	struct owners all;
};

#define OPERATION_APPLY  STR("Apply")
#define OPERATION_UPDATE STR("Update")
#define FIELDS_TYPE      STR("FieldsV1")

/* Reads entries into `to`; ERR_INVALID in upstream's words. */
NODISCARD int owners_read(struct arena *a, const struct type *t,
	const struct managed_fields_entry *entries, size_t len, struct owners *to, struct err *e);

/* The entries again, in upstream's order, those of nothing left out. */
NODISCARD int owners_write(
	struct arena *a, const struct owners *o, struct managed_list *to, struct err *e);

/* NULL if there is none. */
struct owner *owners_find(const struct owners *o, const struct managed_fields_entry *entry);
struct owner *owners_add(struct managing *m, const struct managed_fields_entry *entry);

/* The entry of the one who writes. */
struct managed_fields_entry managed_self(const struct managed_write *q, str operation);

/* What a write can own of a set, and never does. */
struct field_set managed_filter(struct managing *m, const struct field_set *s);
struct field_set managed_strip(struct managing *m, const struct field_set *s);
struct field_change managed_change(
	struct managing *m, const struct fielded *before, const struct fielded *now);

/* Takes from all owners, but `self`, what was added, modified or removed. */
void managed_take(struct managing *m, const struct field_change *change, const struct owner *self);

/* The steps of an update after it is known who owned what: `self` gets what changed. */
void managed_owners_update(
	struct managing *m, const struct fielded *before, const struct fielded *now, str manager);

/* Whether entries of another version mean anything here; NULL: no such version of the kind. */
const struct type *managed_version(const struct managed_write *q, str api_version);
