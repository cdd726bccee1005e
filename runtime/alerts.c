/* SPDX-License-Identifier: MIT */
#include "alerts.h"

#include <inttypes.h>
#include <string.h>

#include "alert_table.h"
#include "clock.h"
#include "device.h"
#include "evidence.h"
#include "instance.h"
#include "macros.h"
#include "memory.h"
#include "str.h"
#include "sys.h"

#define CACHE_FLOOR_BYTES (64 * WAN_MIB) /* requirements: high memory, cache limit x0.8 */
#define ENTRIES_FLOOR     ((uint64_t)10) /* requirements: high latency, entry limit x0.8 */

static uint64_t thousandths(double value)
{
	double scaled = value * 1000;
	return scaled >= 0 && scaled < 0x1p63 ? (uint64_t)scaled : scaled < 0 ? 0 : UINT64_MAX;
}

/* Sentences with numbers would fill the recording's table of texts: the reader makes them. */
void wan_alerts_record(void *context, const struct wan_alert *alert)
{
	struct wan_runtime *runtime = context;
	const struct wan_alert_kind *kind = wan_alert_kind(alert->type);
	bool own_words = alert->type == WAN_ALERT_STALL || alert->type == WAN_ALERT_LONG_STEP;
	const char *subject = strcmp(alert->subject, kind->subject) == 0 ? NULL : alert->subject;
	const uint64_t values[4] = {thousandths(alert->value), thousandths(alert->limit),
				    alert->count, alert->id};
	wan_runtime_record_event(
		runtime, WAN_RECORD_ALERT, alert->type_name, own_words ? alert->message : subject,
		alert->severity | (own_words ? 0 : WAN_ALERT_CODE_SUBJECT), values);
	const uint64_t more[4] = {alert->id,
				  alert->baseline < 0 ? UINT64_MAX : thousandths(alert->baseline),
				  alert->window_ns, wan_elapsed(alert->since_ns, alert->last_ns)};
	const char *action = alert->action.applied ? alert->action.code : NULL;
	wan_runtime_record_event(runtime, WAN_RECORD_ALERT_DETAIL, action,
				 alert->tracker[0] ? alert->tracker : NULL,
				 (uint32_t)WAN_MIN(alert->suppressed, (uint64_t)UINT32_MAX), more);
}

static void tell(struct wan_alert *alert, const char *code, const char *of, uint64_t before,
		 uint64_t after)
{
	alert->action.applied = true;
	wan_str_copy(alert->action.code, sizeof(alert->action.code), code);
	wan_str_format(alert->action.text, sizeof(alert->action.text),
		       "%s from %" PRIu64 " to %" PRIu64, of, before, after);
}

/* What the memory manager did lately, where nothing is left to do here. */
static void carry(struct wan_runtime *runtime, struct wan_alert *alert)
{
	enum { LATELY_NS = 2000000000 };
	const char *what = wan_load_relaxed(&runtime->last_action.what);
	uint64_t time_ns = wan_load_relaxed(&runtime->last_action.time_ns);
	if (what && wan_elapsed(time_ns, wan_now_ns()) < LATELY_NS)
		tell(alert, what,
		     "by the memory manager:", wan_load_relaxed(&runtime->last_action.before),
		     wan_load_relaxed(&runtime->last_action.after));
}

static void lower_cache_limit(struct wan_runtime *runtime, struct wan_alert *alert, uint64_t before)
{
	uint64_t limit = WAN_MAX(CACHE_FLOOR_BYTES, before * 4 / 5);
	uint64_t freed = wan_wire_set_cache_limit(runtime, limit);
	wan_memory_note_lowering(runtime->memory, before, limit); /* which grows it back */
	wan_mutex_lock(&runtime->lock);
	wan_restore_lowered(&runtime->memory_alert, before, limit, wan_now_ns());
	wan_mutex_unlock(&runtime->lock);
	uint64_t values[4] = {before - limit, freed, before, limit};
	wan_runtime_record_action(runtime, "cache_limit", alert->subject, 0, values);
	tell(alert, "cache_limit", "cache limit in bytes", before, limit);
}

static void lower_entry_limit(struct wan_runtime *runtime, struct wan_alert *alert, uint64_t before)
{
	uint64_t entries = WAN_MAX(ENTRIES_FLOOR, before * 4 / 5);
	wan_cache_set_limits(runtime->cache, 0, entries);
	wan_mutex_lock(&runtime->lock);
	wan_restore_lowered(&runtime->latency_alert, before, entries, wan_now_ns());
	wan_mutex_unlock(&runtime->lock);
	uint64_t values[4] = {0, 0, before, entries};
	wan_runtime_record_action(runtime, "entry_limit", alert->subject, 0, values);
	tell(alert, "entry_limit", "entries of the cache", before, entries);
}

void wan_alerts_act(void *context, struct wan_alert *alert)
{
	struct wan_runtime *runtime = context;
	bool acts = runtime->config.runtime_auto_optimize;
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(runtime->cache, &stats);
	if (acts && alert->type == WAN_ALERT_HIGH_MEMORY && stats.limit_bytes > CACHE_FLOOR_BYTES)
		lower_cache_limit(runtime, alert, stats.limit_bytes);
	else if (acts && alert->type == WAN_ALERT_HIGH_LATENCY && stats.entry_limit > ENTRIES_FLOOR)
		lower_entry_limit(runtime, alert, stats.entry_limit);
	else if (!alert->action.applied)
		carry(runtime, alert);
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

void wan_alerts_look_at_device(void *context, uint32_t thread, struct wan_evidence *evidence)
{
	struct wan_runtime *runtime = context;
	struct wan_device_look look;
	wan_recorder_look_at_device(runtime->recorder, thread, &look);
	if (look.known)
		evidence->device_done = look.known_done;
	evidence->gpu_wait_ns = WAN_MAX(evidence->gpu_wait_ns, look.wait_ns);
	double busiest = gpu_utilization(runtime);
	if (busiest >= 0)
		evidence->gpu_percent = (int)busiest;
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
