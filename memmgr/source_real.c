/* SPDX-License-Identifier: MIT */
/* The real files as one table of sources. */
#include "source.h"

#include "fork.h"

static int read_host(void *context, uint64_t *ret_total_bytes, uint64_t *ret_available_bytes)
{
	struct wan_real_sources *real = context;
	return wan_source_system_read(&real->system, ret_total_bytes, ret_available_bytes);
}

static int read_cgroups(void *context, uint64_t host_total_bytes, struct wan_level_reading *levels,
			uint32_t capacity)
{
	struct wan_real_sources *real = context;
	return wan_source_cgroup_read(&real->cgroup, host_total_bytes, levels, capacity);
}

static int read_process(void *context, uint64_t *ret_rss_bytes)
{
	struct wan_real_sources *real = context;
	return wan_source_process_read(&real->process, ret_rss_bytes);
}

static int read_gpu(void *context, uint64_t device_mask, uint64_t *ret_used_bytes,
		    uint64_t *ret_total_bytes)
{
	return wan_source_gpu_read(device_mask, ret_used_bytes, ret_total_bytes);
}

static int current_gpu(void *context)
{
	return wan_source_gpu_current();
}

/* At most once a second; at once after a fork, since self/statm still names the parent. */
static void repair(void *context, uint64_t now_ns)
{
	struct wan_real_sources *real = context;
	uint32_t generation = wan_fork_generation();
	bool forked = generation != real->fork_generation;
	if (!forked && now_ns - real->repaired_ns < 1000000000)
		return;
	real->fork_generation = generation;
	real->repaired_ns = now_ns;
	wan_kept_repair(&real->system.meminfo, false);
	wan_kept_repair(&real->process.statm, forked);
	for (uint32_t i = 0; i < real->cgroup.count; i++) {
		struct wan_cgroup_level *level = &real->cgroup.levels[i];
		wan_kept_repair(&level->usage, false);
		wan_kept_repair(&level->limit, false);
		wan_kept_repair(&level->stat, false);
		if (level->v2)
			wan_kept_repair(&level->high, false);
	}
}

int wan_real_sources_open(struct wan_real_sources *real, const struct wan_memory_paths *paths,
			  struct wan_memory_sources *ret_sources)
{
	const char *root = paths && paths->root ? paths->root : "";
	*real = (struct wan_real_sources){.fork_generation = wan_fork_generation()};
	int status = wan_source_system_open(&real->system, root);
	if (!status)
		status = wan_source_cgroup_open(&real->cgroup, root);
	if (!status)
		status = wan_source_process_open(&real->process, root);
	if (status < 0) {
		wan_real_sources_close(real);
		return status;
	}
	*ret_sources = (struct wan_memory_sources){
		.context = real,
		.host = read_host,
		.cgroups = read_cgroups,
		.process = read_process,
		.gpu = read_gpu,
		.gpu_current = current_gpu,
		.repair = repair,
	};
	return 0;
}

void wan_real_sources_close(struct wan_real_sources *real)
{
	wan_source_process_close(&real->process);
	wan_source_cgroup_close(&real->cgroup);
	wan_source_system_close(&real->system);
}
