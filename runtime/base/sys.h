/* SPDX-License-Identifier: MIT */
/*
 * The one table of allocation and system calls. Everything in the tree allocates and talks to the
 * kernel through it, so that a test can make the n-th call of each kind fail (tests/fault).
 * All entries behave like the libc function of the same name.
 */
#ifndef WAN_BASE_SYS_H
#define WAN_BASE_SYS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <time.h>

struct wan_sys {
	void *(*malloc)(size_t bytes);
	void *(*calloc)(size_t count, size_t bytes);
	void *(*realloc)(void *block, size_t bytes);
	void (*free)(void *block);
	void *(*mmap)(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
	int (*munmap)(void *at, size_t bytes);
	int (*madvise)(void *at, size_t bytes, int advice);
	int (*open)(const char *path, int flags, mode_t mode);
	int (*openat)(int folder, const char *path, int flags, mode_t mode);
	int (*close)(int fd);
	ssize_t (*read)(int fd, void *to, size_t bytes);
	ssize_t (*pread)(int fd, void *to, size_t bytes, off_t offset);
	ssize_t (*write)(int fd, const void *from, size_t bytes);
	ssize_t (*pwrite)(int fd, const void *from, size_t bytes, off_t offset);
	int (*fstat)(int fd, struct stat *ret);
	int (*stat)(const char *path, struct stat *ret);
	int (*fallocate)(int fd, int mode, off_t offset, off_t bytes);
	int (*ftruncate)(int fd, off_t bytes);
	int (*fsync)(int fd);
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
	int (*mkdir)(const char *path, mode_t mode);
	int (*memfd_create)(const char *name, unsigned flags);
	int (*statfs)(const char *path, struct statfs *ret);
	ssize_t (*readlink)(const char *path, char *to, size_t bytes);
	int (*ioctl)(int fd, unsigned long request, void *argument);
	int (*inotify_init1)(int flags);
	int (*inotify_add_watch)(int fd, const char *path, uint32_t mask);
	int (*inotify_rm_watch)(int fd, int watch);
	int (*clock_gettime)(clockid_t clock, struct timespec *ret);
	time_t (*time)(time_t *ret); /* on x86-64 a call without a system call: 1.7 ns */
	int (*membarrier)(int command, unsigned flags, int cpu);
	int (*poll)(struct pollfd *fds, nfds_t count, int timeout_ms);
	int (*eventfd)(unsigned count, int flags);
	ssize_t (*getdents64)(int folder, void *to, size_t bytes);
};

/* The table of the real calls. */
extern const struct wan_sys wan_sys_real;
/* The table in force: &wan_sys_real, unless a test has put another one here (before any thread). */
extern const struct wan_sys *wan_sys;

/* Read the whole of fd from its offset, retrying EINTR and short reads, at most bytes.
 * Returns the bytes read (0 at the end), negative errno. */
ssize_t wan_read_full(int fd, void *to, size_t bytes);
ssize_t wan_pread_full(int fd, void *to, size_t bytes, off_t offset);
/* Write all of it, retrying EINTR and short writes. Returns 0, negative errno. */
int wan_write_full(int fd, const void *from, size_t bytes);
int wan_pwrite_full(int fd, const void *from, size_t bytes, off_t offset);

#endif
