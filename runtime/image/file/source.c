/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "cleanup.h"
#include "log.h"
#include "macros.h"
#include "source.h"
#include "sys.h"

/* One read of the kernel; large enough that its cost vanishes beside decoding. */
#define WINDOW_BYTES ((size_t)64 * 1024)

static int open_error(struct wan_error *reterr_error, const char *path, int code)
{
	switch (-code) {
	case ENOENT:
	case ENOTDIR:
		return wan_error_set(reterr_error, code, path, "check the path",
				     "there is no such file");
	case EACCES:
	case EPERM:
		return wan_error_set(reterr_error, code, path, "check the permissions of the file",
				     "may not be read");
	case ELOOP:
		return wan_error_set(reterr_error, code, path, "check the path",
				     "too many symbolic links");
	case EMFILE:
	case ENFILE:
		return wan_error_set(reterr_error, code, path, "raise the limit (ulimit -n)",
				     "too many files are open");
	default:
		return wan_error_set(reterr_error, code, path, "", "cannot be opened: %s",
				     strerror(-code));
	}
}

static int check_regular(const char *path, const struct stat *stat, struct wan_error *reterr_error)
{
	if (S_ISDIR(stat->st_mode))
		return wan_error_set(reterr_error, -EISDIR, path, "name a file in it",
				     "is a folder, not an image");
	if (!S_ISREG(stat->st_mode))
		return wan_error_set(reterr_error, -EINVAL, path,
				     "copy the image into a regular file first",
				     "is a %s, not a regular file",
				     S_ISFIFO(stat->st_mode)   ? "pipe"
				     : S_ISSOCK(stat->st_mode) ? "socket"
							       : "device");
	if (stat->st_size <= 0)
		return wan_error_set(reterr_error, -ENODATA, path, "", "is empty");
	return 0;
}

int wan_source_open_file(struct wan_source *source, const char *path,
			 struct wan_error *reterr_error)
{
	if (!path || !*path)
		return wan_error_set(reterr_error, -EINVAL, "image", "", "no path was given");

	/* O_NONBLOCK: opening a FIFO without a writer must not wait. */
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return open_error(reterr_error, path, -errno);
	struct stat stat;
	if (wan_sys->fstat(fd, &stat) != 0)
		return open_error(reterr_error, path, -errno);
	int error = check_regular(path, &stat, reterr_error);
	if (error < 0)
		return error;

	uint8_t *window = wan_malloc(WINDOW_BYTES);
	if (!window)
		return wan_error_set(reterr_error, -ENOMEM, path, "", "no memory to read it");
	*source = (struct wan_source){
		.name = path, .fd = fd, .size = (uint64_t)stat.st_size, .window = window};
	fd = -1;
	return 0;
}

int wan_source_open_memory(struct wan_source *source, const void *bytes, size_t count,
			   struct wan_error *reterr_error)
{
	static const char name[] = "image in memory";
	if (!bytes)
		return wan_error_set(reterr_error, -EINVAL, name, "", "no bytes were given");
	if (count == 0)
		return wan_error_set(reterr_error, -ENODATA, name, "", "is empty");
	*source = (struct wan_source){.name = name, .bytes = bytes, .fd = -1, .size = count};
	return 0;
}

void wan_source_close(struct wan_source *source)
{
	if (!source->window)
		return;
	wan_fd_closep(&source->fd);
	wan_freep(&source->window);
	source->window = NULL;
}

int wan_source_identity(const struct wan_source *source, struct wan_file_identity *ret_identity)
{
	struct stat stat;
	if (source->bytes)
		return -ENOTSUP;
	if (wan_sys->fstat(source->fd, &stat) != 0)
		return -errno;
	*ret_identity = (struct wan_file_identity){
		.device = stat.st_dev,
		.inode = stat.st_ino,
		.size = (uint64_t)stat.st_size,
		.mtime_ns = (int64_t)stat.st_mtim.tv_sec * 1000000000 + stat.st_mtim.tv_nsec,
	};
	return 0;
}

static ssize_t note_error(struct wan_source *source, ssize_t result)
{
	if (result < 0 && source->error == 0)
		source->error = (int)result;
	return result;
}

ssize_t wan_source_read_at(struct wan_source *source, uint64_t offset, void *to, size_t count)
{
	if (offset >= source->size)
		return 0;
	count = (size_t)WAN_MIN((uint64_t)count, source->size - offset);

	if (source->bytes) {
		memcpy(to, source->bytes + offset, count);
		return (ssize_t)count;
	}
	if (source->window_used == 0) {
		ssize_t got =
			wan_pread_full(source->fd, source->window, WINDOW_BYTES, (off_t)offset);
		if (got < 0)
			return note_error(source, got);
		source->window_at = offset;
		source->window_used = (size_t)got;
	}
	if (offset >= source->window_at &&
	    offset + count <= source->window_at + source->window_used) {
		memcpy(to, source->window + (offset - source->window_at), count);
		return (ssize_t)count;
	}
	/* Outside the first window: chunk headers far apart, so read just what was asked for. */
	return note_error(source, wan_pread_full(source->fd, to, count, (off_t)offset));
}

int wan_source_next(struct wan_source *source, const uint8_t **ret_bytes, size_t *ret_count)
{
	uint64_t at = source->position;

	if (source->bytes) {
		*ret_bytes = source->bytes + at;
		*ret_count = (size_t)(source->size - at);
		source->position = source->size;
		return 0;
	}
	bool held = at >= source->window_at && at < source->window_at + source->window_used;
	if (!held && at < source->size) {
		ssize_t got = wan_pread_full(source->fd, source->window, WINDOW_BYTES, (off_t)at);
		if (got < 0)
			return (int)note_error(source, got);
		source->window_at = at;
		source->window_used = (size_t)got;
	}
	uint64_t end = WAN_MIN(source->window_at + source->window_used, source->size);
	if (at >= source->size || at >= end) {
		*ret_count = 0;
		return 0;
	}
	*ret_bytes = source->window + (at - source->window_at);
	*ret_count = (size_t)(end - at);
	source->position = end;
	return 0;
}
