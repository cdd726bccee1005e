/* SPDX-License-Identifier: MIT */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int real_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static int real_openat(int folder, const char *path, int flags, mode_t mode)
{
	return openat(folder, path, flags, mode);
}

/* The preload library exports a hook called write; our own output must not run through it. */
static ssize_t real_write(int fd, const void *from, size_t bytes)
{
	return syscall(SYS_write, fd, from, bytes);
}

static int real_ioctl(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument);
}

static int real_membarrier(int command, unsigned flags, int cpu)
{
	return (int)syscall(SYS_membarrier, command, flags, cpu);
}

static int real_eventfd(unsigned count, int flags)
{
	return eventfd(count, flags);
}

const struct wan_sys wan_sys_real = {
	.malloc = malloc,
	.calloc = calloc,
	.realloc = realloc,
	.free = free,
	.mmap = mmap,
	.munmap = munmap,
	.madvise = madvise,
	.open = real_open,
	.openat = real_openat,
	.close = close,
	.read = read,
	.pread = pread,
	.write = real_write,
	.pwrite = pwrite,
	.fstat = fstat,
	.stat = stat,
	.fallocate = fallocate,
	.ftruncate = ftruncate,
	.fsync = fsync,
	.rename = rename,
	.unlink = unlink,
	.mkdir = mkdir,
	.memfd_create = memfd_create,
	.statfs = statfs,
	.readlink = readlink,
	.ioctl = real_ioctl,
	.inotify_init1 = inotify_init1,
	.inotify_add_watch = inotify_add_watch,
	.inotify_rm_watch = inotify_rm_watch,
	.clock_gettime = clock_gettime,
	.time = time,
	.membarrier = real_membarrier,
	.poll = poll,
	.eventfd = real_eventfd,
	.getdents64 = getdents64,
};

const struct wan_sys *wan_sys = &wan_sys_real;

ssize_t wan_read_full(int fd, void *to, size_t bytes)
{
	size_t done = 0;
	while (done < bytes) {
		ssize_t count = wan_sys->read(fd, (char *)to + done, bytes - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

ssize_t wan_pread_full(int fd, void *to, size_t bytes, off_t offset)
{
	size_t done = 0;
	while (done < bytes) {
		ssize_t count =
			wan_sys->pread(fd, (char *)to + done, bytes - done, offset + (off_t)done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

int wan_write_full(int fd, const void *from, size_t bytes)
{
	size_t done = 0;
	while (done < bytes) {
		ssize_t count = wan_sys->write(fd, (const char *)from + done, bytes - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0)
			return -EIO; /* no progress on a request above 0: do not spin */
		done += (size_t)count;
	}
	return 0;
}

int wan_pwrite_full(int fd, const void *from, size_t bytes, off_t offset)
{
	size_t done = 0;
	while (done < bytes) {
		ssize_t count = wan_sys->pwrite(fd, (const char *)from + done, bytes - done,
						offset + (off_t)done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0)
			return -EIO;
		done += (size_t)count;
	}
	return 0;
}
