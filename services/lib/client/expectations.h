/*
 * Expectations: what a controller has asked for and not yet seen. While creations or deletions of a
 * key are outstanding, its cache is behind, and acting on it would make things twice.
 *
 * Counts of creations come down with every object seen; deletions are expected by name, so that one
 * seen twice counts once. After five minutes they are given up.
 *
 * Threading: any. Source: kubernetes/pkg/controller/controller_utils.go.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/base/str.h"

struct expectations;

struct expectations *expectations_new(const struct clock *c);
void expectations_free(struct expectations *x);

/* Begins anew for a key. */
void expectations_set(struct expectations *x, str key, int creations, const str *deletions,
	size_t deletion_count);

/* One creation was seen, or was asked for and failed. */
void expectations_created(struct expectations *x, str key);

/* The same of the deletion of this object. */
void expectations_deleted(struct expectations *x, str key, str name);

/* The object of the key is gone. */
void expectations_forget(struct expectations *x, str key);

/* Whether all came true, were given up, or never were. */
bool expectations_met(struct expectations *x, str key);
