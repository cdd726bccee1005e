/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys.h"

static struct {
	enum wan_fault_kind kind;
	uint64_t nth; /* 0: nothing is armed */
	int error;
	bool forever;
} plan;

static atomic_uint_least64_t calls[WAN_FAULT_KINDS], injected;
static atomic_int_least64_t blocks, mapped_bytes, descriptors, clock_step_ns;

/* Counts the call. Returns 0 to go on, else the errno or WAN_FAULT_SHORT it has to fail with. */
static int count(enum wan_fault_kind kind)
{
	uint64_t number = atomic_fetch_add(&calls[kind], 1) + 1;
	if (!plan.nth || plan.kind != kind || number < plan.nth ||
	    (number > plan.nth && !plan.forever))
		return 0;
	atomic_fetch_add(&injected, 1);
	if (plan.error != WAN_FAULT_SHORT)
		errno = plan.error;
	return plan.error;
}

static void *count_block(void *block)
{
	if (block)
		atomic_fetch_add(&blocks, 1);
	return block;
}

static void *fault_malloc(size_t bytes)
{
	return count(WAN_FAULT_MALLOC) ? NULL : count_block(wan_sys_real.malloc(bytes));
}

static void *fault_calloc(size_t number, size_t bytes)
{
	return count(WAN_FAULT_CALLOC) ? NULL : count_block(wan_sys_real.calloc(number, bytes));
}

static void *fault_realloc(void *block, size_t bytes)
{
	if (count(WAN_FAULT_REALLOC))
		return NULL;
	void *moved = wan_sys_real.realloc(block, bytes);
	return block ? moved : count_block(moved);
}

static void fault_free(void *block)
{
	if (block)
		atomic_fetch_sub(&blocks, 1);
	wan_sys_real.free(block);
}

static int64_t whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (int64_t)((bytes + page - 1) / page * page);
}

static void *fault_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (count(WAN_FAULT_MMAP))
		return MAP_FAILED;
	void *mapped = wan_sys_real.mmap(at, bytes, protection, flags, fd, offset);
	if (mapped != MAP_FAILED && !(flags & MAP_FIXED)) /* fixed: over what is counted already */
		atomic_fetch_add(&mapped_bytes, whole_pages(bytes));
	return mapped;
}

static int fault_munmap(void *at, size_t bytes)
{
	if (count(WAN_FAULT_MUNMAP))
		return -1;
	int result = wan_sys_real.munmap(at, bytes);
	if (result == 0)
		atomic_fetch_sub(&mapped_bytes, whole_pages(bytes));
	return result;
}

static int fault_madvise(void *at, size_t bytes, int advice)
{
	return count(WAN_FAULT_MADVISE) ? -1 : wan_sys_real.madvise(at, bytes, advice);
}

static int count_descriptor(int fd)
{
	if (fd >= 0)
		atomic_fetch_add(&descriptors, 1);
	return fd;
}

static int fault_open(const char *path, int flags, mode_t mode)
{
	if (count(WAN_FAULT_OPEN))
		return -1;
	return count_descriptor(wan_sys_real.open(path, flags, mode));
}

static int fault_openat(int folder, const char *path, int flags, mode_t mode)
{
	if (count(WAN_FAULT_OPENAT))
		return -1;
	return count_descriptor(wan_sys_real.openat(folder, path, flags, mode));
}

static int fault_close(int fd)
{
	int error = count(WAN_FAULT_CLOSE);
	int result = wan_sys_real.close(fd);
	if (result == 0)
		atomic_fetch_sub(&descriptors, 1);
	if (!error)
		return result;
	errno = error;
	return -1;
}

/* The bytes a transfer may move: all, half (short), or 0 with *ret_failed. */
static size_t transfer(enum wan_fault_kind kind, size_t bytes, bool *ret_failed)
{
	int error = count(kind);
	*ret_failed = error > 0;
	return error == WAN_FAULT_SHORT && bytes > 1 ? bytes / 2 : bytes;
}

static ssize_t fault_read(int fd, void *to, size_t bytes)
{
	bool failed;
	bytes = transfer(WAN_FAULT_READ, bytes, &failed);
	return failed ? -1 : wan_sys_real.read(fd, to, bytes);
}

static ssize_t fault_pread(int fd, void *to, size_t bytes, off_t offset)
{
	bool failed;
	bytes = transfer(WAN_FAULT_PREAD, bytes, &failed);
	return failed ? -1 : wan_sys_real.pread(fd, to, bytes, offset);
}

static ssize_t fault_write(int fd, const void *from, size_t bytes)
{
	bool failed;
	bytes = transfer(WAN_FAULT_WRITE, bytes, &failed);
	return failed ? -1 : wan_sys_real.write(fd, from, bytes);
}

static ssize_t fault_pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
	bool failed;
	bytes = transfer(WAN_FAULT_PWRITE, bytes, &failed);
	return failed ? -1 : wan_sys_real.pwrite(fd, from, bytes, offset);
}

static int fault_fstat(int fd, struct stat *ret)
{
	return count(WAN_FAULT_FSTAT) ? -1 : wan_sys_real.fstat(fd, ret);
}

static int fault_stat(const char *path, struct stat *ret)
{
	return count(WAN_FAULT_STAT) ? -1 : wan_sys_real.stat(path, ret);
}

static int fault_fallocate(int fd, int mode, off_t offset, off_t bytes)
{
	return count(WAN_FAULT_FALLOCATE) ? -1 : wan_sys_real.fallocate(fd, mode, offset, bytes);
}

static int fault_ftruncate(int fd, off_t bytes)
{
	return count(WAN_FAULT_FTRUNCATE) ? -1 : wan_sys_real.ftruncate(fd, bytes);
}

static int fault_fsync(int fd)
{
	return count(WAN_FAULT_FSYNC) ? -1 : wan_sys_real.fsync(fd);
}

static int fault_rename(const char *from, const char *to)
{
	return count(WAN_FAULT_RENAME) ? -1 : wan_sys_real.rename(from, to);
}

static int fault_unlink(const char *path)
{
	return count(WAN_FAULT_UNLINK) ? -1 : wan_sys_real.unlink(path);
}

static int fault_mkdir(const char *path, mode_t mode)
{
	return count(WAN_FAULT_MKDIR) ? -1 : wan_sys_real.mkdir(path, mode);
}

static int fault_memfd_create(const char *name, unsigned flags)
{
	if (count(WAN_FAULT_MEMFD))
		return -1;
	return count_descriptor(wan_sys_real.memfd_create(name, flags));
}

static int fault_statfs(const char *path, struct statfs *ret)
{
	return count(WAN_FAULT_STATFS) ? -1 : wan_sys_real.statfs(path, ret);
}

static ssize_t fault_readlink(const char *path, char *to, size_t bytes)
{
	return count(WAN_FAULT_READLINK) ? -1 : wan_sys_real.readlink(path, to, bytes);
}

static int fault_ioctl(int fd, unsigned long request, void *argument)
{
	return count(WAN_FAULT_IOCTL) ? -1 : wan_sys_real.ioctl(fd, request, argument);
}

static int fault_inotify_init1(int flags)
{
	if (count(WAN_FAULT_INOTIFY_INIT))
		return -1;
	return count_descriptor(wan_sys_real.inotify_init1(flags));
}

static int fault_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	return count(WAN_FAULT_INOTIFY_ADD) ? -1 : wan_sys_real.inotify_add_watch(fd, path, mask);
}

static int fault_inotify_rm_watch(int fd, int watch)
{
	return count(WAN_FAULT_INOTIFY_RM) ? -1 : wan_sys_real.inotify_rm_watch(fd, watch);
}

static int fault_clock(clockid_t clock, struct timespec *ret)
{
	if (count(WAN_FAULT_CLOCK))
		return -1;
	int result = wan_sys_real.clock_gettime(clock, ret);
	int64_t step_ns = atomic_load(&clock_step_ns);
	if (result == 0 && step_ns) {
		int64_t ns = (int64_t)ret->tv_sec * 1000000000 + ret->tv_nsec + step_ns;
		if (ns < 0)
			ns = 0;
		ret->tv_sec = ns / 1000000000;
		ret->tv_nsec = ns % 1000000000;
	}
	return result;
}

static time_t fault_time(time_t *ret)
{
	time_t now = wan_sys_real.time(ret) + atomic_load(&clock_step_ns) / 1000000000;
	if (ret)
		*ret = now;
	return now;
}

static int fault_membarrier(int command, unsigned flags, int cpu)
{
	if (count(WAN_FAULT_MEMBARRIER))
		return -1;
	return wan_sys_real.membarrier(command, flags, cpu);
}

static int fault_poll(struct pollfd *fds, nfds_t number, int timeout_ms)
{
	return count(WAN_FAULT_POLL) ? -1 : wan_sys_real.poll(fds, number, timeout_ms);
}

static int fault_eventfd(unsigned start, int flags)
{
	return count(WAN_FAULT_EVENTFD) ? -1 : count_descriptor(wan_sys_real.eventfd(start, flags));
}

static ssize_t fault_getdents64(int folder, void *to, size_t bytes)
{
	return count(WAN_FAULT_GETDENTS) ? -1 : wan_sys_real.getdents64(folder, to, bytes);
}

static const struct wan_sys table = {
	.malloc = fault_malloc,
	.calloc = fault_calloc,
	.realloc = fault_realloc,
	.free = fault_free,
	.mmap = fault_mmap,
	.munmap = fault_munmap,
	.madvise = fault_madvise,
	.open = fault_open,
	.openat = fault_openat,
	.close = fault_close,
	.read = fault_read,
	.pread = fault_pread,
	.write = fault_write,
	.pwrite = fault_pwrite,
	.fstat = fault_fstat,
	.stat = fault_stat,
	.fallocate = fault_fallocate,
	.ftruncate = fault_ftruncate,
	.fsync = fault_fsync,
	.rename = fault_rename,
	.unlink = fault_unlink,
	.mkdir = fault_mkdir,
	.memfd_create = fault_memfd_create,
	.statfs = fault_statfs,
	.readlink = fault_readlink,
	.ioctl = fault_ioctl,
	.inotify_init1 = fault_inotify_init1,
	.inotify_add_watch = fault_inotify_add_watch,
	.inotify_rm_watch = fault_inotify_rm_watch,
	.clock_gettime = fault_clock,
	.time = fault_time,
	.membarrier = fault_membarrier,
	.poll = fault_poll,
	.eventfd = fault_eventfd,
	.getdents64 = fault_getdents64,
};

void wan_fault_disarm(void)
{
	plan.nth = 0;
	for (int kind = 0; kind < WAN_FAULT_KINDS; kind++)
		atomic_store(&calls[kind], 0);
	atomic_store(&injected, 0);
}

void wan_fault_arm(enum wan_fault_kind kind, uint64_t nth, int error, bool forever)
{
	wan_fault_disarm();
	plan.kind = kind;
	plan.error = error;
	plan.forever = forever;
	plan.nth = nth;
}

void wan_fault_install(void)
{
	wan_fault_disarm();
	atomic_store(&blocks, 0);
	atomic_store(&mapped_bytes, 0);
	atomic_store(&descriptors, 0);
	atomic_store(&clock_step_ns, 0);
	wan_sys = &table;
}

void wan_fault_remove(void)
{
	wan_fault_disarm();
	wan_sys = &wan_sys_real;
}

uint64_t wan_fault_calls(enum wan_fault_kind kind)
{
	return atomic_load(&calls[kind]);
}

uint64_t wan_fault_injected(void)
{
	return atomic_load(&injected);
}

struct wan_fault_balance wan_fault_balance(void)
{
	return (struct wan_fault_balance){
		.blocks = atomic_load(&blocks),
		.mapped_bytes = atomic_load(&mapped_bytes),
		.descriptors = atomic_load(&descriptors),
	};
}

void wan_fault_step_clock(int64_t ns)
{
	atomic_store(&clock_step_ns, ns);
}
