/* SPDX-License-Identifier: MIT */
/* A file that appears whole under its name, or not at all. */
#include "wanprof.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "str.h"
#include "sys.h"

static int fail(struct wan_error *reterr_error, int code, const char *path)
{
	const char *hint = "";
	if (code == -ENOSPC)
		hint = "free some space or choose another place with -o";
	else if (code == -ENOENT)
		hint = "create the folder first";
	else if (code == -EACCES || code == -EROFS)
		hint = "choose another place with -o";
	return wan_error_set(reterr_error, code, path, hint, "cannot be written: %s",
			     strerror(-code));
}

static int refuse_existing(struct wan_error *reterr_error, const char *path)
{
	return wan_error_set(reterr_error, -EEXIST, path, "use --force to replace it",
			     "exists already");
}

int wanprof_output_open(struct wanprof_output *output, const char *path, bool force,
			struct wan_error *reterr_error)
{
	*output = (struct wanprof_output){.fd = -1, .force = force};
	if (!path || strcmp(path, "-") == 0) {
		output->standard = true;
		output->fd = STDOUT_FILENO;
		return 0;
	}
	struct stat status;
	if (strlen(path) + 32 > PATH_MAX)
		return fail(reterr_error, -ENAMETOOLONG, path);
	if (wan_sys->stat(path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return fail(reterr_error, -EISDIR, path);
		/* A pipe or device is no file to replace: written in place. */
		if (!S_ISREG(status.st_mode)) {
			output->fd = wan_sys->open(path, O_WRONLY | O_CLOEXEC, 0);
			return output->fd < 0 ? fail(reterr_error, -errno, path) : 0;
		}
		if (!force)
			return refuse_existing(reterr_error, path);
	}
	wan_str_copy(output->path, sizeof(output->path), path);
	wan_str_format(output->temporary, sizeof(output->temporary), "%s.%d.part", path,
		       (int)getpid());
	output->fd =
		wan_sys->open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (output->fd < 0) {
		output->temporary[0] = '\0';
		return fail(reterr_error, -errno, path);
	}
	return 0;
}

/* The rename that refuses to replace; not every file system has it. */
static int rename_keeping(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (access(to, F_OK) == 0)
		return -EEXIST;
	return wan_sys->rename(from, to) == 0 ? 0 : -errno;
}

int wanprof_output_commit(struct wanprof_output *output, struct wan_error *reterr_error)
{
	if (output->standard || !output->path[0]) {
		wanprof_output_abandon(output);
		return 0;
	}
	/* Some file systems report a full disk only at close. */
	int closed = wan_sys->close(output->fd) == 0 ? 0 : -errno;
	output->fd = -1;
	if (closed < 0) {
		wanprof_output_abandon(output);
		return fail(reterr_error, closed, output->path);
	}
	int renamed = output->force
			      ? (wan_sys->rename(output->temporary, output->path) == 0 ? 0 : -errno)
			      : rename_keeping(output->temporary, output->path);
	if (renamed == 0) {
		output->temporary[0] = '\0';
		return 0;
	}
	wanprof_output_abandon(output);
	return renamed == -EEXIST ? refuse_existing(reterr_error, output->path)
				  : fail(reterr_error, renamed, output->path);
}

void wanprof_output_abandon(struct wanprof_output *output)
{
	if (!output->standard && output->fd >= 0)
		wan_sys->close(output->fd);
	output->fd = -1;
	if (output->temporary[0])
		wan_sys->unlink(output->temporary);
	output->temporary[0] = '\0';
}
