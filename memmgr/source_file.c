/* SPDX-License-Identifier: MIT */
/* Kernel files that stay open: a pread costs a tenth of open, read and close. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

static int open_now(struct wan_kept_file *file)
{
	int fd = wan_sys->open(file->path, O_RDONLY | O_CLOEXEC, 0);
	/* What is there and cannot be opened now (no descriptor left, no permission) is tried
	 * again. */
	file->error = fd < 0 ? errno : 0;
	wan_store_relaxed(&file->broken, fd < 0 && errno != ENOENT && errno != ENOTDIR);
	if (fd < 0)
		return -1;
	struct stat info;
	if (wan_sys->fstat(fd, &info) < 0) {
		file->error = errno;
		wan_store_relaxed(&file->broken, true);
		wan_sys->close(fd);
		return -1;
	}
	file->device = info.st_dev;
	file->inode = info.st_ino;
	return fd;
}

int wan_kept_open(struct wan_kept_file *file, const char *root, const char *folder,
		  const char *name)
{
	*file = (struct wan_kept_file){.fd = -1};
	size_t bytes = strlen(root) + strlen(folder) + strlen(name) + 2;
	file->path = wan_malloc(bytes);
	if (!file->path)
		return -ENOMEM;
	wan_str_format(file->path, bytes, "%s%s%s%s", root, folder, *folder ? "/" : "", name);
	file->fd = open_now(file);
	return 0;
}

int wan_kept_read(struct wan_kept_file *file, char *to, size_t bytes)
{
	int fd = wan_load_relaxed(&file->fd);
	if (fd < 0)
		return file->error ? -file->error : -ENOENT;
	/* Kernel files are made anew by each call, even by one that only finds their end: what ends
	 * with a line is whole. */
	ssize_t got = wan_sys->pread(fd, to, bytes - 1, 0);
	int length = (int)got;
	if (got > 0 && to[got - 1] == '\n')
		to[got] = '\0';
	else
		length = wan_procfs_pread(fd, to, bytes);
	if (length <= 0) {
		wan_store_relaxed(&file->broken, true);
		return length < 0 ? length : -ENODATA;
	}
	return length;
}

/* A guest may have closed our descriptor and opened something else under its number. */
static void close_if_ours(const struct wan_kept_file *file, int fd)
{
	struct stat info;
	if (fd < 0)
		return;
	if (wan_sys->fstat(fd, &info) < 0
		    ? errno == EBADF
		    : info.st_dev != file->device || info.st_ino != file->inode)
		return;
	wan_sys->close(fd);
}

void wan_kept_repair(struct wan_kept_file *file, bool always)
{
	if (!file->path || (!always && !wan_load_relaxed(&file->broken)))
		return;
	int old = wan_load_relaxed(&file->fd);
	close_if_ours(file, old);
	wan_store_relaxed(&file->fd, open_now(file));
}

void wan_kept_close(struct wan_kept_file *file)
{
	if (!file->path) /* never opened */
		return;
	close_if_ours(file, file->fd);
	wan_free(file->path);
	*file = (struct wan_kept_file){.fd = -1};
}
