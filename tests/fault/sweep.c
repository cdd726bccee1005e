/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A scenario that needs more calls than this would not end in a test's time. */
#define CALLS_MAX 100000

/* The errors a kind is failed with; each once, and all but EINTR, short transfers (which a caller
 * must repeat) and clocks (which a caller waits for) for ever too. munmap fails only where the
 * caller is wrong: not swept. */
static const struct {
	const char *name;
	int errors[5]; /* ends with 0 */
} kinds[WAN_FAULT_KINDS] = {
	[WAN_FAULT_MALLOC] = {"malloc", {ENOMEM}},
	[WAN_FAULT_CALLOC] = {"calloc", {ENOMEM}},
	[WAN_FAULT_REALLOC] = {"realloc", {ENOMEM}},
	[WAN_FAULT_MMAP] = {"mmap", {ENOMEM}},
	[WAN_FAULT_MUNMAP] = {"munmap", {0}},
	[WAN_FAULT_MADVISE] = {"madvise", {EINVAL}},
	[WAN_FAULT_OPEN] = {"open", {EMFILE, EACCES, ENOENT}},
	[WAN_FAULT_OPENAT] = {"openat", {EMFILE, EACCES, ENOENT}},
	[WAN_FAULT_CLOSE] = {"close", {EIO}},
	[WAN_FAULT_READ] = {"read", {EINTR, WAN_FAULT_SHORT, EIO}},
	[WAN_FAULT_PREAD] = {"pread", {EINTR, WAN_FAULT_SHORT, EIO}},
	[WAN_FAULT_WRITE] = {"write", {EINTR, WAN_FAULT_SHORT, ENOSPC, EIO}},
	[WAN_FAULT_PWRITE] = {"pwrite", {EINTR, WAN_FAULT_SHORT, ENOSPC, EIO}},
	[WAN_FAULT_FSTAT] = {"fstat", {EIO}},
	[WAN_FAULT_STAT] = {"stat", {EACCES}},
	[WAN_FAULT_FALLOCATE] = {"fallocate", {ENOSPC, EOPNOTSUPP}},
	[WAN_FAULT_FTRUNCATE] = {"ftruncate", {EFBIG}},
	[WAN_FAULT_FSYNC] = {"fsync", {EIO}},
	[WAN_FAULT_RENAME] = {"rename", {EACCES}},
	[WAN_FAULT_UNLINK] = {"unlink", {EACCES}},
	[WAN_FAULT_MKDIR] = {"mkdir", {EROFS}},
	[WAN_FAULT_MEMFD] = {"memfd_create", {ENOSYS, EMFILE}},
	[WAN_FAULT_STATFS] = {"statfs", {EIO}},
	[WAN_FAULT_READLINK] = {"readlink", {EACCES, ENOENT}},
	[WAN_FAULT_IOCTL] = {"ioctl", {EINVAL}},
	[WAN_FAULT_INOTIFY_INIT] = {"inotify_init1", {EMFILE, ENOSYS}},
	[WAN_FAULT_INOTIFY_ADD] = {"inotify_add_watch", {ENOSPC, EACCES, ENOENT}},
	[WAN_FAULT_INOTIFY_RM] = {"inotify_rm_watch", {EINVAL}},
	[WAN_FAULT_CLOCK] = {"clock_gettime", {EINVAL}},
	[WAN_FAULT_MEMBARRIER] = {"membarrier", {ENOSYS, EPERM}},
	[WAN_FAULT_POLL] = {"poll", {EINTR, ENOMEM}},
	[WAN_FAULT_EVENTFD] = {"eventfd", {EMFILE}},
	[WAN_FAULT_GETDENTS] = {"getdents64", {EIO}},
};

const char *wan_fault_name(enum wan_fault_kind kind)
{
	return kind < WAN_FAULT_KINDS ? kinds[kind].name : "unknown";
}

static bool balanced(const struct wan_fault_balance *before, const char *what, uint64_t nth,
		     int error, bool forever)
{
	struct wan_fault_balance now = wan_fault_balance();
	if (memcmp(before, &now, sizeof(now)) == 0)
		return true;
	printf("# leak: %s number %llu failed (%s%s): %lld blocks, %lld mapped bytes, "
	       "%lld descriptors more than before\n",
	       what, (unsigned long long)nth,
	       error == WAN_FAULT_SHORT ? "short transfer" : strerrorname_np(error),
	       forever ? ", for ever" : "", (long long)(now.blocks - before->blocks),
	       (long long)(now.mapped_bytes - before->mapped_bytes),
	       (long long)(now.descriptors - before->descriptors));
	return false;
}

/* One kind and error: call 1, 2, 3 ... until the scenario makes no such call any more. */
static int sweep_one(enum wan_fault_kind kind, int error, bool forever,
		     void (*scenario)(void *context), void *context)
{
	struct wan_fault_balance before = wan_fault_balance();
	for (uint64_t nth = 1; nth <= CALLS_MAX; nth++) {
		wan_fault_arm(kind, nth, error, forever);
		scenario(context);
		bool hit = wan_fault_injected() > 0;
		wan_fault_disarm();
		if (!balanced(&before, kinds[kind].name, nth, error, forever))
			return -1;
		if (!hit)
			return (int)nth - 1;
	}
	printf("# %s: still called after %d faults\n", kinds[kind].name, CALLS_MAX);
	return -1;
}

static int sweep_kind(enum wan_fault_kind kind, void (*scenario)(void *context), void *context)
{
	int total = 0;
	for (const int *error = kinds[kind].errors; *error; error++) {
		bool repeat =
			*error == EINTR || *error == WAN_FAULT_SHORT || kind == WAN_FAULT_CLOCK;
		for (int forever = 0; forever <= !repeat; forever++) {
			int faults = sweep_one(kind, *error, forever, scenario, context);
			if (faults < 0)
				return -1;
			total += faults;
		}
	}
	return total;
}

int wan_fault_sweep(void (*scenario)(void *context), void *context)
{
	int total = 0;
	wan_fault_install();
	scenario(context);
	struct wan_fault_balance before = wan_fault_balance();
	scenario(context);
	if (!balanced(&before, "nothing", 0, 0, false))
		total = -1;
	for (int kind = 0; kind < WAN_FAULT_KINDS && total >= 0; kind++) {
		int faults = sweep_kind(kind, scenario, context);
		total = faults < 0 ? -1 : total + faults;
	}
	wan_fault_remove();
	return total;
}
