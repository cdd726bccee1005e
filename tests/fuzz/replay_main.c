/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files without a fuzz engine: each argument is a file or a folder of them.
 * A crash is the failure; so is a folder without a single input, since then nothing was tested.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static unsigned runs;

static int run_file(const char *path, size_t bytes)
{
	FILE *file = fopen(path, "rb");
	/* exactly as long as the input, so that a sanitizer sees a read beyond it */
	uint8_t *data = malloc(bytes ? bytes : 1);
	if (!file || !data || fread(data, 1, bytes, file) != bytes) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(data, bytes);
	free(data);
	runs++;
	return 0;
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static int run_path(const char *path)
{
	struct stat status;
	struct dirent **entries;
	if (stat(path, &status) != 0) {
		perror(path);
		return 2;
	}
	if (!S_ISDIR(status.st_mode))
		return run_file(path, (size_t)status.st_size);
	int count = scandir(path, &entries, NULL, by_name), result = count < 0 ? 2 : 0;
	for (int i = 0; i < count; i++) {
		char inside[4096];
		snprintf(inside, sizeof(inside), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && !result)
			result = run_path(inside);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return result;
}

int main(int argc, char **argv)
{
	int result = 0;
	for (int i = 1; i < argc && !result; i++)
		result = run_path(argv[i]);
	printf("%u inputs\n", runs);
	return result ? result : !runs;
}
