/* SPDX-License-Identifier: MIT */
/*
 * What a verdict needs to know of one run, from a recording or from its dumped JSON alike: gate,
 * diff, history, baseline, advise and the HTML comparison read this and nothing else. Pure data:
 * text is owned by the facts, unknown numbers are NAN, unknown text is NULL.
 */
#ifndef WAN_TOOLS_RUN_FACTS_H
#define WAN_TOOLS_RUN_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis.h"
#include "environment.h"
#include "wan/status.h"

/* One ended operation, outermost ones only, by start. */
struct run_operation {
	const char *name, *library;
	const char *file;       /* of the input; NULL: unknown */
	uint64_t start_ns;      /* since the begin of the run */
	double time_ms, cpu_ms; /* time_ms: execution_time_ms of the JSON */
	double memory_mb, peak_mb;
	double input_megapixels; /* 0: unknown */
	uint32_t width_px, height_px;
	uint32_t thread, process;
	uint8_t status; /* enum wan_op_status */
};

/* All outermost operations of a name and library: exact, also where single ones were dropped; but
 * median and p95 are of single ones, and NAN where some are missing. */
struct run_kind {
	const char *name, *library;
	uint64_t count, failed; /* failed or aborted */
	double total_ms, mean_ms, median_ms, p95_ms, max_ms, cpu_ms, peak_mb;
};

struct run_phase {
	const char *name; /* "model_loading", or the program's own; over all jobs of the run */
	double duration_ms;
	uint64_t steps; /* 0: none told */
	int cold;       /* 1 cold, 0 warm, -1 not known */
};

struct run_finding {
	const char *id, *severity, *title, *operation; /* operation: NULL where it is about many */
	const char *unit;
	double value, limit;
	bool recommendation;
};

/* The machine as it was before the command began. */
struct run_preconditions {
	bool known;
	double gpu_used_mb, load_per_cpu, free_disk_mb, memory_available_mb;
	const char *unclean; /* what was not as a measurement should find it; NULL: nothing */
};

struct run_machine {
	const char *cpu_model, *gpu_model,
		*tier;                 /* tier: "high-end", "mid-range", "budget", "minimal" */
	unsigned cpus, physical_cores; /* 0: unknown */
	double memory_mb, memory_limit_mb,
		vram_mb; /* limit: tightest cgroup; NAN: none or unknown */
};

/* Heat, power and use of the machine, from the samples of `wanprof run`. NAN: not seen. */
struct run_sensors {
	double cpu_celsius, gpu_celsius;     /* peaks */
	double cpus_percent, gpu_percent;    /* means; of the whole machine */
	double cpu_watts, gpu_watts;         /* means */
	double cpu_throttled, gpu_throttled; /* by heat: times; samples */
};

struct run_facts {
	const char *path; /* as named by the user */
	bool from_json, damaged;
	const char *job, *command; /* job: the name given, else that of the program */
	char run_id[33];
	uint64_t started_realtime_ns; /* 0: unknown */
	double duration_ms, estimate_s;
	const char *state;       /* "exited", "running", ... as in the JSON */
	int exit_status, signal; /* -1: none */
	int cold;                /* as of the longest loading phase; -1: not known */
	struct run_machine machine;
	struct run_preconditions before;
	double read_mb; /* that the command read from disks */
	double rss_peak_mb, rss_average_mb, gpu_peak_mb, cpu_average_percent;
	double system_peak_percent; /* of the memory of the machine */
	struct run_sensors sensors;
	double cache_hit_rate;                        /* 0..1 */
	uint64_t total_operations, failed_operations; /* ended, outermost */
	uint64_t dropped_operations;                  /* of the total: not in operations[] */
	struct run_operation *operations;
	struct run_kind *kinds;   /* by total_ms, longest first */
	struct run_phase *phases; /* in order of start */
	struct run_finding *findings;
	size_t operation_count, kind_count, phase_count, finding_count;
	struct text_pool *texts; /* private: owns the text */
};

/* Did the command end as it should: exited with 0. Running and unknown ones did not. */
bool run_facts_succeeded(const struct run_facts *facts);

/*
 * Fill facts from a file: a recording, or JSON of `wanprof dump` (told apart by its content), of at
 * most 512 MiB; "-" reads JSON from standard input. The facts belong to the caller, who gives them
 * back with run_facts_finish(); on failure they are untouched and *reterr_error says what is wrong
 * with which object and what to do. 0, -ENOENT, -ENODATA, -EBADMSG, -ENOTSUP (newer), -EFBIG,
 * -ENOMEM. A damaged recording is no failure: facts.damaged.
 */
int run_facts_load(struct run_facts *ret_facts, const char *path, struct wan_error *reterr_error);
/* From an analysis that is there already. environment may be NULL. 0, -ENOMEM. */
int run_facts_from_analysis(struct run_facts *ret_facts, const struct wan_analysis *analysis,
			    const struct wan_environment *environment);
void run_facts_finish(struct run_facts *facts);

#endif
