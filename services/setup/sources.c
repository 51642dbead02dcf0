#include "setup/sources.h"

#include "lib/os/file.h"
#include "setup/state.h"
#include "setup/volume.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define FW_CFG_FILE "/sys/firmware/qemu_fw_cfg/by_name/opt/io.coracle/config/raw"
#define DISK_LABEL  "CORACLE-CFG"
#define DISK_PLACE  "/run/coracle/config-disk"

enum { FILE_BYTES_MAX = 64 << 10 };

static void read_file(struct arena *a, const char *path, bool must, enum setting_source from,
	struct setting_sources *to, struct buf *problems);
static void read_disk(struct arena *a, struct setting_sources *to, struct buf *problems);
static void note(struct buf *problems, enum setting_source from, const struct err *e);

void sources_read(struct arena *a, struct setting_sources *to, struct buf *problems)
{
	struct err e;
	str text;

	if (file_read(a, "/proc/cmdline", FILE_BYTES_MAX, &text, &e) < 0 ||
		settings_read_cmdline(a, text, &to->at[SOURCE_CMDLINE], &e) < 0)
		note(problems, SOURCE_CMDLINE, &e);
	read_file(a, FW_CFG_FILE, false, SOURCE_FW_CFG, to, problems);
	read_disk(a, to, problems);
}

int sources_read_kept(struct arena *a, struct setting_sources *to, bool *kept, struct err *e)
{
	str text;

	TRY(state_read(a, "settings", &text, e));
	if (text.at && settings_read_file(a, text, &to->at[SOURCE_KEPT], e) < 0)
		return err_context(e, STATE_FOLDER "/settings");
	*kept = text.at;
	return 0;
}

static void read_file(struct arena *a, const char *path, bool must, enum setting_source from,
	struct setting_sources *to, struct buf *problems)
{
	struct err e;
	str text;

	int done = file_read(a, path, FILE_BYTES_MAX, &text, &e);

	if (done == 0)
		done = settings_read_file(a, text, &to->at[from], &e);
	else if (e.kind == ERR_NOT_FOUND && !must)
		return;
	if (done < 0)
		note(problems, from, &e);
}

static void read_disk(struct arena *a, struct setting_sources *to, struct buf *problems)
{
	struct volume *all;
	size_t len;
	struct err e;

	if (volumes_find(a, &all, &len, &e) < 0) {
		note(problems, SOURCE_CONFIG_DISK, &e);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		enum volume_kind kind = all[i].content.kind;
		bool fat = kind == VOLUME_FAT;

		if ((!fat && kind != VOLUME_ISO9660) ||
			!str_eq_ignoring_case(all[i].content.label, STR(DISK_LABEL)))
			continue;
		mkdir(DISK_PLACE, 0700);
		if (mount(all[i].device.at, DISK_PLACE, fat ? "vfat" : "iso9660",
			    MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
			err_write_errno(&e, errno, "mounting %s", all[i].device.at);
			note(problems, SOURCE_CONFIG_DISK, &e);
			return;
		}
		read_file(a, DISK_PLACE "/coracle.conf", true, SOURCE_CONFIG_DISK, to, problems);
		umount2(DISK_PLACE, MNT_DETACH);
		return;
	}
}

static void note(struct buf *problems, enum setting_source from, const struct err *e)
{
	buf_add_fmt(problems, "the %s cannot be read: %s; an example of a line: role=master\n",
		setting_source_name(from), e->text);
}
