/* SPDX-License-Identifier: MIT */
/**
 * Progress: trackers that cost nanoseconds, rules that say what is wrong.
 *
 * Writers only store words; whoever wants to know reads them at its own pace, from this process or
 * from the recording. Times are monotonic nanoseconds, MB is 1 048 576 bytes.
 */
#ifndef WAN_PROGRESS_H
#define WAN_PROGRESS_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_progress; /**< the monitor; a runtime owns one, see wan_runtime_progress() */
struct wan_tracker;  /**< one job under way */

enum wan_phase {
	WAN_PHASE_NONE,
	WAN_PHASE_INITIALIZATION,
	WAN_PHASE_MODEL_LOADING,
	WAN_PHASE_PREPROCESSING,
	WAN_PHASE_GENERATION,
	WAN_PHASE_POSTPROCESSING,
	WAN_PHASE_ENCODING,
	WAN_PHASE_COMPLETION,
};
#define WAN_PHASES 8 /**< number of phases, with NONE */

enum wan_alert_type {
	WAN_ALERT_HIGH_LATENCY,
	WAN_ALERT_HIGH_MEMORY,
	WAN_ALERT_HIGH_CPU,
	WAN_ALERT_LARGE_QUEUE,
	WAN_ALERT_LOW_UPDATE_RATE,
	WAN_ALERT_STALL, /**< no step for too long and no sign of work, or a cause that ends none */
	WAN_ALERT_LONG_STEP, /**< no step for long, though it works: a notice. Since 0.2 */
};
enum wan_alert_severity {
	WAN_ALERT_NOTICE,
	WAN_ALERT_MEDIUM,
	WAN_ALERT_HIGH,
	WAN_ALERT_CRITICAL,
};
/** What was done about an alert before anybody heard of it. Since 0.2 */
struct wan_alert_action {
	char code[24]; /**< "cache_limit", "entry_limit", "granularity", "interval"; "": nothing */
	char text[136];
	bool applied;
};
struct wan_alert {
	enum wan_alert_type type;
	const char *type_name; /**< "high_latency"; static */
	enum wan_alert_severity severity;
	double value, limit;
	uint64_t time_ns;  /**< monotonic */
	char message[160]; /**< one sentence with number and limit */
	char suggested_action[160];
	uint64_t count;      /**< times this type's limit was exceeded so far, with this one */
	uint64_t suppressed; /**< of these, held back since the last one delivered */

	/* Since 0.2, as all below. */
	uint64_t id;          /**< of the alert in this monitor, from 1; 0: not delivered */
	const char *subject;  /**< what the value is of: "Process memory"; static */
	const char *unit;     /**< of value, limit and baseline: "MB"; static */
	double baseline;      /**< what is usual, in the same unit; below 0: not known */
	uint64_t window_ns;   /**< time that the value is of; 0: an instant */
	uint64_t since_ns;    /**< monotonic: exceeded since then */
	uint64_t last_ns;     /**< monotonic: and lately then */
	char tracker[64];     /**< the job that it is about; "": the process */
	enum wan_phase phase; /**< of that job */
	uint64_t step;        /**< of that job */
	char evidence[160];   /**< what it is concluded from; "": the value alone */
	struct wan_alert_action action; /**< what was done already, also by the memory manager */
};

/** One look at everything the rules judge. */
struct wan_progress_sample {
	uint64_t time_ns;
	double latency_ms;             /**< mean over the recent completed updates; 0 when none */
	double memory_mb, cpu_percent; /**< of this process; 100 is one core */
	double updates_per_second;     /**< negative: not known yet */
	uint32_t active_trackers, queue;
	bool active;   /**< something is being tracked: idle is no alert */
	bool declared; /**< everything active has told its unit or phase: steps may take seconds and
			*   memory and CPU are used on purpose (rule set "classed" only) */
};

struct wan_progress_summary {
	size_t struct_size;                 /**< set by the caller */
	double monitoring_duration_minutes; /**< time between start and stop, all runs together */
	double average_latency_ms, max_latency_ms; /**< over all updates */
	double average_memory_mb, peak_memory_mb, average_cpu_percent, peak_cpu_percent;
	double average_updates_per_second, current_update_interval_s;
	uint64_t total_alerts, critical_alerts, active_trackers, updates;
	uint64_t samples;
	uint64_t suppressed_alerts; /**< limits exceeded that were not delivered: too short, too
				     *   soon after another one. Since 0.2, as all below. */
	uint64_t own_cpu_ns;        /**< what sampling has cost */
	uint64_t queue;             /**< produced and not yet consumed */
	uint64_t queue_wait_ns;     /**< how long the last one of it waits at the present rate;
				     * UINT64_MAX:     not known */
	uint64_t granularity;       /**< update callbacks come every so many updates */
};

/** Where a tracker stands. */
struct wan_progress_look {
	size_t struct_size;   /**< set by the caller */
	uint64_t done, total; /**< total 0: unknown */
	double percent; /**< 0 to 100; 0 when total is unknown and the job has not completed */
	uint64_t elapsed_ns;
	uint64_t eta_ns; /**< elapsed / done * what is left; UINT64_MAX: unknown */
	double updates_per_second;
	enum wan_phase phase;
	uint64_t phase_ns[WAN_PHASES]; /**< time spent in each, the open one included */
	bool ended;
	/** Time between updates; 0 before the first one. Within 0.8 % from 1 us to 1 h, corrected
	 *  as wan_progress_expect() asks. Since 0.2, as all below. */
	uint64_t p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
	uint64_t phase_steps[WAN_PHASES]; /**< updates in each; [0]: phases of the program's own */
	uint64_t device_done;             /**< UINT64_MAX: not known */
	uint64_t callback_ns, callback_max_ns; /**< time in wan_progress_on_update()'s callback */
	uint64_t delivery_max_ns; /**< longest that wan_progress_delivered() told; 0: none did */
};

/**
 * Begin tracking; total 0: unknown. unit ("step", "frame") may be NULL. The name is copied, at most
 * 63 characters.
 *
 * A tracker with a unit or a phase declares what its steps are, so that slow steps are no alarm.
 * On success *ret_tracker belongs to the caller until wan_progress_end(); calls after that do
 * nothing. Returns 0, -EINVAL, -ENOMEM, -ENOSPC (4096 are active). Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_progress_begin(struct wan_progress *progress, const char *name,
					      uint64_t total, const char *unit,
					      struct wan_tracker **ret_tracker);
/**
 * done so far (not the increment). Its latency is the time since the update before.
 * Threads: one per tracker. Cost: a few stores and a clock read. Since: 0.1
 */
WAN_API void wan_progress_update(struct wan_tracker *tracker, uint64_t done);
/**
 * The same for count steps at once, none of which was told by itself: each is taken to have lasted
 * as long as the others. count 0: nothing happens. Threads: as update. Since: 0.2
 */
WAN_API void wan_progress_update_many(struct wan_tracker *tracker, uint64_t done, uint64_t count);
/** Enter a phase; the time in it adds up when it is entered again. Threads: as update. Since: 0.1
 */
WAN_API void wan_progress_phase(struct wan_tracker *tracker, enum wan_phase phase);
/**
 * Enter a phase of the program's own ("vae_tiling", at most 63 characters, copied). Threads: as
 * update. Since: 0.2
 */
WAN_API void wan_progress_phase_named(struct wan_tracker *tracker, const char *name);
/** The total has become known, or another one. 0: unknown. Threads: as update. Since: 0.2 */
WAN_API void wan_progress_total(struct wan_tracker *tracker, uint64_t total);
/**
 * What comes now happens once and may take so long: a warm-up, a swap of models. No stall is told
 * until then, and the step in which it falls is left out of what a step takes.
 * Threads: as update. Since: 0.2
 */
WAN_API void wan_progress_one_off(struct wan_tracker *tracker, uint64_t at_most_ns);
/**
 * Updates are due every interval_ns: percentiles then also count what a late one kept waiting
 * (coordinated omission). 0: not due at any time (the default). Threads: as update. Since: 0.2
 */
WAN_API void wan_progress_expect(struct wan_tracker *tracker, uint64_t interval_ns);
/**
 * What the device has finished of what wan_progress_update() tells, which is often only enqueued.
 * UINT64_MAX: not known (the default). Threads: as update. Since: 0.2
 */
WAN_API void wan_progress_device_done(struct wan_tracker *tracker, uint64_t done);
/**
 * Whoever shows or sends updates has got as far as done: how long ago that was reached is the
 * delivery latency, judged by progress.latency. Threads: any. Cost: a clock read. Since: 0.2
 */
WAN_API void wan_progress_delivered(struct wan_tracker *tracker, uint64_t done);
/** The job is over, done or not: closes the open phase, enters completion. Threads: as update.
 *  Since: 0.1 */
WAN_API void wan_progress_end(struct wan_tracker *tracker);
/** The job succeeded: done becomes total (100 %), then wan_progress_end(). Threads: as update.
 *  Since: 0.1 */
WAN_API void wan_progress_complete(struct wan_tracker *tracker);
/** Where it stands, also after its end (until the handle is used for another job, at least 64 jobs
 *  later). Fields beyond look->struct_size are left alone. Threads: any. Since: 0.1 */
WAN_API void wan_progress_look(const struct wan_tracker *tracker, struct wan_progress_look *look);
/**
 * Call back at each update, phase and end of one tracker, on the thread that makes it, without
 * locks; the last call comes from end. NULL: none (the default). Slows the job by what the callback
 * costs: readers that poll wan_progress_look() do not. Threads: as update. Since: 0.1
 */
WAN_API void wan_progress_on_update(struct wan_tracker *tracker,
				    void (*callback)(void *context,
						     const struct wan_tracker *tracker),
				    void *context);

/**
 * For bindings of languages in which a call costs more than an update: the tracker's 64 words in
 * the recording, in the order that the recording's schema gives (TRACKER): [0] done, [5] raw ticks
 * of the latest update, [6] updates, [36] who tells (0 the program, 2 Python), [61] outcome (1
 * completed, 2 failed). done may be stored there between two calls of wan_progress_update().
 *
 * Borrowed until wan_progress_end(), and not to be used in the child of a fork. NULL after the end.
 * Threads: as update. Since: 0.2
 */
WAN_API uint64_t *wan_progress_slot(struct wan_tracker *tracker);

/**
 * Call function(context), count it as one update whose latency is its duration, return its result.
 * progress NULL: just the call. Threads: any, also nested. Since: 0.1
 */
WAN_API int wan_progress_track(struct wan_progress *progress, const char *name,
			       int (*function)(void *context), void *context);
/**
 * Jobs or messages that wait for somebody: produced counts up when one is added, consumed when one
 * is taken. What is between them is the queue that progress.queue limits (with the jobs that are
 * begun beside one at work). Threads: any. Cost: one atomic addition. Since: 0.2
 */
WAN_API void wan_progress_produced(struct wan_progress *progress, uint64_t count);
WAN_API void wan_progress_consumed(struct wan_progress *progress, uint64_t count);
/**
 * The calling thread shows progress (a terminal, a window): its CPU counts as the monitor's, which
 * progress.cpu limits even where jobs may use all they can get. false, or its end: no more. At most
 * 8. Threads: any. Since: 0.2
 */
WAN_API void wan_progress_ui_thread(struct wan_progress *progress, bool shows);
/**
 * All callbacks are called for each alert, without locks, one at a time: while sampling runs from a
 * thread that does nothing else, for wan_progress_judge() on its caller's. One that unregisters
 * does not keep it from the others, one that does not return not beyond about a second; it hears
 * nothing until it returns.
 *
 * Returns 0, -EINVAL, -EEXIST (already registered), -ENOSPC (32). Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_progress_on_alert(struct wan_progress *progress,
						 void (*callback)(void *context,
								  const struct wan_alert *alert),
						 void *context);
/**
 * Returns 0, also when it was not registered. When it returns the callback does not run any more,
 * unless it is itself calling; so hold nothing here that a callback waits for.
 * Threads: any. Since: 0.1
 */
WAN_API int wan_progress_off_alert(struct wan_progress *progress,
				   void (*callback)(void *context, const struct wan_alert *alert),
				   void *context);
/**
 * Begin sampling: now, then after interval_ns (0: progress.interval; 0.1 s to 5 s), then adaptively
 * within these bounds.
 *
 * Returns 0, -EALREADY, -EAGAIN or -ENOMEM (no thread to be had). Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_progress_start(struct wan_progress *progress, uint64_t interval_ns);
/** Ends sampling and joins its thread (from a callback: the thread ends after it). Threads: any.
 *  Since: 0.1 */
WAN_API void wan_progress_stop(struct wan_progress *progress);
/** Between start and stop. Threads: any. Since: 0.1 */
WAN_API bool wan_progress_running(struct wan_progress *progress);
/** Fields beyond summary->struct_size are left alone. Threads: any. Since: 0.1 */
WAN_API void wan_progress_summary(struct wan_progress *progress,
				  struct wan_progress_summary *summary);
/**
 * Judge a sample by the configured rules and deliver the alerts at once, the rate limit permitting.
 * (The sampler also asks that a condition holds for two samples and a second.)
 * Returns the number of alerts delivered. Threads: any. Since: 0.1
 */
WAN_API uint32_t wan_progress_judge(struct wan_progress *progress,
				    const struct wan_progress_sample *sample);

/** "30s", "2m 5s", "1h 1m"; "0s" for nothing or less. Returns to. Threads: any. Since: 0.1 */
WAN_API const char *wan_progress_duration_text(char *to, size_t to_bytes, int64_t seconds);

#ifdef __cplusplus
}

#if __cplusplus >= 201103L
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace wan
{

/** A call for wan_progress_track(), which knows only int and lets no exception through. */
template <typename Function, typename Result> class tracked_call
{
      public:
	explicit tracked_call(Function &function) : function_(function)
	{
	}
	static int run(void *context) noexcept
	{
		tracked_call *call = static_cast<tracked_call *>(context);
		try {
			new (static_cast<void *>(&call->result_)) Result(call->function_());
		} catch (...) {
			call->exception_ = std::current_exception();
		}
		return 0;
	}
	Result take()
	{
		if (exception_)
			std::rethrow_exception(exception_);
		struct guard {
			Result *result;
			~guard()
			{
				result->~Result();
			}
		} ended = {reinterpret_cast<Result *>(&result_)};
		return std::move(*ended.result);
	}

      private:
	Function &function_;
	std::exception_ptr exception_;
	typename std::aligned_storage<sizeof(Result), alignof(Result)>::type result_;
};

template <typename Function> class tracked_call<Function, void>
{
      public:
	explicit tracked_call(Function &function) : function_(function)
	{
	}
	static int run(void *context) noexcept
	{
		tracked_call *call = static_cast<tracked_call *>(context);
		try {
			call->function_();
		} catch (...) {
			call->exception_ = std::current_exception();
		}
		return 0;
	}
	void take()
	{
		if (exception_)
			std::rethrow_exception(exception_);
	}

      private:
	Function &function_;
	std::exception_ptr exception_;
};

/**
 * wan_progress_track() for anything that can be called without arguments: returns its result (a
 * value, or nothing), and passes on its exceptions; the call is counted either way. Since: 0.2
 */
template <typename Function>
auto track(wan_progress *progress, const char *name, Function &&function) -> decltype(function())
{
	typedef typename std::remove_reference<Function>::type Plain;
	tracked_call<Plain, decltype(function())> call(function);
	(void)wan_progress_track(progress, name, call.run, &call);
	return call.take();
}

} /* namespace wan */
#endif
#endif
#endif
