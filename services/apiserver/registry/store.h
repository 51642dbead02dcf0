/*
 * Between the files of the generic registry: one write's steps.
 */
#pragma once

#include "apiserver/authentication/authenticator.h"
#include "apiserver/registry/metadata.h"
#include "apiserver/registry/registry.h"
#include "apiserver/storage/storage.h"

struct registry {
	struct registry_options o;
};

static inline struct status_subject operation_subject(const struct operation *op, str name)
{
	return (struct status_subject){op->resource->group, op->resource->plural, name};
}

/* What the plugins are told; `object` and `old` as the operation has them. */
struct admission_attributes store_attributes(const struct operation *op,
	enum admission_operation what, void *object, const void *old, const void *options);

/* An error of the storage as the client is to see it. */
int store_fail(const struct operation *op, str name, const struct err *why, struct err *e);

/* Whether a write that has failed so may have been done all the same: it is not tried again. */
bool store_unanswered(const struct err *e) PURE;

/* Asked before each attempt: 504 behind the operation's deadline. */
NODISCARD int store_in_time(const struct operation *op, struct err *e);

/* From the cache, or from etcd when it is not there or has to be the newest. */
NODISCARD int store_read(
	const struct operation *op, bool newest, struct stored **to, struct err *e);

/* Decoded into the operation's arena; `o` stays as long as the operation lasts. */
NODISCARD int store_decode(struct operation *op, struct stored *o, void **to, struct err *e);

/* Everything between the body and the storage for a new object, and the write. */
NODISCARD int store_create(
	struct operation *op, void *object, const void *options, void **to, struct err *e);

/* Nobody grants by a role or binding what he may not himself. `before` NULL: create. */
NODISCARD int store_check_grants(
	const struct operation *op, void *now, const void *before, struct err *e);

/* Causes as 422, if there are any. */
NODISCARD int store_check(
	const struct operation *op, str name, const struct causes *c, struct err *e);

/* Clears, or copies from another object of the type, one field by its JSON name. */
void store_clear_field(void *object, str name);
void store_copy_field(struct arena *a, void *to, const void *from, str name);

/* custom.c: what the strategies do for resources that came at run time. */
extern const struct strategy custom_strategy, custom_strategy_with_status;
void custom_narrow_status(struct operation *op, void *now, const void *before);
void custom_check(struct operation *op, const void *now, const void *before, struct causes *c);

/* Whether they are the same outside metadata and status. */
bool store_same_spec(struct arena *a, const void *one, const void *other);

/* What a subresource may change: everything else is taken back from `before`. */
void store_narrow(struct operation *op, void *now, const void *before);

int64_t store_ttl_s(const struct operation *op);

/* The removal itself; as storage_delete. */
NODISCARD int store_remove(struct operation *op, const struct stored *before, const void *object,
	struct stored **current, struct err *e);

/* A namespace stays until the finalizers in its spec have gone as well. */
bool store_has_spec_finalizers(const void *object);
