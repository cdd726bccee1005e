/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "atomics.h"
#include "cleanup.h"
#include "log.h"
#include "macros.h"
#include "output.h"
#include "str.h"
#include "sys.h"

#define BUFFER_BYTES ((size_t)64 * 1024)
/* Names tried when another process of our id left its files behind. */
#define NAME_TRIES 100
#define NAME_BYTES 48

static int output_error(struct wan_error *reterr_error, const char *path, int code)
{
	switch (-code) {
	case EEXIST:
		return wan_error_set(reterr_error, code, path,
				     "choose another name or allow overwriting", "exists already");
	case EISDIR:
		return wan_error_set(reterr_error, code, path, "name a file in it", "is a folder");
	case ENOENT:
	case ENOTDIR:
		return wan_error_set(reterr_error, code, path, "make the folder first",
				     "its folder does not exist");
	case EACCES:
	case EPERM:
		return wan_error_set(reterr_error, code, path,
				     "check the permissions of the folder", "may not be written");
	case EROFS:
		return wan_error_set(reterr_error, code, path, "choose a place elsewhere",
				     "lies on a read-only file system");
	case ENOSPC:
	case EDQUOT:
		return wan_error_set(reterr_error, code, path,
				     "free some space or choose a place elsewhere",
				     "cannot be written: the disk is full");
	case ENOMEM:
		return wan_error_set(reterr_error, code, path, "", "no memory to write it");
	default:
		return wan_error_set(reterr_error, code, path, "", "cannot be written: %s",
				     strerror(-code));
	}
}

/* What is in the place now must be replaceable: a device or pipe would be destroyed by the move. */
static int check_place(const char *path, bool overwrite, struct wan_error *reterr_error)
{
	struct stat stat;
	if (!path || !*path)
		return wan_error_set(reterr_error, -EINVAL, "output", "", "no path was given");
	if (wan_sys->stat(path, &stat) != 0)
		return errno == ENOENT ? 0 : output_error(reterr_error, path, -errno);
	if (S_ISDIR(stat.st_mode))
		return output_error(reterr_error, path, -EISDIR);
	if (!S_ISREG(stat.st_mode))
		return wan_error_set(reterr_error, -EINVAL, path, "name a regular file",
				     "is a device or pipe, which cannot be written here");
	return overwrite ? 0 : output_error(reterr_error, path, -EEXIST);
}

/* Opens a fresh file in the folder of path. Returns the descriptor, negative errno. */
static int open_temporary(const char *path, char *name)
{
	static uint32_t counter;
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
	memcpy(name, path, folder);
	for (int i = 0; i < NAME_TRIES; i++) {
		wan_str_format(name + folder, NAME_BYTES, ".wan-%ld-%u.tmp", (long)getpid(),
			       wan_add_relaxed(&counter, 1));
		int fd = wan_sys->open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				       0666);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

int wan_output_open(struct wan_output *output, const char *path, bool overwrite,
		    struct wan_error *reterr_error)
{
	int error = check_place(path, overwrite, reterr_error);
	if (error < 0)
		return error;

	struct wan_output made = {.path = path, .overwrite = overwrite, .fd = -1};
	made.temporary = wan_malloc(strlen(path) + NAME_BYTES);
	made.buffer = wan_malloc(BUFFER_BYTES);
	made.capacity = BUFFER_BYTES;
	error = -ENOMEM;
	if (made.temporary && made.buffer)
		error = made.fd = open_temporary(path, made.temporary);
	if (error < 0) {
		wan_free(made.temporary);
		wan_free(made.buffer);
		return output_error(reterr_error, path, error);
	}
	*output = made;
	return 0;
}

static void write_at_offset(struct wan_output *output, const void *bytes, size_t count)
{
	output->error = wan_pwrite_full(output->fd, bytes, count, (off_t)output->offset);
	output->offset += count;
}

static int flush(struct wan_output *output)
{
	if (output->error == 0 && output->used > 0)
		write_at_offset(output, output->buffer, output->used);
	output->used = 0;
	return output->error;
}

/* Room for count more bytes in memory, by doubling. */
static int grow(struct wan_output *output, size_t count)
{
	size_t need, capacity = output->capacity;
	if (__builtin_add_overflow(output->used, count, &need) || need > SIZE_MAX / 4)
		return -EOVERFLOW;
	if (need <= capacity)
		return 0;
	while (capacity < need)
		capacity *= 2;
	uint8_t *buffer = wan_realloc_array(output->buffer, capacity, 1);
	if (!buffer)
		return -ENOMEM;
	output->buffer = buffer;
	output->capacity = capacity;
	return 0;
}

int wan_output_expect(struct wan_output *output, uint64_t count)
{
	static const uint32_t compressing[] = {0x9123683e, 0x2fc12fc1, 0xca451a4e, 0xf2f52010};
	/* btrfs, zfs, bcachefs, f2fs */
	struct statfs info;
	if (!output->path || output->error < 0 || wan_sys->statfs(output->temporary, &info) != 0 ||
	    info.f_bsize <= 0)
		return output->error;
	for (size_t i = 0; i < WAN_COUNT_OF(compressing); i++) {
		if ((uint32_t)info.f_type == compressing[i])
			return 0;
	}
	if (count / (uint64_t)info.f_bsize > info.f_bavail)
		output->error = -ENOSPC;
	return output->error;
}

int wan_output_write(struct wan_output *output, const void *bytes, size_t count)
{
	if (!output->path) {
		if (output->error == 0)
			output->error = grow(output, count);
		if (output->error < 0)
			return output->error;
		memcpy(output->buffer + output->used, bytes, count);
		output->used += count;
		return 0;
	}
	if (count > BUFFER_BYTES - output->used && flush(output) < 0)
		return output->error;
	if (count >= BUFFER_BYTES) {
		if (output->error == 0)
			write_at_offset(output, bytes, count);
		return output->error;
	}
	memcpy(output->buffer + output->used, bytes, count);
	output->used += count;
	return output->error;
}

int wan_output_skip(struct wan_output *output, uint64_t count)
{
	if (flush(output) < 0)
		return output->error;
	/* The file may end in the hole. */
	output->offset += count;
	if (wan_sys->ftruncate(output->fd, (off_t)output->offset) != 0)
		output->error = -errno;
	return output->error;
}

/* rename() that does not replace; a hard link does the same where the kernel cannot. */
static int move_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(from, to) != 0)
		return -errno;
	(void)wan_sys->unlink(from);
	return 0;
}

static void finish(struct wan_output *output)
{
	wan_fd_closep(&output->fd);
	wan_freep(&output->temporary);
	wan_freep(&output->buffer);
	*output = (struct wan_output){.fd = -1};
}

int wan_output_open_memory(struct wan_output *output)
{
	uint8_t *buffer = wan_malloc(BUFFER_BYTES);
	if (!buffer)
		return -ENOMEM;
	*output = (struct wan_output){.buffer = buffer, .capacity = BUFFER_BYTES, .fd = -1};
	return 0;
}

int wan_output_take(struct wan_output *output, void **ret_bytes, size_t *ret_count)
{
	int error = output->error;
	if (error == 0) {
		*ret_bytes = output->buffer;
		*ret_count = output->used;
		output->buffer = NULL;
	}
	finish(output);
	return error;
}

void wan_output_abandon(struct wan_output *output)
{
	int kept_errno = errno;
	if (output->temporary)
		(void)wan_sys->unlink(output->temporary);
	finish(output);
	errno = kept_errno;
}

int wan_output_commit(struct wan_output *output, struct wan_error *reterr_error)
{
	const char *path = output->path;
	int error = flush(output);
	/* Some file systems tell only now that there was no space. */
	int fd = output->fd;
	output->fd = -1;
	if (wan_sys->close(fd) != 0 && error == 0)
		error = -errno;
	if (error == 0 && output->overwrite)
		error = wan_sys->rename(output->temporary, path) == 0 ? 0 : -errno;
	else if (error == 0)
		error = move_new(output->temporary, path);
	if (error < 0) {
		wan_output_abandon(output);
		return output_error(reterr_error, path, error);
	}
	finish(output);
	return 0;
}
