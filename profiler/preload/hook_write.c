/* SPDX-License-Identifier: MIT */
/*
 * write() and writev(): what the program prints is looked at for progress bars, after it was
 * printed: only bytes that were really written count, and they were readable. What the program gets
 * is the C library's own answer. Output of the C library's stdio does not come by here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sys/uio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomics.h"
#include "bars.h"
#include "preload.h"

enum { PARTS = 16 }; /* of a writev() that are looked at */

typedef ssize_t write_function(int fd, const void *bytes, size_t count);
typedef ssize_t writev_function(int fd, const struct iovec *parts, int count);

extern write_function __write; /* the C library's name for its own */

static ssize_t plain_writev(int fd, const struct iovec *parts, int count)
{
	return syscall(SYS_writev, fd, parts, count);
}

/* Before the constructor ran: other libraries start, nothing is recorded yet. */
static write_function *next_write = __write;
static writev_function *next_writev = plain_writev;

/* Another library may stand between us and the C library. */
__attribute__((constructor)) static void find_next(void)
{
	write_function *found_write = (write_function *)dlsym(RTLD_NEXT, "write");
	writev_function *found_writev = (writev_function *)dlsym(RTLD_NEXT, "writev");
	if (found_write)
		wan_store_release(&next_write, found_write);
	if (found_writev)
		wan_store_release(&next_writev, found_writev);
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes, size_t count)
{
	ssize_t written = wan_load_relaxed(&next_write)(fd, bytes, count);
	if (wan_likely(written > 0))
		wan_bars_written(fd, bytes, (size_t)written);
	return written;
}

__attribute__((visibility("default"))) ssize_t writev(int fd, const struct iovec *parts, int count)
{
	ssize_t written = wan_load_relaxed(&next_writev)(fd, parts, count);
	ssize_t left = written;
	for (int i = 0; left > 0 && i < count && i < PARTS; i++) {
		size_t bytes = WAN_MIN((size_t)left, parts[i].iov_len);
		if (bytes)
			wan_bars_written(fd, parts[i].iov_base, bytes);
		left -= (ssize_t)bytes;
	}
	return written;
}
