/* SPDX-License-Identifier: MIT */
/* The folder that results go to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "startend.h"

/* mkdir -p. 0, or -1 and errno, which is EEXIST when there was nothing to make. */
static int make_folders(const char *folder)
{
	char path[STARTEND_PATH_BYTES];
	if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return mkdir(path, 0777);
}

int startend_check_folder(const char *folder)
{
	struct stat info;
	if (make_folders(folder) == 0)
		return 0;
	if (errno != EEXIST)
		startend_say("%s: cannot be made: %s", folder, strerror(errno));
	else if (stat(folder, &info) == 0 && !S_ISDIR(info.st_mode))
		startend_say("%s: is not a folder; choose another with -o", folder);
	else if (access(folder, W_OK | X_OK) < 0)
		startend_say("%s: cannot be written: %s", folder, strerror(errno));
	else
		return 0;
	return STARTEND_CANNOT_WRITE;
}

void startend_let_disk_catch_up(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return;
	(void)syncfs(folder);
	close(folder);
}
