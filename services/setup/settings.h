/*
 * Settings of the machine: coracle.KEY=VALUE on the kernel command line, KEY=VALUE lines in a
 * fw_cfg file and on a config disk, what was kept from the first boot, presets. One table says what
 * there is; every value has passed its check before anything is done with it.
 *
 * Ownership: texts in the arena or in the sources' texts. Threading: any.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/codec/pairs.h"
#include "lib/value/text_map.h"

enum setting {
	SETTING_ROLE,
	SETTING_NODE_NAME,
	SETTING_INTERFACE,
	SETTING_ADDRESS,
	SETTING_GATEWAY,
	SETTING_DNS,
	SETTING_NTP,
	SETTING_STATE,
	SETTING_NAMES,
	SETTING_ADDRESSES,
	SETTING_ADVERTISE_ADDRESS,
	SETTING_SERVICE_CIDR,
	SETTING_POD_CIDR,
	SETTING_TOKEN,
	SETTING_COUNT,
};

/* From the weakest to the strongest. */
enum setting_source {
	SOURCE_PRESET,
	SOURCE_KEPT,
	SOURCE_CONFIG_DISK,
	SOURCE_FW_CFG,
	SOURCE_CMDLINE,
	SOURCE_COUNT,
};

struct settings {
	str at[SETTING_COUNT]; /* absent: not set and without a preset */
	enum setting_source from[SETTING_COUNT];
};

/* What each source says; its own errors, a line that cannot be read, are among the problems. */
struct setting_sources {
	struct pair_list at[SOURCE_COUNT]; /* keys without "coracle." */
};

const char *setting_name(enum setting s);
const char *setting_source_name(enum setting_source s);

/* Whether it may be shown and kept in a file that everybody can read. */
bool setting_is_secret(enum setting s);

/* The words of a kernel command line that begin with "coracle.". Quotes hold blanks together. */
NODISCARD int settings_read_cmdline(struct arena *a, str text, struct pair_list *to, struct err *e);

/* A file's lines; "coracle." in front of a key may be left out. */
NODISCARD int settings_read_file(struct arena *a, str text, struct pair_list *to, struct err *e);

/*
 * The strongest source of each setting wins. `problems` gets one line for each that is wrong:
 * setting, source, what was wrong, an example; the result holds only if it stays empty.
 */
void settings_resolve(
	const struct setting_sources *sources, struct settings *to, struct buf *problems);

/* What is kept for the boots to come, KEY=VALUE lines: what was given, state and secrets aside. */
void settings_put_kept(const struct settings *s, struct buf *to);

/* "master,node" names `role`. */
bool settings_has_role(const struct settings *s, str role);

/* The items of a value split at commas; none when it is absent. */
struct str_list settings_list(struct arena *a, str value);
