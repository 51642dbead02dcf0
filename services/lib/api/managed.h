/*
 * Managed fields: who owns which fields of an object, kept in its metadata, and server-side apply.
 * Mirrors the chain of managers in apimachinery/pkg/util/managedfields: entries are updated by
 * every write, times only when something changed hands, at most ten that update, kubectl's
 * annotation of client-side apply taken over.
 *
 * Objects are of the request's version. Entries of another version of the kind stay as they are,
 * those of a version that there is not go. Memory is the arena's; nothing of `live` is changed.
 * Threading: any.
 */
#pragma once

#include "api/meta_v1.h"
#include "lib/api/causes.h"
#include "lib/base/clock.h"
#include "lib/schema/fields.h"

enum { MANAGER_NAME_MAX = 128 };

struct managed_write {
	struct arena *arena;
	const struct type *type; /* of the kind, in the request's version */
	str api_version;         /* "apps/v1" */
	str subresource;         /* absent or "": the object itself */
	str manager;             /* "": "unknown" */
	struct time_value now;

	/* Fields that this write cannot change, so that nobody owns them by it: of `reset` all that
	 * is named, or with `only` all that is not. */
	const str *reset, *only;
	size_t reset_count, only_count;
};

/*
 * Of an object that was created (`live` NULL), or put or patched: sets its managedFields. They are
 * those of the live object, or, unless it is a subresource, the ones that the client sent; an empty
 * list forgets all. Never fails: what cannot be told is not told.
 */
void managed_update(const struct managed_write *w, const void *live, void *now);

/*
 * Applies `config`, JSON of an object of the type, to the live object (NULL: there is none). `*to`
 * is the object with its managedFields; defaults are not filled in. Errors are answers: 409 names
 * the conflicts unless `force`.
 */
NODISCARD int managed_apply(const struct managed_write *w, const void *live,
	const struct tree *config, bool force, void **to, struct err *e);

/*
 * The scale subresource has one field, which is the object's replicas: entries of the object, of
 * type `t` and `api_version`, as the Scale has them, and back
 * (apimachinery/pkg/util/managedfields/scalehandler.go).
 */
struct managed_list {
	struct managed_fields_entry *at;
	size_t len;
};

struct managed_list managed_to_scale(
	struct arena *a, const struct type *t, const struct object_meta *m, str api_version);
struct managed_list managed_from_scale(struct arena *a, const struct type *t,
	const struct object_meta *object, const struct object_meta *scale, str api_version);

/* The object without its managedFields, to be looked at. */
const void *managed_bare(struct arena *a, const void *object);

/* Times of entries that differ in nothing else from the live object's are those again, so that an
 * update that changes nothing is not written. */
void managed_keep_times(const void *live, void *now);

/* Who may be named a manager: at most MANAGER_NAME_MAX bytes that can be printed; and what entries
 * must hold (apimachinery/pkg/apis/meta/v1/validation). */
void managed_check_name(struct causes *c, const struct field_path *p, str manager);
void managed_check(struct causes *c, const struct field_path *p, const struct object_meta *m);
