/*
 * A pass: one key's sync. Helpers for what controllers do in it, all in the pass's arena.
 */
#pragma once

#include "lib/client/controller.h"

enum { PASS_PINS_MAX = 16 };

struct pass_pin {
	struct informer *informer;
	struct view *view;
};

struct pass {
	struct controller_run *run;
	struct arena *arena;
	str key, ns, name;
	int64_t again_ns; /* come back after so long, if the pass succeeds */

	struct arena own;
	struct pass_pin pins[PASS_PINS_MAX];
	size_t pin_count;
};

void pass_begin(struct pass *p, struct controller_run *r, str key);
void pass_end(struct pass *p);

/* Comes back after this time at the latest. */
void pass_again(struct pass *p, int64_t wait_ns);

/* This pass's moment of a kind; pinned when first asked for. */
const struct view *pass_view(struct pass *p, enum api_type type);

/* NULL if there is none. ns is empty for cluster-scoped kinds. */
const void *pass_get(struct pass *p, enum api_type type, str ns, str name);

/* Of one namespace, or all (absent). */
struct view_walk pass_list(struct pass *p, enum api_type type, str ns);
struct view_walk pass_by(struct pass *p, enum api_type type, view_key *index, str key, str ns);

/* An object like it to be changed: its own structs, shared texts. */
void *pass_copy(struct pass *p, const void *object);
void *pass_new(struct pass *p, enum api_type type, str ns, str name);

/* Calls to the server. `now` may be NULL; else it gets the object as it is now. */
NODISCARD int pass_create(struct pass *p, const void *object, void **now, struct err *e);
NODISCARD int pass_update(struct pass *p, const void *object, void **now, struct err *e);
NODISCARD int pass_update_status(struct pass *p, const void *object, void **now, struct err *e);
NODISCARD int pass_patch(struct pass *p, const void *object, str sub, enum client_patch kind,
	str patch, void **now, struct err *e);

/* Server-side apply, by force: the manager owns what JSON has of `object`, zeros without omitempty
 * included, so that this is for kinds that have none. */
NODISCARD int pass_apply(struct pass *p, const void *object, str manager, struct err *e);

/* Only this very object, not another of its name. */
NODISCARD int pass_delete(struct pass *p, const void *object, struct err *e);

/* From the server, not from the cache. */
NODISCARD int pass_fetch(
	struct pass *p, enum api_type type, str ns, str name, void **to, struct err *e);

/* 0 also if it is not there any more. */
NODISCARD int pass_ignore_missing(int result, const struct err *e);

void pass_event(struct pass *p, const void *about, const char *reason, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void pass_warn(struct pass *p, const void *about, const char *reason, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

struct time_value pass_now(const struct pass *p);
int64_t pass_now_ns(const struct pass *p); /* wall clock */

static inline const void *pass_settings(const struct pass *p)
{
	return p->run->env.settings;
}

static inline void *pass_state(const struct pass *p)
{
	return p->run->state;
}
