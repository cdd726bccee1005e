/* SPDX-License-Identifier: MIT */
/* The machine as it is at export: processor, memory, every cgroup level. Unknown stays empty. */
#ifndef WAN_PROFILER_ENVIRONMENT_H
#define WAN_PROFILER_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

#define WAN_ENVIRONMENT_CGROUPS 8

struct wan_environment {
	char cpu[128];
	unsigned cpus;
	char kernel[128];
	uint64_t memory_total_bytes, memory_available_bytes;
	uint64_t boot_realtime_ns; /* recordings that are older are of another life, or machine */
	size_t cgroup_count;
	struct wan_environment_cgroup {
		char path[160];
		uint64_t limit_bytes; /* UINT64_MAX: none */
		uint64_t usage_bytes;
	} cgroups[WAN_ENVIRONMENT_CGROUPS];
};

void wan_environment_read(struct wan_environment *ret_environment);

#endif
