/* SPDX-License-Identifier: MIT */
/*
 * The child of a fork shares the parent's file through its mapping. It must not write there, and
 * the pointers it inherited must not lead there either: the range is covered by private pages at
 * the same addresses, with the strings and the names of the counter blocks copied over.
 */
#include "recorder.h"

#include <errno.h>
#include <sys/mman.h>

#include "fork.h"
#include "sys.h"

static struct wan_recorder *registered[32];

void wan_recorder_register(struct wan_recorder *recorder)
{
	for (size_t i = 0; i < WAN_COUNT_OF(registered); i++)
		if (wan_load_relaxed(&registered[i]) == recorder)
			return;
	for (size_t i = 0; i < WAN_COUNT_OF(registered); i++) {
		struct wan_recorder *none = NULL;
		if (wan_cas_acq_rel(&registered[i], &none, recorder))
			return;
	}
}

void wan_recorder_unregister(struct wan_recorder *recorder)
{
	for (size_t i = 0; i < WAN_COUNT_OF(registered); i++) {
		struct wan_recorder *seen = recorder;
		if (wan_cas_acq_rel(&registered[i], &seen, NULL))
			return;
	}
}

static void copy_names(const struct wan_recorder *recorder, char *to)
{
	const struct wan_record_header *header = recorder->header;
	uint64_t used = WAN_MIN(header->strings_used, WAN_RECORD_STRINGS_BYTES);
	((struct wan_record_header *)to)->strings_used = used;
	memcpy(to + WAN_RECORD_STRINGS_AT, recorder->map + WAN_RECORD_STRINGS_AT, used);
	for (unsigned i = 0; i < WAN_RECORD_COUNTERS; i++) {
		size_t at = WAN_RECORD_COUNTERS_AT + i * sizeof(struct wan_record_counters);
		if (recorder->counters_used >> i & 1)
			memcpy(to + at, recorder->map + at,
			       offsetof(struct wan_record_counters, words));
	}
}

static bool cover(struct wan_recorder *recorder)
{
	char *fresh = wan_sys->mmap(NULL, recorder->map_bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (fresh != MAP_FAILED) {
		copy_names(recorder, fresh);
		if (mremap(fresh, recorder->map_bytes, recorder->map_bytes,
			   MREMAP_MAYMOVE | MREMAP_FIXED, recorder->map) != MAP_FAILED)
			return true;
		wan_sys->munmap(fresh, recorder->map_bytes);
	}
	/* Without names nothing sensible can be recorded, but the parent's file must be safe. */
	wan_sys->mmap(recorder->map, recorder->map_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	return false;
}

static void close_held(struct wan_recorder *recorder)
{
	struct stat now;
	if (recorder->fd < 0)
		return;
	if (wan_sys->fstat(recorder->fd, &now) == 0 && now.st_dev == recorder->device &&
	    now.st_ino == recorder->inode)
		wan_sys->close(recorder->fd);
	recorder->fd = -1;
}

static void detach(struct wan_recorder *recorder)
{
	bool covered = cover(recorder);
	close_held(recorder);
	wan_lanes_reset(recorder);
	recorder->growing = 0;
	recorder->anchor_busy = 0;
	recorder->no_growth = 0;
	memset(recorder->latency_units, 0, sizeof(recorder->latency_units));
	recorder->path[0] = '\0';
	wan_store_release(&recorder->state, covered && recorder->is_process ? WAN_RECORDER_FORKED
									    : WAN_RECORDER_DEAD);
}

void wan_recorder_after_fork(void)
{
	int saved = errno;
	wan_lane_current = NULL;
	wan_recorder_forget_busy();
	for (size_t i = 0; i < WAN_COUNT_OF(registered); i++)
		if (registered[i])
			detach(registered[i]);
	errno = saved;
}
