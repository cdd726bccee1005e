/* SPDX-License-Identifier: MIT */
/* The monitor as its wiring sees it. */
#ifndef WAN_PROGRESS_PROGRESS_H
#define WAN_PROGRESS_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "wan/progress.h"

struct wan_evidence;
struct wan_prior;

/* A phase from its begin to its end, for the recording. Borrowed for the call. */
struct wan_progress_stretch {
	const char *tracker;
	enum wan_phase phase;
	const char *text; /* the program's own name for it, or "" */
	uint64_t started_ticks, duration_ns, steps;
};

struct wan_progress_options {
	size_t struct_size;
	const struct wan_config *config; /* NULL: defaults; read during create only */
	/* Tests only: clock in ns, also used for the ticks of trackers. NULL: the real ones. */
	uint64_t (*now_ns)(void);
	/* Memory and CPU of this process at each sample; NULL: read from /proc and the CPU clock.
	 */
	void (*resources)(void *context, double *ret_memory_mb, double *ret_cpu_percent);
	/* 64 words of the recording for a tracker of that name (schema: TRACKER), or NULL for none.
	 * The words stay ours as long as the monitor lives; an ended name is used again. */
	uint64_t *(*counters)(void *context, const char *tracker_name);
	/* Room in the recording for the latencies of the tracker with these words, zeroed
	 * (WAN_RECORD_LATENCY_BUCKETS counts of 2^shift ticks); NULL: none. */
	uint32_t *(*latencies)(void *context, uint64_t *words, uint32_t shift);
	/* Id of a text in the recording, 0: none. */
	uint64_t (*string_id)(void *context, const char *text);
	/* 64 words of the recording (schema: MONITOR) kept up to date at each sample; NULL: none.
	 */
	uint64_t *monitor_words;
	/* What earlier jobs of that name and size teach: 0, or negative errno. May take 50 ms;
	 * called by the sampling thread, without locks, once for a job that tells no steps. NULL:
	 * nothing.
	 */
	int (*prior)(void *context, const char *tracker_name, uint64_t total,
		     struct wan_prior *ret_prior);
	/* Adds what is known of devices to evidence about a thread. NULL: nothing. */
	void (*look_at_device)(void *context, uint32_t thread, struct wan_evidence *evidence);
	/* Whether a thread of somebody else calls wan_progress_serve() from now on; it is told to
	 * do so at once. NULL or false: sampling has a thread of its own. Called without locks. */
	bool (*host)(void *context);
	/* Acts on an alert that is about to be delivered and says so in it. May be NULL. */
	void (*act)(void *context, struct wan_alert *alert);
	/* Record hooks, called without locks before the registered callbacks. May be NULL. */
	void (*on_alert)(void *context, const struct wan_alert *alert);
	void (*on_sample)(void *context, const struct wan_progress_sample *sample);
	/* A phase was left, on the writer's thread. */
	void (*on_phase)(void *context, const struct wan_progress_stretch *stretch);
	/* Each step, on the writer's thread. Set, it takes updates off their quick way. */
	void (*on_step)(void *context, const char *tracker, uint64_t done);
	void *context;
};

/* On success *ret_progress belongs to the caller. 0, -EINVAL, -ENOMEM. No thread is started. */
int wan_progress_create(const struct wan_progress_options *options,
			struct wan_progress **ret_progress);
/* Stops sampling; frees every tracker, ended or not. NULL is fine; nobody may be in a call. */
void wan_progress_destroy(struct wan_progress *progress);

/* Samples when it is time to; convenient: also a quarter of its interval before, since somebody is
 * awake who would have to wake again. Returns when it wants to be called again (wan_now_ns()),
 * UINT64_MAX: not before a start. Callbacks do not run on this thread. Threads: one at a time. */
uint64_t wan_progress_serve(struct wan_progress *progress, bool convenient);

#endif
