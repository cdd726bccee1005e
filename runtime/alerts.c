/* SPDX-License-Identifier: MIT */
#include "alerts.h"

#include "clock.h"
#include "instance.h"
#include "macros.h"
#include "memory.h"
#include "sys.h"

#define CACHE_FLOOR_BYTES (64 * WAN_MIB) /* requirements: high memory, cache limit x0.8 */
#define ENTRIES_FLOOR     ((uint64_t)10) /* requirements: high latency, entry limit x0.8 */

void wan_alerts_record(void *context, const struct wan_alert *alert)
{
	struct wan_runtime *runtime = context;
	uint64_t values[4] = {(uint64_t)(alert->value * 1000), (uint64_t)(alert->limit * 1000),
			      alert->count, 0};
	wan_runtime_record_event(runtime, WAN_RECORD_ALERT, alert->type_name, alert->message,
				 alert->severity, values);
}

static void lower_cache_limit(struct wan_runtime *runtime, const struct wan_alert *alert,
			      uint64_t before)
{
	uint64_t limit = WAN_MAX(CACHE_FLOOR_BYTES, before * 4 / 5);
	uint64_t freed = wan_wire_set_cache_limit(runtime, limit);
	wan_memory_note_lowering(runtime->memory, before, limit); /* which grows it back */
	wan_mutex_lock(&runtime->lock);
	wan_restore_lowered(&runtime->memory_alert, before, limit, wan_now_ns());
	wan_mutex_unlock(&runtime->lock);
	uint64_t values[4] = {before - limit, freed, before, limit};
	wan_runtime_record_action(runtime, "cache_limit", alert->message, 0, values);
}

static void lower_entry_limit(struct wan_runtime *runtime, const struct wan_alert *alert,
			      uint64_t before)
{
	uint64_t entries = WAN_MAX(ENTRIES_FLOOR, before * 4 / 5);
	wan_cache_set_limits(runtime->cache, 0, entries);
	wan_mutex_lock(&runtime->lock);
	wan_restore_lowered(&runtime->latency_alert, before, entries, wan_now_ns());
	wan_mutex_unlock(&runtime->lock);
	uint64_t values[4] = {0, 0, before, entries};
	wan_runtime_record_action(runtime, "entry_limit", alert->message, 0, values);
}

void wan_alerts_act(void *context, const struct wan_alert *alert)
{
	struct wan_runtime *runtime = context;
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(runtime->cache, &stats);
	if (alert->type == WAN_ALERT_HIGH_MEMORY && stats.limit_bytes > CACHE_FLOOR_BYTES)
		lower_cache_limit(runtime, alert, stats.limit_bytes);
	else if (alert->type == WAN_ALERT_HIGH_LATENCY && stats.entry_limit > ENTRIES_FLOOR)
		lower_entry_limit(runtime, alert, stats.entry_limit);
}

bool wan_alerts_let_grow(void *context)
{
	struct wan_runtime *runtime = context;
	struct wan_memory_state memory = {.struct_size = sizeof(memory)};
	wan_memory_state(runtime->memory, &memory);
	bool measured = wan_progress_running(runtime->progress);
	wan_mutex_lock(&runtime->lock);
	const struct wan_restore alert = runtime->memory_alert;
	wan_mutex_unlock(&runtime->lock);
	if (!alert.full) /* no alert: a step lowered it */
		return true;
	return wan_restore_over(&alert, measured ? (double)memory.process_rss_bytes : -1,
				(double)runtime->config.progress_memory_bytes, wan_now_ns());
}

void wan_alerts_recover(struct wan_runtime *runtime)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	bool measured = wan_progress_running(runtime->progress);
	double limit_ms = (double)runtime->config.progress_latency_ns / 1e6;
	uint64_t now_ns = wan_now_ns(), after;
	wan_mutex_lock(&runtime->lock);
	bool lowered = runtime->latency_alert.full &&
		       wan_restore_over(&runtime->latency_alert,
					measured ? runtime->latency_ms : -1, limit_ms, now_ns);
	wan_mutex_unlock(&runtime->lock);
	if (!lowered)
		return;
	wan_cache_stats(runtime->cache, &stats);
	wan_mutex_lock(&runtime->lock);
	after = wan_restore_step(&runtime->latency_alert, stats.entry_limit, now_ns);
	wan_mutex_unlock(&runtime->lock);
	if (after == stats.entry_limit)
		return;
	wan_cache_set_limits(runtime->cache, 0, after);
	uint64_t values[4] = {0, 0, stats.entry_limit, after};
	wan_runtime_record_action(runtime, "entry_limit",
				  "latency is normal again: the entry limit grows back", 0, values);
}

/* Of the busiest device that this program has named; below 0: unknown. */
static double gpu_utilization(struct wan_runtime *runtime)
{
	enum { DEVICES = 16 };
	double busiest = -1;
	for (int device = 0; device < DEVICES; device++) {
		struct wan_gpu_state state = {.struct_size = sizeof(state)};
		if (wan_memory_gpu_state(runtime->memory, device, &state) == 0)
			busiest = WAN_MAX(busiest, WAN_MIN(state.utilization_percent, 100.0));
	}
	return busiest;
}

/* cpu_percent below 0: unknown. */
static void append_sample(struct wan_runtime *runtime, const struct wan_memory_state *memory,
			  uint64_t rss_bytes, double cpu_percent)
{
	/* hundredths of a percent: host | cpu << 16 | gpu utilisation << 48; all ones: unknown */
	uint64_t host = memory->total_bytes ? (uint64_t)(memory->host_percent * 100) : UINT16_MAX;
	uint64_t cpu = cpu_percent < 0 ? UINT32_MAX : (uint64_t)(uint32_t)(cpu_percent * 100);
	double busiest = gpu_utilization(runtime);
	uint64_t gpu = busiest < 0 ? UINT16_MAX : (uint64_t)(busiest * 100);
	uint64_t values[4] = {rss_bytes, memory->cgroup_need_bytes,
			      memory->gpu_known ? memory->gpu_used_bytes : UINT64_MAX,
			      host | cpu << 16 | gpu << 48};
	wan_runtime_record_event(runtime, WAN_RECORD_SAMPLE, NULL, NULL, 0, values);
}

void wan_alerts_sampled(void *context, const struct wan_progress_sample *sample)
{
	struct wan_runtime *runtime = context;
	struct wan_memory_state memory = {.struct_size = sizeof(memory)};
	wan_memory_state(runtime->memory, &memory);
	wan_mutex_lock(&runtime->lock);
	runtime->latency_ms = sample->latency_ms;
	wan_mutex_unlock(&runtime->lock);
	append_sample(runtime, &memory, (uint64_t)(sample->memory_mb * (double)WAN_MIB),
		      sample->cpu_percent);
}

void wan_wire_sample(struct wan_runtime *runtime)
{
	enum { EVERY_NS = 1000000000 };
	uint64_t now_ns = wan_now_ns(), since_ns = now_ns - runtime->sampled_ns;
	struct timespec cpu;
	if (runtime->sampled_ns && since_ns < EVERY_NS)
		return;
	bool known = wan_sys->clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0;
	uint64_t cpu_ns = known ? (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec : 0;
	bool first = !runtime->sampled_ns;
	double percent =
		known && !first && cpu_ns >= runtime->sampled_cpu_ns
			? 100.0 * (double)(cpu_ns - runtime->sampled_cpu_ns) / (double)since_ns
			: -1;
	runtime->sampled_ns = now_ns;
	runtime->sampled_cpu_ns = cpu_ns;
	if (wan_progress_running(runtime->progress)) /* which samples by its own interval */
		return;
	struct wan_memory_state memory = {.struct_size = sizeof(memory)};
	wan_memory_state(runtime->memory, &memory);
	append_sample(runtime, &memory, memory.process_rss_bytes, percent);
}
