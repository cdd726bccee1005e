/* SPDX-License-Identifier: MIT */
/*
 * The read side: everything of a recording in memory of our own, checked. Nothing in the file is
 * trusted: sizes are bounded (128 MiB a process, 4096 processes, 512 MiB in all) before anything is
 * allocated, text is terminated and kept as bytes (exporters escape), every defect becomes an entry
 * of damage[].
 */
#ifndef WAN_RECORD_READER_H
#define WAN_RECORD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "wan/recording.h"

struct wan_process_counters {
	uint32_t kind;    /* enum wan_counters_kind */
	const char *name; /* "" when none */
	uint64_t words[63];
	/* Of a tracker: WAN_RECORD_LATENCY_BUCKETS counts of such units, see latency.h; NULL: none
	 */
	uint32_t *latencies;
	double latency_unit_ns;
};

struct wan_process_aggregate {
	const char *name, *library;
	uint8_t status;
	uint16_t flags;
	uint8_t size_bucket;
	uint32_t cpu_known, file_known, memory_known;
	uint64_t count;
	uint64_t span_ns, inside_ns, cpu_ns, pixels, file_bytes;
	int64_t memory_bytes;
	uint64_t peak_bytes;
	uint64_t min_ns, max_ns;
	uint64_t histogram[WAN_RECORD_HISTOGRAM];
};

struct wan_process_event {
	uint32_t kind; /* enum wan_record_kind */
	uint64_t time_ns, realtime_ns;
	const char *name, *text;
	uint32_t code, thread;
	uint64_t values[4];
	char *made; /* text, where the reader made it; its own */
};

struct wan_process_inflight {
	struct wan_recording_operation operation; /* status 255; span: until now or the end */
	uint32_t rows_done;
};

/* More about the operation of this start and thread. */
struct wan_process_detail {
	uint64_t start_ns;
	uint64_t identity; /* of the input: equal only for the same bytes; 0: not known */
	uint32_t thread;
	uint32_t output_width_px, output_height_px; /* 0: not known */
};

struct wan_process_damage {
	uint64_t offset;
	char reason[120];
};

struct wan_process {
	struct wan_record_header header; /* copy; all text terminated */
	uint32_t state; /* enum wan_run_state, resolved: a dead pid is not RUNNING */
	bool live;
	const char *source;                           /* path it came from */
	uint64_t offset;                              /* in that file */
	uint64_t start_realtime_ns, start_ns, end_ns; /* end_ns: last thing known */
	double ns_per_tick;
	uint64_t start_ticks; /* of start_ns */
	size_t operation_count, aggregate_count, counters_count, event_count, inflight_count,
		damage_count, detail_count;
	struct wan_recording_operation
		*operations; /* records still there, by start time; ended ones */
	struct wan_process_aggregate *aggregates; /* exactly everything that ended */
	struct wan_process_counters *counters;
	struct wan_process_event *events; /* by time */
	struct wan_process_inflight *inflight;
	struct wan_process_damage *damage;
	struct wan_process_detail *details; /* by start and thread */
	uint64_t total_operations;          /* sum of aggregates; children included */
	uint64_t skipped;                   /* total_operations - operation_count */
	uint64_t dropped;
	const char *texts; /* of wan_process_text(); NULL: none */
	uint64_t texts_bytes;
};

/* Words of WAN_COUNTERS_MEMORY and WAN_COUNTERS_HOST (schema.def) that hold a text. */
#define WAN_MEMORY_DECIDING 1u
#define WAN_HOST_GPU_MODEL  12u

/*
 * The text of a string id that a record or one of the words above of this process names, "" for any
 * other. Borrowed until the recording is closed. Pure.
 */
const char *wan_process_text(const struct wan_process *process, uint64_t id);

/* CLOCK_MONOTONIC of the recorded machine at these ticks of the process. Pure. */
uint64_t wan_process_time_ns(const struct wan_process *process, uint64_t ticks);

/* What more is known of an operation of this process; NULL: nothing. Borrowed as the process is. */
const struct wan_process_detail *wan_process_detail(
	const struct wan_process *process, const struct wan_recording_operation *operation);

size_t wan_recording_process_count(const struct wan_recording *recording);
const struct wan_process *wan_recording_process(const struct wan_recording *recording,
						size_t index);
/* Parse a snapshot (wan_recorder_snapshot); bytes are copied. */
int wan_recording_open_memory(const void *bytes, size_t count, struct wan_recording **ret_recording,
			      struct wan_error *reterr_error);
/* Where recordings live by default: $XDG_STATE_HOME/wanrt or ~/.local/state/wanrt. 0, -ENOENT. */
int wan_recording_default_folder(char *to, size_t bytes);
/* Newest recording with content in the default folder (or folder). 0, -ENOENT. */
int wan_recording_newest(const char *folder, char *to, size_t bytes);
/* Sum over all damage; convenience for exit status 65. */
bool wan_recording_is_damaged(const struct wan_recording *recording);
/* Upper edge in ns of histogram bucket i; and a percentile (0..1) from a histogram. */
uint64_t wan_histogram_edge_ns(unsigned bucket);
uint64_t wan_histogram_percentile_ns(const uint64_t *histogram, double share, uint64_t min_ns,
				     uint64_t max_ns);

#endif
