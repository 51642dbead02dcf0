/*
 * What plugins are made of: a row in the table of admission.c, and what they may ask.
 */
#pragma once

#include "api/kinds.h"
#include "apiserver/admission/admission.h"
#include "lib/api/meta.h"

#include <pthread.h>

enum { RECENT_MAX = 100, RECENT_NAME_BYTES = 64, QUOTA_ROOMS = 64 };

/* Namespaces that were told to go lately, newest over oldest: the cache may not know yet. */
struct recent {
	pthread_mutex_t lock;
	struct {
		char name[RECENT_NAME_BYTES];
		int64_t until_ns;
	} at[RECENT_MAX];
	size_t next;
};

/* Where requests of some namespaces wait for their quotas: resource_quota.c. */
struct quota_room {
	pthread_mutex_t lock;
	pthread_cond_t settled;
	struct quota_request *waiting;
	bool busy;
	int64_t revision; /* of the last account that was written; the one's who is busy */
};

void quota_rooms_init(struct quota_room *rooms);
void quota_rooms_free(struct quota_room *rooms);

struct admission {
	struct admission_options options;
	const struct plugin **running; /* in upstream's order, NULL behind the last */
	const struct plugin **mutating, **validating; /* of these, likewise */
	struct recent recent;
	struct quota_room rooms[QUOTA_ROOMS];
};

/* NULL: the plugin does not act in this pass. */
struct plugin {
	const char *name;
	unsigned flags;      /* enum plugin_flags */
	unsigned operations; /* enum admission_operation */
	const char
		*resource; /* "pods", "certificatesigningrequests.certificates.k8s.io"; NULL: any */
	int (*mutate)(struct admission *n, struct admission_attributes *t, struct err *e);
	int (*validate)(struct admission *n, const struct admission_attributes *t, struct err *e);
};

enum plugin_flags {
	PLUGIN_DEFAULT = 1 << 0,      /* on unless disabled */
	PLUGIN_SUBRESOURCES = 1 << 1, /* asked about subresources as well */
	PLUGIN_NOT_BUILT = 1 << 2,    /* upstream has it, we not yet */
	PLUGIN_IDLE = 1 << 3, /* upstream has it and, with default feature gates, it does nothing */
};

extern const struct plugin plugins[];
extern const size_t plugin_count;

/* pods "x" is forbidden: why. Returns -1. */
int admission_forbid(const struct admission_attributes *t, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

bool admission_is(const struct admission_attributes *t, const char *group, const char *resource);

/* The object from the watch cache, decoded into the operation's arena; `to` is the place of a
 * pointer, which becomes NULL when there is none. */
NODISCARD int admission_get(struct admission *n, const struct admission_attributes *t,
	const char *group, const char *resource, str ns, str name, void *to, struct err *e);

/* The same from etcd itself. */
NODISCARD int admission_fetch(struct admission *n, const struct admission_attributes *t,
	const char *group, const char *resource, str ns, str name, void *to, struct err *e);

/* All of a namespace (absent: of all), by name. */
struct admission_list {
	void **at;
	size_t len, cap;
};

NODISCARD int admission_list(struct admission *n, const struct admission_attributes *t,
	const char *group, const char *resource, str ns, struct admission_list *to, struct err *e);

/* Appends to a list of the object: `at`, `len` of LIST(T). The old memory is left as it is. */
#define ADMISSION_ADD(arena, list, value) \
	((list)->at = admission_grown((arena), (list)->at, (list)->len, sizeof(*(list)->at)), \
		(list)->at[(list)->len++] = (value))

void *admission_grown(struct arena *a, const void *at, size_t len, size_t size);

/* What is wrong, collected: one text bare, several as "[a, b]", each once. */
struct admission_faults {
	struct arena *arena;
	struct str_list texts;
	size_t cap;
};

void admission_fault(struct admission_faults *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
str admission_faults_text(const struct admission_faults *f);

#define MIRROR_POD_ANNOTATION "kubernetes.io/config.mirror"
