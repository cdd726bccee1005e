/* SPDX-License-Identifier: MIT */
/*
 * Everything an output needs, worked out once: the view, its rows, what they mean. The JSON, the
 * report, the summary of `wanprof run` and wan_profile_results() are written from this.
 */
#ifndef WAN_PROFILER_ANALYSIS_H
#define WAN_PROFILER_ANALYSIS_H

#include "findings.h"
#include "vram.h"

/* What recording an operation of the program's own is assumed to cost (the hooks of the preload
 * library measure themselves): without and with the two reads of the thread CPU clock. */
#define WAN_ASSUMED_NS_PER_OPERATION       100
#define WAN_ASSUMED_NS_PER_LARGE_OPERATION 1000

struct wan_analysis {
	struct wan_view view;
	struct wan_rows rows;  /* what is judged: options of a kind together */
	struct wan_rows kinds; /* what is listed: each set of options by itself */
	struct wan_findings findings;
	struct wan_vram vram;
	const struct wan_config *config; /* borrowed */
	uint64_t start_ns, end_ns;       /* realtime, of the whole run */
	uint64_t run_ns;                 /* how long it took; of several runs the sum */
	unsigned runs;
	uint64_t dropped;    /* operations the recorder had no room for */
	uint64_t in_records; /* outermost ended operations whose record is there */
	uint64_t recorded;   /* operations, nested ones included */
	uint64_t overhead_start_ns, overhead_ns; /* our start-up; with all that follows */
	/* Measured in the processes: operations, their rows, counted allocations. */
	uint64_t overhead_operations_ns, overhead_rows_ns, overhead_allocations_ns;
	bool overhead_measured; /* of all operations: nothing is assumed */
	bool damaged;
};

/* Takes the view over (on failure it is finished). 0, -ENOMEM. */
int wan_analysis_init(struct wan_analysis *analysis, struct wan_view *view,
		      const struct wan_config *config);
void wan_analysis_finish(struct wan_analysis *analysis);

/* The most GPU memory during operations of a row of that set, whose records are there. UINT64_MAX:
 * not known. */
uint64_t wan_analysis_row_vram(const struct wan_analysis *analysis, const struct wan_rows *rows,
			       const struct wan_row *row);

/* One outside look at a process (SAMPLE event), unknown values negative. */
struct wan_sample {
	uint64_t realtime_ns, time_ns;
	double rss_mb, cgroup_need_mb, gpu_used_mb;
	double system_percent, cpu_percent, gpu_percent;
	/* By the sensors of the machine, all negative without them. */
	double cpu_celsius, gpu_celsius, cpu_watts, gpu_watts;
	double cpu_throttled; /* times since the start */
	double gpu_reasons;   /* NVML's bits for what slowed a GPU down */
	double mhz, most_mhz, disk_percent, cpus_percent;
};
void wan_sample_from_event(const struct wan_process_event *event, struct wan_sample *ret_sample);
/* The event that follows a sample's may be that of its sensors; any other is left alone. */
void wan_sample_add_sensors(struct wan_sample *sample, const struct wan_process_event *event);

#endif
