/* SPDX-License-Identifier: MIT */
/* The monitor's inside, shared by the files of this folder only. */
#ifndef WAN_PROGRESS_STATE_H
#define WAN_PROGRESS_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "clock.h"
#include "gate.h"
#include "lock.h"
#include "progress.h"
#include "sampler.h"
#include "stall.h"
#include "tracker_words.h"

enum {
	WAN_TRACKER_NAME_MAX = 64,
	WAN_TRACKERS_ACTIVE_MAX = 4096,
	WAN_TRACKERS_ENDED_KEPT = 64, /* an ended handle stays itself at least this long */
	WAN_TRACKED_NAMES_MAX = 64,   /* further names of tracked calls share one tracker */
	WAN_ALERT_CALLBACKS_MAX = 32,
	WAN_RATE_SAMPLES = 128,
	WAN_POSTED_MAX = 16,  /* alerts on their way to callbacks */
	WAN_COURIERS_MAX = 4, /* threads that call callbacks: one, and successors of blocked ones */
	WAN_UI_THREADS_MAX = 8,
	WAN_GRANULARITY_MAX = 16,
};

/* Words that the recording gave us for a name; used again when the name is. */
struct wan_words_set {
	struct wan_words_set *next;
	uint64_t *words;
	uint32_t *counts; /* of the same block; NULL: none */
	bool in_use;
	char name[WAN_TRACKER_NAME_MAX];
};

/* What the sampler remembers of a job between two windows. */
struct wan_tracker_watch {
	uint64_t updates, phase, phase_text, phase_start; /* as in its words */
	uint64_t phase_updates;                           /* updates at its beginning */
	uint64_t updated;                                 /* ticks of the latest update */
	double usual_ns, now_ns;                          /* between updates; 0: not known */
	uint32_t windows;                                 /* with updates, in this phase */
};

struct wan_tracker {
	/* One cache line: all that an update looks at. */
	uint64_t *words;                /* atomic pointer: own_words after the end */
	uint32_t *counts;               /* atomic pointer: own_counts after; NULL: no memory */
	struct wan_tracker_scale scale; /* set before it is shared */
	uint64_t (*now_ns)(void);       /* tests only; NULL: ticks */
	void (*callback)(void *context, const struct wan_tracker *tracker); /* writer's thread */
	void *callback_context;
	bool plain;            /* atomic: not ended, no callback, the machine's counter */
	bool ended, completed; /* atomic */
	bool declared;         /* atomic: a unit or a phase was told */
	bool tracks_calls;
	uint32_t calls_in_flight; /* atomic; tracked calls only */

	struct wan_progress *progress;
	struct wan_tracker *next;              /* progress->lock: active, calls or ended list */
	struct wan_words_set *set;             /* progress->lock; NULL: own_words only */
	uint64_t ended_ticks;                  /* atomic */
	uint64_t phase_hash;                   /* atomic; wan_job_name_hash() of phase_text */
	uint64_t phase_updates;                /* writer's thread: updates before the open phase */
	char phase_text[WAN_TRACKER_NAME_MAX]; /* writer's thread: a phase of the program's own */
	char name[WAN_TRACKER_NAME_MAX];
	uint64_t callback_longest_ns, delivery_longest_ns; /* atomic; since the last window */
	uint64_t delivery_max_ns;                          /* atomic */
	uint32_t callbacks_skipped;                        /* writer's thread: granularity */
	struct wan_tracker_watch watch;                    /* progress->lock */
	struct wan_stall_watch silence;                    /* progress->lock */
	enum wan_stall_state told;                         /* progress->lock; of this silence */
	struct wan_prior *prior;                           /* progress->lock; NULL: none is known */
	bool asked_prior;                                  /* progress->lock */
	uint64_t own_words[WAN_TRACKER_WORDS];
	uint32_t *own_counts; /* as long as the handle; NULL: no memory */
};

/* Sums over trackers; judged: those whose latency an absolute limit is meant for. */
struct wan_progress_totals {
	uint64_t updates, latency_ns, latency_max_ns;
	uint64_t judged_updates, judged_latency_ns;
	uint32_t active, undeclared;
};

struct wan_alert_callback {
	void (*function)(void *context, const struct wan_alert *alert);
	void *context;
	uint32_t runner, running; /* the thread that is in it, and how deep */
};

/* One alert on its way through the callbacks; lives on the stack of the thread that walks. */
struct wan_alert_walk {
	const struct wan_alert *alert;
	unsigned place;    /* of the callback that it is in */
	uint64_t since_ns; /* it is in it since */
	bool relieved;     /* another thread has gone on with the rest */
};

struct wan_courier {
	pthread_t thread;
	bool used, done, joining; /* done: it only has to return */
};

struct wan_rate_sample {
	uint64_t time_ns, updates;
};

enum wan_monitor_state {
	WAN_MONITOR_STOPPED,
	WAN_MONITOR_RUNNING,
};

struct wan_progress {
	/* Set by create. */
	struct wan_alert_rules rules;
	bool classic_sampling; /* progress.sampling */
	uint64_t first_interval_ns;
	struct wan_progress_options options; /* config is not kept */

	struct wan_mutex lock;   /* rank WAN_RANK_PROGRESS */
	struct wan_cond changed; /* a delivery ended, sampling stopped or was asked to */

	struct wan_tracker *active;                      /* lock */
	struct wan_tracker *calls;                       /* lock; never ended */
	struct wan_tracker *ended_first, **ended_last;   /* lock; oldest first */
	uint32_t active_count, ended_count, calls_count; /* lock */
	struct wan_words_set *sets;                      /* lock */
	struct wan_progress_totals retired;              /* lock; of ended trackers */
	struct wan_tracker other_calls; /* when there is no memory or no room for another name */

	struct wan_alert_gate gate;                                   /* lock */
	uint64_t total_alerts, critical_alerts;                       /* lock */
	struct wan_alert_callback callbacks[WAN_ALERT_CALLBACKS_MAX]; /* lock; places never move */
	uint32_t delivering_thread;  /* lock; id of the thread that calls callbacks, 0: none */
	struct wan_alert_walk *walk; /* lock; its innermost one */
	struct wan_alert posted[WAN_POSTED_MAX];       /* lock; ring */
	uint32_t posted_first, posted_count;           /* lock */
	struct wan_courier couriers[WAN_COURIERS_MAX]; /* lock */
	uint32_t courier;                              /* lock; place + 1 of the one in charge */
	bool couriers_stop, relieve;                   /* lock */
	uint64_t missed; /* lock; calls left out because the callback was still at it */

	enum wan_monitor_state state;      /* lock */
	bool stopping, joining;            /* lock */
	bool hosted;                       /* lock; another one's thread calls serve */
	uint32_t run;                      /* lock; counts starts */
	uint32_t serving_thread;           /* lock; which takes a sample now, 0: none */
	uint64_t due_ns;                   /* lock; of the next sample */
	pthread_t thread;                  /* lock; not hosted */
	uint32_t fork_generation;          /* lock; of the process that these threads are of */
	uint64_t interval_ns, quiet_ns;    /* lock */
	uint64_t started_ns, monitored_ns; /* lock; this run, earlier runs */

	/* Figures over all samples. */
	uint64_t samples;                                                  /* lock */
	double memory_sum_mb, memory_peak_mb, cpu_sum, cpu_peak, rate_sum; /* lock */
	struct wan_progress_totals last_totals;         /* lock; at the last sample */
	struct wan_rate_sample rates[WAN_RATE_SAMPLES]; /* lock; ring */
	uint32_t rate_count, rate_next;                 /* lock */
	uint64_t cpu_last_ns, cpu_last_time_ns;         /* lock */
	double latency_ms;                              /* lock; as last told */
	uint64_t window_ns;                             /* lock; when the last window ended */
	struct wan_sampler_state sampler;               /* lock */

	struct wan_evidence_reader evidence; /* of the sampling thread */
	double memory_mb;                    /* of the sampling thread; as last read */
	uint64_t memory_read_ns;             /* of the sampling thread */
	uint64_t stalled;                    /* lock; trackers */
	uint64_t prior_due_ns; /* of the sampling thread; not before are priors looked for */

	/* What declared jobs are judged by. */
	double baseline_mb, step_mb; /* lock; 0: not known */
	uint64_t own_cpu_ns;         /* lock; of all samples so far */
	uint64_t own_cpu_last_ns;    /* lock; at the last window */
	uint64_t consumed_last;      /* lock */
	uint64_t queue_wait_ns;      /* lock; UINT64_MAX: not known */
	struct {
		clockid_t clock;
		uint32_t thread; /* 0: free */
		uint64_t cpu_ns;
	} ui[WAN_UI_THREADS_MAX]; /* lock */
	uint64_t delivery_max_ns; /* atomic */
	uint32_t granularity;     /* atomic; update callbacks come every so many updates */

	/* Told from any thread, each on its cache line. */
	uint64_t produced __attribute__((aligned(64))); /* atomic */
	uint64_t consumed __attribute__((aligned(64))); /* atomic */
};

static inline uint64_t wan_tracker_ticks(const struct wan_tracker *tracker)
{
	return __builtin_expect(tracker->now_ns != NULL, 0) ? tracker->now_ns() : wan_ticks();
}

static inline uint64_t wan_progress_ticks(const struct wan_progress *progress)
{
	return __builtin_expect(progress->options.now_ns != NULL, 0) ? progress->options.now_ns()
								     : wan_ticks();
}

static inline uint64_t wan_progress_now_ns(const struct wan_progress *progress)
{
	return progress->options.now_ns ? progress->options.now_ns() : wan_now_ns();
}

static inline double wan_progress_tick_ns(const struct wan_progress *progress)
{
	return progress->options.now_ns ? 1.0 : wan_clock_ns_per_tick();
}

/* Whether updates may take the short way. */
void wan_tracker_judge_plain(struct wan_tracker *tracker);
/* Calls the tracker's callback and counts what it took. */
void wan_tracker_call_back(struct wan_tracker *tracker);
/* Closes the open phase (an event) and opens another; text names one of the program's own. */
void wan_tracker_enter(struct wan_tracker *tracker, enum wan_phase phase, const char *text);
/* A handle with its words; counts when there is memory for them. */
void wan_tracker_prepare(struct wan_tracker *tracker, struct wan_progress *progress,
			 const char *name, uint64_t total);
/* Adds a tracker's figures; judged: those that an absolute limit is meant for. */
void wan_tracker_add_totals(struct wan_progress_totals *totals, const struct wan_tracker *tracker,
			    bool judged);
/* Everything that was and is tracked. */
struct wan_progress_totals wan_progress_totals_locked(struct wan_progress *progress)
	WAN_REQUIRES(&progress->lock);
/* In the child of a fork: latencies go to the handles' own memory from now on. */
void wan_progress_leave_recording(struct wan_progress *progress);
/* Frees all trackers and sets of words. */
void wan_progress_free_trackers(struct wan_progress *progress);
/* What the window that ends now saw; sample.time_ns is set by the caller. */
void wan_progress_close_window(struct wan_progress *progress, struct wan_alert_window *window);
/* Looks at jobs that are silent and raises what is wrong. Returns when to look again, in ns from
 * now; UINT64_MAX: when there is a sample. By the sampling thread. */
uint64_t wan_progress_watch_silence(struct wan_progress *progress, uint64_t now_ns, bool post);
/* Brings the words in the recording up to date. */
void wan_progress_store_words(struct wan_progress *progress);
/* Takes one sample: resources, figures, alerts, next interval, and delivers on this thread. Returns
 * the next interval. */
uint64_t wan_progress_sample_now(struct wan_progress *progress);
/* Judges a window; post: callbacks are called from a thread of their own. Number of alerts that
 * were delivered. */
uint32_t wan_progress_judge_window(struct wan_progress *progress,
				   const struct wan_alert_window *window, bool post);
/* An alert of another source than the window: gate, record, delivery. */
bool wan_progress_raise(struct wan_progress *progress, struct wan_alert *alert, bool post);
/* Calls every callback for one alert. */
void wan_progress_deliver(struct wan_progress *progress, const struct wan_alert *alert);
/* Gives it to a thread that does. */
void wan_progress_post(struct wan_progress *progress, const struct wan_alert *alert);
/* Another thread goes on where one is in a callback for too long. */
void wan_progress_relieve(struct wan_progress *progress);
/* Whether the calling thread is one that calls callbacks. */
bool wan_progress_is_courier_locked(const struct wan_progress *progress)
	WAN_REQUIRES(&progress->lock);
/* Ends and joins the threads that call callbacks, but for the calling one. */
void wan_progress_dismiss_couriers(struct wan_progress *progress);
/* Takes the turn to call callbacks, and gives it back. */
void wan_progress_take_turn_locked(struct wan_progress *progress) WAN_REQUIRES(&progress->lock);
void wan_progress_leave_turn_locked(struct wan_progress *progress) WAN_REQUIRES(&progress->lock);
/* False: another thread has the turn now, and went on. */
bool wan_progress_walk_locked(struct wan_progress *progress, const struct wan_alert *alert,
			      unsigned from) WAN_REQUIRES(&progress->lock);

#endif
