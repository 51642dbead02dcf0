/*
 * Options of a request: ListOptions, CreateOptions and the like, from the query by the schema's
 * tables or from a body, checked as apimachinery/pkg/apis/meta/{v1,internalversion}/validation
 * does. Values that cannot be read are 400, combinations that are refused 422.
 */
#pragma once

#include "api/kinds.h"
#include "lib/api/resource.h"
#include "lib/http/url.h"
#include "lib/value/selector.h"

/* A new object of type `t`; what the query does not name stays unset. Unknown names are ignored. */
NODISCARD int options_from_query(
	struct arena *a, const struct type *t, const struct url_query *q, void **to, struct err *e);

/* DeleteOptions of a body, under any group-version or without kind and apiVersion. */
NODISCARD int options_from_body(
	struct arena *a, const struct type *t, enum format f, str body, void **to, struct err *e);

/* 422 with the causes of what is wrong; `o` may get defaults: WatchList's for old watches. */
NODISCARD int list_options_check(struct arena *a, struct list_options *o, struct err *e);
NODISCARD int create_options_check(struct arena *a, const struct create_options *o, struct err *e);
NODISCARD int update_options_check(struct arena *a, const struct update_options *o, struct err *e);
NODISCARD int patch_options_check(
	struct arena *a, const struct patch_options *o, bool apply, struct err *e);
NODISCARD int delete_options_check(struct arena *a, const struct delete_options *o, struct err *e);

bool options_dry_run(const struct str_list *dry_run);

enum field_validation { VALIDATE_IGNORE, VALIDATE_WARN, VALIDATE_STRICT };
enum field_validation options_field_validation(str directive);

/* Which objects a list, watch or deletecollection means. */
struct selection {
	struct selector labels, fields; /* fields by the stored version's paths */
	str ns, name;                   /* absent: all; the name as fields fix it */
	str node;                       /* pods: spec.nodeName as fields fix it; absent otherwise */
};

/* Field labels are checked against the resource: 400 for one that it does not know. Aliases are
 * replaced by what they stand for. */
NODISCARD int selection_read(struct arena *a, const struct resource *r,
	const struct list_options *o, str ns, str name, struct selection *to, struct err *e);

/* "123" or ""; a malformed one is 400 for a list, else 500 without a reason, as upstream has it. */
NODISCARD int revision_read(struct arena *a, str text, bool of_list, int64_t *to, struct err *e);
