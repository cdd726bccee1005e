/* SPDX-License-Identifier: MIT */
/*
 * The machine as the command began, and what it had to read: the HOST block of `wanprof run`
 * (schema.def). Pure.
 */
#ifndef WAN_PROFILER_HOST_H
#define WAN_PROFILER_HOST_H

#include "view.h"

/* Not known: UINT64_MAX in numbers, "" in texts, negative in load_per_cpu. */
struct wan_host {
	bool known; /* what was noted at the start */
	double load_per_cpu;
	uint64_t cpus, physical_cores;
	uint64_t total_bytes, available_bytes, limit_bytes;
	uint64_t record_free_bytes, work_free_bytes;
	uint64_t gpu_used_bytes, gpu_largest_bytes; /* largest 0: there is no GPU */
	uint64_t gpu_read_after_ns;
	const char *gpu_model; /* borrowed from the recording */
	const char *tier;      /* "high-end" ...; static; NULL: not known */
	bool ended;            /* what was noted at the end */
	uint64_t major_faults, read_bytes;
};

/* Of the parent's block, when there is one and the view is of one run; else nothing is known. */
void wan_host_of(const struct wan_view *view, struct wan_host *ret_host);

/*
 * What was not as a measurement should find it, in words: "GPU memory held by others: 3.1 GB".
 * The limits: more than 256 MB of GPU memory in use (later than two seconds after the start it may
 * be the command's own, and is not judged), more than 0.5 processes waiting or running for each
 * processor, less than 1 GB free where the recording or the output goes, less than a tenth of the
 * memory available. False: nothing was, or nothing is known.
 */
#define WAN_HOST_GPU_CLEAN_BYTES  (256ull << 20)
#define WAN_HOST_GPU_SOON_NS      2000000000ull
#define WAN_HOST_LOAD_CLEAN       0.5
#define WAN_HOST_DISK_CLEAN_BYTES (1ull << 30)
#define WAN_HOST_MEMORY_SHARE     10
bool wan_host_unclean(const struct wan_host *host, char *to, size_t bytes);

#endif
