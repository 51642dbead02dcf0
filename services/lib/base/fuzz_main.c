/*
 * Replays a corpus through a fuzz target without a fuzzer: each argument is a file or a folder of
 * files. `make fuzz` links libFuzzer's own main instead.
 */
#include "lib/base/buf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	struct buf content;

	if (!file) {
		perror(path);
		return false;
	}
	buf_init(&content, BUF_NO_LIMIT);
	char part[65536];

	for (size_t got; (got = fread(part, 1, sizeof(part), file)) > 0;)
		buf_add(&content, part, got);
	fclose(file);

	/* A block of its own exact size, so that the sanitizer sees one byte too far. */
	uint8_t *exact = malloc(content.len ? content.len : 1);

	if (content.len)
		memcpy(exact, content.at, content.len);
	LLVMFuzzerTestOneInput(exact, content.len);
	free(exact);
	buf_free(&content);
	return true;
}

static int replay_folder(const char *path)
{
	DIR *folder = opendir(path);
	int replayed = 0;
	char name[4096];

	if (!folder)
		return replay_file(path);
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		replayed += replay_file(name);
	}
	closedir(folder);
	return replayed;
}

int main(int argc, char **argv)
{
	int replayed = 0;

	for (int i = 1; i < argc; i++)
		replayed += replay_folder(argv[i]);
	printf("%d inputs replayed\n", replayed);
	return replayed == 0;
}
