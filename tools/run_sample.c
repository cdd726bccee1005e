/* SPDX-License-Identifier: MIT */
/* Memory and CPU of the command, seen from outside once a second, into our own recording. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "macros.h"
#include "procfs.h"
#include "machine_sensors.h"
#include "writer.h"

/* Short programs get samples too: 0.1, 0.2, 0.4, 0.8 s after the start, then every second; over
 * hours one in 20 000 of the time so far, which bounds the recording. */
#define FIRST_NS   100000000ull
#define STEADY_NS  1000000000ull
#define LONG_SHARE 20000

enum { PERCENT_UNKNOWN = 65535, KELVIN = 2731 /* tenths */ };

void run_sampler_start(struct run_sampler *sampler, struct wan_recorder *recorder, pid_t pid)
{
	*sampler = (struct run_sampler){.recorder = recorder, .pid = pid};
	sampler->start_ns = sampler->at_ns = wan_now_ns();
	sampler->next_ns = sampler->start_ns + FIRST_NS;
	if (run_cgroup_oom_kills(&sampler->oom_kills) < 0)
		sampler->oom_kills = UINT64_MAX;
	if (recorder)
		run_gpu_start();
}

bool run_sampler_saw_oom_kill(const struct run_sampler *sampler)
{
	uint64_t now;
	return sampler->oom_kills != UINT64_MAX && run_cgroup_oom_kills(&now) == 0 &&
	       now > sampler->oom_kills;
}

/* Used share of the host's memory in hundredths of a percent. */
static uint64_t host_used(void)
{
	char text[4096];
	uint64_t total, available;
	if (wan_procfs_read("/proc/meminfo", text, sizeof(text)) < 0 ||
	    wan_procfs_field(text, "MemTotal:", &total) < 0 ||
	    wan_procfs_field(text, "MemAvailable:", &available) < 0 || !total)
		return PERCENT_UNKNOWN;
	return (total - WAN_MIN(available, total)) * 10000 / total;
}

/* CPU of the command since the sample before, in hundredths of a percent of one core. */
static uint64_t cpu_used(struct run_sampler *sampler, uint64_t now_ns)
{
	uint64_t cpu_ns, used = 0;
	if (wan_procfs_cpu_ns((int)sampler->pid, &cpu_ns) < 0)
		return UINT32_MAX;
	if (now_ns > sampler->at_ns && cpu_ns > sampler->cpu_ns)
		used = (cpu_ns - sampler->cpu_ns) * 10000 / (now_ns - sampler->at_ns);
	sampler->cpu_ns = cpu_ns;
	sampler->at_ns = now_ns;
	return WAN_MIN(used, UINT32_MAX - 1);
}

static uint64_t packed(double value, double scale, double more, uint64_t unknown)
{
	double number = value * scale + more + 0.5;
	return isnan(value) || number < 0 || number >= (double)unknown ? unknown : (uint64_t)number;
}

/* Heat, power, throttling and use of the machine: looked for at the first sample, when the command
 * runs already. Nothing is recorded where nothing is shown. */
static void record_sensors(struct wan_lane *lane, uint64_t ticks, uint64_t now_ns)
{
	static struct sensors sensors;
	static bool opened;
	struct sensors_reading now;
	uint64_t gpu_celsius, gpu_mw, gpu_slowed;
	const char *root = getenv("WANPROF_SENSORS_ROOT"); /* for tests */
	if (!opened)
		sensors_open(&sensors, root ? root : "");
	opened = true;
	sensors_read(&sensors, now_ns, &now);
	run_gpu_sensors(&gpu_celsius, &gpu_mw, &gpu_slowed);
	uint64_t gpu_heat = gpu_celsius >= 1000 ? PERCENT_UNKNOWN : gpu_celsius * 10 + KELVIN;
	const struct wan_record_event event = {
		.ticks = ticks,
		.kind_status = WAN_RECORD_SENSORS << 4,
		.values = {packed(now.cpu_celsius, 10, KELVIN, PERCENT_UNKNOWN) | gpu_heat << 16,
			   packed(now.cpu_watts, 1000, 0, UINT32_MAX) | gpu_mw << 32,
			   packed(now.throttled, 1, 0, UINT32_MAX) | gpu_slowed << 32,
			   packed(now.mhz, 1, 0, PERCENT_UNKNOWN) |
				   packed(now.most_mhz, 1, 0, PERCENT_UNKNOWN) << 16 |
				   packed(now.disk_percent, 100, 0, PERCENT_UNKNOWN) << 32 |
				   packed(now.cpus_percent, 100, 0, PERCENT_UNKNOWN) << 48},
	};
	static const uint64_t nothing[4] = {UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	if (memcmp(event.values, nothing, sizeof(nothing)) != 0)
		wan_lane_append(lane, &event);
}

static void take(struct run_sampler *sampler, uint64_t now_ns)
{
	struct wan_record_event event = {.ticks = wan_ticks(),
					 .kind_status = WAN_RECORD_SAMPLE << 4};
	if (wan_procfs_rss_bytes((int)sampler->pid, &event.values[0]) < 0 || !event.values[0])
		return; /* a process that has ended has no memory */
	if (run_cgroup_need_bytes(&event.values[1]) < 0)
		event.values[1] = UINT64_MAX;
	uint64_t gpu_percent;
	run_gpu_read(&event.values[2], &gpu_percent);
	event.values[3] = host_used() | cpu_used(sampler, now_ns) << 16 | gpu_percent << 48;
	struct wan_lane *lane = wan_lane_get(sampler->recorder);
	if (!lane)
		return;
	struct wan_record_operation record;
	memcpy(&record, &event, sizeof(record));
	wan_lane_append(lane, &record);
	record_sensors(lane, event.ticks + 1, now_ns);
	wan_recorder_anchor(sampler->recorder);
	sampler->count++;
}

uint64_t run_sampler_step(struct run_sampler *sampler)
{
	uint64_t now_ns = wan_now_ns();
	if (now_ns < sampler->next_ns)
		return sampler->next_ns - now_ns;
	if (sampler->recorder)
		take(sampler, now_ns);
	uint64_t elapsed_ns = now_ns - sampler->start_ns;
	uint64_t step_ns = WAN_MIN(elapsed_ns, STEADY_NS);
	step_ns = WAN_MAX(step_ns, elapsed_ns / LONG_SHARE);
	sampler->next_ns = now_ns + step_ns;
	return step_ns;
}
