/*
 * The command line of a daemon in the manner of upstream (pflag): --name=value, --name value,
 * --switch, --switch=false, -v=2 for a name of one letter; a later one replaces an earlier one,
 * lists grow. Flags are rows of tables. A flag that upstream knows and that changes nothing here
 * is a row as well, marked FLAG_UNUSED, and is taken with one warning; a flag that nobody knows is
 * an error that names it.
 *
 * Ownership: values point into argv or the arena. Errors: ERR_INVALID in upstream's words.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/value/text_map.h"

enum flag_kind {
	FLAG_BOOL,     /* bool */
	FLAG_INT,      /* int64_t */
	FLAG_FLOAT,    /* double */
	FLAG_DURATION, /* int64_t, nanoseconds */
	FLAG_STRING,   /* str */
	FLAG_STRINGS,  /* struct str_list: split at commas; the first use replaces the preset */
	FLAG_REPEATED, /* struct str_list: one text a use, commas and all */
	FLAG_MAP,      /* struct str_map: key=value, split at commas */
};

enum flag_marks {
	FLAG_DEPRECATED = 1 << 0,
	FLAG_UNUSED = 1 << 1, /* upstream's; nothing is set by it */
};

struct flag {
	const char *name; /* without the dashes */
	enum flag_kind kind;
	unsigned marks;     /* enum flag_marks */
	size_t offset;      /* in the options struct */
	const char *preset; /* as text; NULL: zero */
	const char *help;   /* NULL for one that is unused */
};

struct flag_table {
	const struct flag *at;
	size_t len;
	void *into; /* the options struct that the offsets count from */
};

#define FLAG_TABLE(rows, options) \
	{ \
		(rows), sizeof(rows) / sizeof((rows)[0]), (options) \
	}

/* What every client of the API server knows upstream and none of ours acts on yet: the other
 * programs' second table. */
extern const struct flag component_flags[];
extern const size_t component_flag_count;

/* What a command line can ask for instead of running. */
enum flags_ask { FLAGS_RUN, FLAGS_HELP, FLAGS_VERSION };

/* Sets every preset, then reads argv[1] onward. --help and --version are known to all programs. */
NODISCARD int flags_parse(struct arena *a, const struct flag_table *tables, size_t table_count,
	int argc, char **argv, enum flags_ask *ask, struct err *e);

/* The usage text: every flag that does something, sorted. */
void flags_put_help(
	struct buf *b, const char *program, const struct flag_table *tables, size_t table_count);
