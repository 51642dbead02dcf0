/*
 * Admission: plugins that change or refuse an operation on its way to the registry. All mutating
 * passes run first, in upstream's order, then all validating ones; the order is a table in
 * admission.c. Objects are of the stored version, defaulted.
 *
 * Plugins run on threads that may block, read what they need from the watch cache and keep no state
 * of their own.
 *
 * Source: pkg/kubeapiserver/options/plugins.go; plugin/pkg/admission; apiserver/pkg/admission.
 */
#pragma once

#include "apiserver/authorization/authorizer.h"
#include "lib/api/status.h"

struct admission;
struct admission_round;
struct callouts;

enum admission_operation {
	ADMIT_CREATE = 1 << 0,
	ADMIT_UPDATE = 1 << 1,
	ADMIT_DELETE = 1 << 2,
	ADMIT_CONNECT = 1 << 3,
};

/* Texts for Warning headers of the answer; each once, bounded as upstream's: 256 runes a text,
 * 4 KiB in all before they are cut. */
struct warnings {
	struct arena *arena;
	struct str_list texts;
	size_t cap;
};

void warnings_add(struct warnings *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One operation under way. */
struct admission_attributes {
	enum admission_operation operation;
	struct arena *arena;
	const struct user *user;
	const struct resource *resource; /* as requested */
	str subresource, ns, name;
	void *object;        /* of a create or update: the plugins' to change; NULL on delete */
	const void *old;     /* of an update or delete; immutable */
	const void *options; /* struct create_options, update_options, delete_options */
	bool dry_run;
	struct warnings *warnings;
	struct admission_round *round; /* admission's own */
};

struct admission_options {
	struct storage *storage;
	struct callouts *callouts; /* to webhooks */
	struct authorizer *authorizer;
	const struct clock *clock;
	struct random *random;             /* any thread */
	struct str_list enabled, disabled; /* --enable-admission-plugins, --disable-... */
};

/* ERR_INVALID names a plugin that is unknown or not built. */
NODISCARD int admission_open(
	const struct admission_options *o, struct admission **to, struct err *e);
void admission_close(struct admission *n);

/* The names of the plugins that run, for the log and for --help. */
void admission_put_names(const struct admission *n, struct buf *to);

NODISCARD int admission_mutate(struct admission *n, struct admission_attributes *t, struct err *e);
NODISCARD int admission_validate(
	struct admission *n, const struct admission_attributes *t, struct err *e);
