#include "setup/volume.h"

#include "lib/base/log.h"
#include "lib/codec/pairs.h"
#include "lib/os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define BLOCKS "/sys/class/block"

enum { SYSFS_BYTES_MAX = 4096, SECTOR_BYTES = 512 };

static bool is_all_zero(str s);
static bool at_is(str head, size_t at, const char *bytes);
static str label_at(str head, size_t at, size_t len);
static bool is_ours(str name);
static int look(struct arena *a, str name, struct volume *to, struct err *e);
static int read_head(struct arena *a, struct volume *v, struct err *e);
static str attribute(struct arena *a, str name, const char *file);
static bool has_partitions(struct arena *a, str name);

void volume_content(str head, struct volume_content *to)
{
	enum { EXT4_SUPER = 1024, EXT4_MAGIC = EXT4_SUPER + 56, EXT4_LABEL = EXT4_SUPER + 120 };
	enum { FAT_MAGIC = 510, FAT16_TYPE = 54, FAT16_LABEL = 43, FAT32_TYPE = 82 };
	enum { FAT32_LABEL = 71, ISO_MAGIC = 32769, ISO_LABEL = 32808 };

	*to = (struct volume_content){.kind = VOLUME_OTHER};
	if (at_is(head, ISO_MAGIC, "CD001"))
		*to = (struct volume_content){VOLUME_ISO9660, label_at(head, ISO_LABEL, 32)};
	else if (at_is(head, EXT4_MAGIC, "\x53\xef"))
		*to = (struct volume_content){VOLUME_EXT4, label_at(head, EXT4_LABEL, 16)};
	else if (at_is(head, FAT_MAGIC, "\x55\xaa") && at_is(head, FAT32_TYPE, "FAT32"))
		*to = (struct volume_content){VOLUME_FAT, label_at(head, FAT32_LABEL, 11)};
	else if (at_is(head, FAT_MAGIC, "\x55\xaa") && at_is(head, FAT16_TYPE, "FAT1"))
		*to = (struct volume_content){VOLUME_FAT, label_at(head, FAT16_LABEL, 11)};
	else if (head.len && is_all_zero(head))
		to->kind = VOLUME_EMPTY;
}

int volumes_find(struct arena *a, struct volume **to, size_t *len, struct err *e)
{
	DIR *d = opendir(BLOCKS);
	struct volume *list = arena_get(a, VOLUMES_MAX * sizeof(*list));
	struct dirent *entry;
	size_t count = 0;

	if (!d)
		return err_set_errno(e, errno, "opening " BLOCKS);
	while ((entry = readdir(d)) && count < VOLUMES_MAX) {
		struct err why;

		if (!is_ours(str_of(entry->d_name)))
			continue;
		if (look(a, arena_str(a, str_of(entry->d_name)), &list[count], &why) < 0)
			log_warning("%s", why.text);
		else
			count++;
	}
	closedir(d);
	*to = list;
	*len = count;
	return 0;
}

static bool is_all_zero(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i])
			return false;
	return true;
}

static bool at_is(str head, size_t at, const char *bytes)
{
	return str_eq(str_slice(head, at, strlen(bytes)), str_of(bytes));
}

static str label_at(str head, size_t at, size_t len)
{
	str label = str_slice(head, at, len);
	const char *end = label.len ? memchr(label.at, 0, label.len) : NULL;

	if (end)
		label.len = (size_t)(end - label.at);
	return str_trim(label);
}

static bool is_ours(str name)
{
	static const char *const not_ours[] = {".", "loop", "ram", "zram", "fd", "dm-", "md"};

	for (size_t i = 0; i < COUNT_OF(not_ours); i++)
		if (str_starts(name, str_of(not_ours[i])))
			return false;
	return true;
}

static int look(struct arena *a, str name, struct volume *to, struct err *e)
{
	struct volume v = {.device = arena_fmt(a, "/dev/%.*s", STR_ARG(name))};
	struct pair_list event = {0};
	struct err unused;
	uint64_t sectors = 0;

	if (pairs_read(a, attribute(a, name, "uevent"), &event, &unused) < 0)
		event.len = 0;
	v.partition = pairs_get(&event, STR("PARTNAME"));
	v.serial = attribute(a, name, "serial");
	v.read_only = str_eq(attribute(a, name, "ro"), STR("1"));
	v.has_partitions = has_partitions(a, name);
	if (!str_to_u64(attribute(a, name, "size"), &sectors))
		sectors = 0;
	v.bytes = sectors * SECTOR_BYTES;
	if (v.bytes)
		TRY(read_head(a, &v, e));
	*to = v;
	return 0;
}

/* Empty is a disk whose end is so too: a GPT keeps its second copy there. */
static int read_head(struct arena *a, struct volume *v, struct err *e)
{
	int fd = open(v->device.at, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(e, errno, "opening %s", v->device.at);
	char *head = arena_get(a, VOLUME_HEAD_BYTES);
	ssize_t len = pread(fd, head, VOLUME_HEAD_BYTES, 0);

	if (len < 0) {
		int why = errno;

		close(fd);
		return err_set_errno(e, why, "reading %s", v->device.at);
	}
	volume_content(str_span(head, (size_t)len), &v->content);
	v->content.label = arena_str(a, v->content.label);
	if (v->content.kind == VOLUME_EMPTY && v->bytes > VOLUME_HEAD_BYTES) {
		len = pread(fd, head, VOLUME_HEAD_BYTES, (off_t)(v->bytes - VOLUME_HEAD_BYTES));
		if (len < 0 || !is_all_zero(str_span(head, (size_t)len)))
			v->content.kind = VOLUME_OTHER;
	}
	close(fd);
	return 0;
}

static str attribute(struct arena *a, str name, const char *file)
{
	struct err unused;
	str content;

	if (file_read(a, arena_fmt(a, BLOCKS "/%.*s/%s", STR_ARG(name), file).at, SYSFS_BYTES_MAX,
		    &content, &unused) < 0)
		return (str){0};
	return str_trim(content);
}

static bool has_partitions(struct arena *a, str name)
{
	DIR *d = opendir(arena_fmt(a, BLOCKS "/%.*s", STR_ARG(name)).at);
	struct dirent *entry;
	bool found = false;

	while (d && !found && (entry = readdir(d)))
		found = str_starts(str_of(entry->d_name), name);
	if (d)
		closedir(d);
	return found;
}
