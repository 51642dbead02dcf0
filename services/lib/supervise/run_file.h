/*
 * A service as data: the file `run` of an s6 service directory, KEY=VALUE lines that coracle-run
 * carries out. Keys in brackets may come more than once:
 *
 *	role=master              only on machines with one of these roles; setup starts it then
 *	user=etcd                and that user's group; default root
 *	[needs=etcd]             services that are ready before this one begins
 *	cgroup=system/etcd       below /sys/fs/cgroup; memory.min=, memory.max=, memory.high=,
 *	                         cpu.weight=, pids.max= go there
 *	oom=-997                 oom_score_adj
 *	notify=socket            ready when it says READY=1 to $NOTIFY_SOCKET (sd_notify(3));
 *	notify=fd                ready when it writes a line to descriptor 3;
 *	notify=start             ready as soon as it runs; none: never
 *	caps=net_admin,net_raw   what root keeps; none otherwise
 *	nofile=65536             limit of open files
 *	[mount=KIND PATH [TO]]   in a mount namespace of its own, see enum run_mount_kind
 *	[folder=PATH MODE USER]  made before it starts
 *	[env=NAME=VALUE]         its whole environment, beside PATH and HOME
 *	log=no                   the supervisor's output; default: an s6-log of its own
 *	[argv=WORD]              program and arguments, one a line
 *
 * Everywhere in a value ${key} stands for a setting, ${service} for its name, ${instance} for what
 * is behind the @ of its name.
 *
 * Ownership: all lies in the arena, or in the text. Threading: any.
 */
#pragma once

#include "lib/codec/pairs.h"
#include "lib/value/text_map.h"

enum run_mount_kind {
	RUN_MOUNT_IDMAP, /* PATH with root's files as the user's */
	RUN_MOUNT_PLAIN, /* PATH below such a one with its real owners again */
	RUN_MOUNT_READ,  /* PATH read-only */
	RUN_MOUNT_BIND,  /* PATH at TO */
};

enum run_notify { RUN_NOTIFY_NONE, RUN_NOTIFY_SOCKET, RUN_NOTIFY_FD, RUN_NOTIFY_START };

struct run_mount {
	enum run_mount_kind kind;
	str at, to;
};

struct run_folder {
	str path, user;
	unsigned mode;
};

struct run_file {
	str user, cgroup;
	struct str_list roles, needs, env, argv, caps;
	struct pair_list limits; /* files of the cgroup and their content */
	struct run_mount *mounts;
	size_t mount_count;
	struct run_folder *folders;
	size_t folder_count;
	enum run_notify notify;
	int64_t oom, nofile; /* INT64_MIN: as they are */
	bool log;
};

enum { RUN_FILE_BYTES_MAX = 16 << 10, RUN_LIST_MAX = 128 };

NODISCARD int run_file_read(struct arena *a, str text, struct run_file *to, struct err *e);

/* The text with every ${key} replaced; ERR_INVALID names a key that has no value. */
NODISCARD int run_expand(
	struct arena *a, str text, const struct pair_list *values, str *to, struct err *e);
