/* SPDX-License-Identifier: MIT */
/*
 * Units of the file. The whole range is mapped from the start; what is touched has been allocated
 * on the disk first, because a store into a hole of a full disk is a SIGBUS.
 */
#include "recorder.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <time.h>
#include <linux/magic.h>

#include "sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* The descriptor may have been closed by the guest and its number used for another file. */
static bool still_ours(const struct wan_recorder *recorder)
{
	struct stat now;
	return wan_sys->fstat(recorder->fd, &now) == 0 && now.st_dev == recorder->device &&
	       now.st_ino == recorder->inode;
}

/* A file beyond RLIMIT_FSIZE would cost the guest a SIGXFSZ. */
static bool within_limit(uint64_t bytes)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	       bytes <= limit.rlim_cur;
}

static const char zeros[WAN_RECORD_UNIT];

static int write_zeros(int fd, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t bytes = WAN_MIN(to - from, sizeof(zeros));
		int error = wan_pwrite_full(fd, zeros, bytes, (off_t)from);
		if (error)
			return error;
		from += bytes;
	}
	return 0;
}

/* 0, -EOPNOTSUPP (this file system cannot: zeros must be written), -errno. */
static int allocate(struct wan_recorder *recorder, uint64_t bytes)
{
	for (int attempt = 0; attempt < 8; attempt++) {
		if (wan_load_relaxed(&recorder->no_fallocate))
			return -EOPNOTSUPP;
		if (wan_sys->fallocate(recorder->fd, 0, 0, (off_t)bytes) == 0)
			return 0;
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			wan_store_relaxed(&recorder->no_fallocate, true);
		else if (errno != EINTR)
			return -errno;
	}
	return -EINTR;
}

int wan_space_reserve(struct wan_recorder *recorder, uint64_t from, uint64_t bytes)
{
	if (!within_limit(bytes))
		return -EFBIG;
	int error = allocate(recorder, bytes);
	return error == -EOPNOTSUPP ? write_zeros(recorder->fd, from, bytes) : error;
}

/* Writing zeros may not run in two threads at once, so one does it and the others look again.
 * Bounded: the one may be this very thread, interrupted by a signal. */
static int write_exclusive(struct wan_recorder *recorder, uint64_t bytes)
{
	static const struct timespec pause = {.tv_nsec = 100000};
	uint32_t idle = 0;
	for (int attempt = 0; !wan_cas_acq_rel(&recorder->growing, &idle, 1); attempt++, idle = 0) {
		if (attempt == 2000)
			return -EAGAIN;
		nanosleep(&pause, NULL);
	}
	uint64_t from = wan_load_relaxed(&recorder->file_bytes);
	int error = from >= bytes ? 0 : write_zeros(recorder->fd, from, bytes);
	if (!error)
		wan_max_relaxed(&recorder->file_bytes, bytes);
	wan_store_release(&recorder->growing, 0);
	return error;
}

/* Allocating from 0 may run in several threads at once: it changes nothing that is there. */
static int reserve_more(struct wan_recorder *recorder, uint64_t bytes)
{
	if (!within_limit(bytes))
		return -EFBIG;
	int error = allocate(recorder, bytes);
	return error == -EOPNOTSUPP ? write_exclusive(recorder, bytes) : error;
}

static bool grow(struct wan_recorder *recorder, uint64_t want)
{
	if (wan_load_relaxed(&recorder->no_growth))
		return false;
	uint64_t bytes = (want + WAN_RECORD_STEP - 1) / WAN_RECORD_STEP * WAN_RECORD_STEP;
	bytes = WAN_MIN(bytes, recorder->map_bytes);
	int error = recorder->fd < 0 ? 0 : -EBADF;
	if (recorder->fd >= 0 && still_ours(recorder))
		error = reserve_more(recorder, bytes);
	if (error) {
		if (error != -EAGAIN && error != -EINTR)
			wan_store_relaxed(&recorder->no_growth, 1);
		return false;
	}
	wan_max_relaxed(&recorder->file_bytes, bytes);
	return true;
}

uint32_t wan_space_claim(struct wan_recorder *recorder, uint32_t count)
{
	uint64_t max_units = (recorder->map_bytes - WAN_RECORD_UNITS_AT) / WAN_RECORD_UNIT;
	uint64_t first = wan_load_relaxed(&recorder->header->units);
	uint64_t end;
	int saved = errno;
	do {
		if (first > max_units || count > max_units - first)
			return UINT32_MAX;
		end = WAN_RECORD_UNITS_AT + (first + count) * WAN_RECORD_UNIT;
		if (end > wan_load_relaxed(&recorder->file_bytes) && !grow(recorder, end)) {
			errno = saved;
			return UINT32_MAX;
		}
	} while (!wan_cas_acq_rel(&recorder->header->units, &first, first + count));
	wan_max_relaxed(&recorder->header->used_bytes, end);
	errno = saved;
	return (uint32_t)first;
}

void wan_space_write_first(struct wan_recorder *recorder, uint64_t offset, uint64_t bytes)
{
	if (recorder->fd >= 0 && recorder->write_first)
		(void)write_zeros(recorder->fd, offset, offset + bytes);
}

void wan_space_prepare_unit(struct wan_recorder *recorder, uint32_t unit)
{
	int saved = errno;
	uint64_t offset = WAN_RECORD_UNITS_AT + (uint64_t)unit * WAN_RECORD_UNIT;
	if (recorder->fd >= 0 && recorder->write_first && still_ours(recorder))
		wan_space_write_first(recorder, offset, WAN_RECORD_UNIT);
	wan_space_prefault(recorder, offset, WAN_RECORD_UNIT);
	errno = saved;
}

bool wan_space_is_disk(int fd)
{
	struct statfs system;
	return fstatfs(fd, &system) == 0 && system.f_type != TMPFS_MAGIC;
}

void wan_space_prefault(struct wan_recorder *recorder, uint64_t offset, uint64_t bytes)
{
	int saved = errno;
	char *at = recorder->map + offset;
	if (recorder->fd >= 0 && wan_sys->madvise(at, bytes, MADV_POPULATE_WRITE) != 0)
		for (uint64_t page = 0; page < bytes; page += WAN_RECORD_PAGE)
			(void)wan_add_relaxed((uint64_t *)(at + page), 0);
	errno = saved;
}
