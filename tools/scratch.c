/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "wanprof.h"

#define RANDOM "XXXXXX"

enum { TRIES = 8, OPEN_FOLDERS = 16 };

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	(void)remove(path);
	return 0; /* what cannot go stays: it is in a temporary folder */
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Open and held by us alone, -1 if another process has it. ret_held: false where the file system
 * knows no locks. */
static int hold(const char *path, bool *ret_held)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	*ret_held = flock(fd, LOCK_EX | LOCK_NB) == 0;
	if (*ret_held || errno != EWOULDBLOCK)
		return fd;
	(void)close(fd);
	return -1;
}

/* Of those that were killed. prefix: "wanprof-bench-". */
static void remove_left(const char *base, const char *prefix)
{
	size_t length = strlen(prefix);
	DIR *all = opendir(base);
	for (struct dirent *entry; all && (entry = readdir(all));) {
		char path[PATH_MAX];
		struct stat status;
		bool held = false;
		if (strncmp(entry->d_name, prefix, length) != 0 ||
		    strlen(entry->d_name) != length + strlen(RANDOM) ||
		    wan_str_format(path, sizeof(path), "%s/%s", base, entry->d_name) >=
			    sizeof(path) - 1)
			continue;
		int fd = hold(path, &held);
		if (fd < 0)
			continue;
		if (held && fstat(fd, &status) == 0 && status.st_uid == geteuid())
			remove_tree(path);
		(void)close(fd);
	}
	if (all)
		(void)closedir(all);
}

/* Between making and locking it, another wanprof may have taken it for one left behind. */
static bool is_ours(const struct wanprof_scratch *scratch)
{
	return scratch->lock >= 0 && access(scratch->path, F_OK) == 0;
}

int wanprof_scratch_make(struct wanprof_scratch *scratch, const char *kind)
{
	char prefix[64];
	const char *base = getenv("TMPDIR");
	if (!base || base[0] != '/' || strlen(base) > PATH_MAX - 128)
		base = "/tmp";
	wan_str_format(prefix, sizeof(prefix), "wanprof-%s-", kind);
	remove_left(base, prefix);
	scratch->lock = -1;
	for (unsigned i = 0; i < TRIES; i++) {
		bool held;
		wan_str_format(scratch->path, sizeof(scratch->path), "%s/%s" RANDOM, base, prefix);
		if (!mkdtemp(scratch->path)) {
			wanprof_say("%s: cannot be made: %s; set TMPDIR to a folder that can be "
				    "written",
				    scratch->path, strerror(errno));
			return WANPROF_NO_OUTPUT;
		}
		scratch->lock = hold(scratch->path, &held);
		if (is_ours(scratch))
			return WANPROF_OK;
		if (scratch->lock >= 0)
			(void)close(scratch->lock);
		scratch->lock = -1;
	}
	wanprof_say("%s: is removed by others as soon as it is made", scratch->path);
	return WANPROF_NO_OUTPUT;
}

void wanprof_scratch_remove(struct wanprof_scratch *scratch)
{
	if (scratch->lock < 0)
		return;
	remove_tree(scratch->path);
	(void)close(scratch->lock);
	scratch->lock = -1;
}
