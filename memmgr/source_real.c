/* SPDX-License-Identifier: MIT */
/* The real files as one table of sources. */
#include "source.h"

#include <errno.h>
#include <string.h>

#include "atomics.h"
#include "clock.h"
#include "dyn_cuda.h"
#include "fork.h"
#include "macros.h"
#include "str.h"

static int read_host(void *context, uint64_t *ret_total_bytes, uint64_t *ret_available_bytes)
{
	struct wan_real_sources *real = context;
	uint64_t now_ns = wan_now_ns();
	int status = wan_source_system_read(&real->system, ret_total_bytes, ret_available_bytes);
	wan_store_relaxed(&real->host_failed, status < 0);
	if (status < 0)
		return status;
	wan_store_relaxed(&real->host_total_bytes, *ret_total_bytes);
	wan_store_relaxed(&real->host_available_bytes, *ret_available_bytes);
	wan_store_relaxed(&real->host_ns, now_ns);
	return 0;
}

static int read_host_lightly(void *context, const struct wan_light *light,
			     uint64_t *ret_total_bytes, uint64_t *ret_available_bytes)
{
	struct wan_real_sources *real = context;
	struct wan_level_reading host = {.limit_bytes = wan_load_relaxed(&real->host_total_bytes)};
	uint64_t available = wan_load_relaxed(&real->host_available_bytes);
	uint64_t age_ns = light->now_ns - wan_load_relaxed(&real->host_ns);
	host.need_bytes = host.limit_bytes - WAN_MIN(available, host.limit_bytes);
	if (age_ns > wan_reading_stands_ns(&host, light->line_pct))
		return read_host(context, ret_total_bytes, ret_available_bytes);
	*ret_total_bytes = host.limit_bytes;
	*ret_available_bytes = available;
	return 0;
}

static int read_cgroups(void *context, uint64_t host_total_bytes, struct wan_level_reading *levels,
			uint32_t capacity)
{
	struct wan_real_sources *real = context;
	return wan_source_cgroup_read(&real->cgroup, NULL, host_total_bytes, levels, capacity);
}

static int read_cgroups_lightly(void *context, const struct wan_light *light,
				uint64_t host_total_bytes, struct wan_level_reading *levels,
				uint32_t capacity)
{
	struct wan_real_sources *real = context;
	return wan_source_cgroup_read(&real->cgroup, light, host_total_bytes, levels, capacity);
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

static void more_of_gpu(void *context, int device, uint64_t *ret_own_bytes,
			double *ret_utilization_percent)
{
	wan_source_gpu_more(device, ret_own_bytes, ret_utilization_percent);
}

static bool gpu_is_cached(void *context)
{
	return wan_cuda_framework_caches();
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
	wan_kept_repair(&real->pressure, false);
	wan_kept_repair(&real->process.statm, forked);
	wan_source_cgroup_repair(&real->cgroup, forked);
}

static bool trouble(void *context, char *text, size_t bytes)
{
	struct wan_real_sources *real = context;
	if (wan_load_relaxed(&real->host_failed) && !real->host_told) {
		real->host_told = true;
		return wan_str_copy(text, bytes,
				    "host: /proc/meminfo cannot be read; its last figures stand");
	}
	return wan_source_cgroup_trouble(&real->cgroup, text, bytes);
}

static uint32_t watch(void *context, const double *steps_pct, int *fds, uint32_t capacity)
{
	struct wan_real_sources *real = context;
	return wan_source_cgroup_watch(&real->cgroup, steps_pct, fds, capacity);
}

static void woken(void *context)
{
	struct wan_real_sources *real = context;
	wan_source_cgroup_woken(&real->cgroup);
}

static int holder(void *context, const char *level_name, char *to, size_t bytes)
{
	struct wan_real_sources *real = context;
	return wan_source_holder(&real->cgroup, level_name, to, bytes);
}

/* "some avg10=1.23 avg60=..." */
static int read_pressure(void *context, double *ret_some_pct)
{
	struct wan_real_sources *real = context;
	char text[256];
	int length = wan_kept_read(&real->pressure, text, sizeof(text));
	if (length < 0)
		return length;
	if (!wan_str_starts(text, "some avg10="))
		return -EBADMSG;
	const char *at = text + strlen("some avg10=");
	uint64_t whole = 0, hundredths = 0;
	for (; *at >= '0' && *at <= '9' && whole < 1000; at++)
		whole = whole * 10 + (uint64_t)(*at - '0');
	if (*at == '.' && at[1] >= '0' && at[1] <= '9' && at[2] >= '0' && at[2] <= '9')
		hundredths = (uint64_t)(at[1] - '0') * 10 + (uint64_t)(at[2] - '0');
	if (whole > 100)
		return -EBADMSG;
	*ret_some_pct = (double)whole + (double)hundredths / 100;
	return 0;
}

int wan_real_sources_open(struct wan_real_sources *real, const struct wan_memory_paths *paths,
			  struct wan_memory_sources *ret_sources)
{
	const char *root = paths && paths->root ? paths->root : "";
	*real = (struct wan_real_sources){.fork_generation = wan_fork_generation(),
					  .cgroup = {.inotify_fd = -1}};
	int status = wan_source_system_open(&real->system, root);
	if (!status)
		status = wan_source_cgroup_open(&real->cgroup, root);
	if (!status)
		status = wan_source_process_open(&real->process, root);
	if (!status)
		status = wan_kept_open(&real->pressure, root, "", "/proc/pressure/memory");
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
		.gpu_more = more_of_gpu,
		.gpu_cached = gpu_is_cached,
		.repair = repair,
		.host_lightly = read_host_lightly,
		.cgroups_lightly = read_cgroups_lightly,
		.trouble = trouble,
		.watch = watch,
		.woken = woken,
		.pressure = read_pressure,
		.holder = holder,
	};
	return 0;
}

void wan_real_sources_close(struct wan_real_sources *real)
{
	wan_kept_close(&real->pressure);
	wan_source_process_close(&real->process);
	wan_source_cgroup_close(&real->cgroup);
	wan_source_system_close(&real->system);
}
