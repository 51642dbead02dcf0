/*
 * Services under s6: their folders below /run/service, what state each is in, commands to their
 * supervisors, waiting for them. s6 2.13's files are read and written directly, as s6-svstat,
 * s6-svc and s6-svwait do, so that no program has to be started for it.
 *
 * Only root can look into supervise/. Threading: any; service_wait and service_make block.
 * Source: skarnet.org/software/s6/{servicedir,s6-supervise}.html, include/s6/supervise.h.
 */
#pragma once

#include "lib/supervise/run_file.h"

#define SERVICE_FOLDER "/run/service"        /* what s6-svscan watches */
#define SERVICE_DATA   "/usr/lib/coracle/s6" /* one run file a service */

enum { SERVICE_STATUS_BYTES = 43, SERVICE_DEATHS_MAX = 100 };

struct service_status {
	bool up, ready, wanted_up;
	int64_t since_ns; /* wall time of its last change */
	pid_t pid;
};

/* The content of supervise/status; ERR_INVALID while it is being written. */
NODISCARD int service_status_read(str content, struct service_status *to, struct err *e);

/* A service that has no supervisor yet is down. */
void service_status(str name, struct service_status *to);

struct service_deaths {
	int count;        /* SERVICE_DEATHS_MAX: or more */
	int in_a_row;     /* the last of them, without a long life in between */
	int64_t last_ns;  /* wall time */
	int code, signal; /* of the last; a signal of 0: it ended by itself */
};

/* The content of supervise/death_tally. */
void service_deaths_read(str content, struct service_deaths *to);
void service_deaths(str name, struct service_deaths *to);

/* How long to wait before one more try: nothing at first, then twice as long each time, at most a
 * minute. */
int64_t service_backoff_ns(int deaths_in_a_row);

/*
 * The service's folder, from its run file: run, notification-fd, log/, and `down` when it has a
 * role. `name` may be template@instance.
 */
NODISCARD int service_make(str name, struct err *e);

/* Tells s6-svscan that there are new ones. */
NODISCARD int service_scan(struct err *e);

/* Tells it to end all supervisors and then itself. */
NODISCARD int service_terminate(struct err *e);

/* Letters as of s6-svc: u up, d down, r restart, k kill. */
NODISCARD int service_command(str name, const char *letters, struct err *e);

/*
 * Blocks until all are ready, or all are down. ERR_TIMEOUT names one that is not. A deadline of
 * INT64_MAX is none; otherwise monotonic time.
 */
NODISCARD int service_wait(struct str_list names, bool ready, int64_t deadline_ns, struct err *e);

/* Every service that was made from a run file, sorted, in the arena; names of loggers are not
 * among them. */
NODISCARD int service_list(struct arena *a, struct str_list *to, struct err *e);

/* Its run file. */
NODISCARD int service_run_file(struct arena *a, str name, struct run_file *to, struct err *e);

/* An inotify descriptor that becomes readable when a status of these changes. The caller closes it;
 * service_drain empties it. */
NODISCARD int service_watch(struct str_list names, int *fd, struct err *e);
void service_drain(int fd);
