/* SPDX-License-Identifier: MIT */
/**
 * Memory: where we stand, who must give, how much may be asked for.
 *
 * A manager looks at the host, every cgroup level, the process and the GPU. Two questions have two
 * answers: the *level* (75/85/95 %) is the highest that any of them has reached by its own
 * percentage; *admission* goes by the fewest bytes left anywhere. Bytes are bytes; MB is 1 048 576.
 */
#ifndef WAN_MEMORY_H
#define WAN_MEMORY_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_memory; /**< the manager; a runtime owns one, see wan_runtime_memory() */
struct wan_batch;
struct wan_chunks;

/** Thresholds are memory.warning, memory.critical, memory.emergency; reached means >=. */
enum wan_memory_level {
	WAN_MEMORY_NORMAL,
	WAN_MEMORY_WARNING,
	WAN_MEMORY_CRITICAL,
	WAN_MEMORY_EMERGENCY,
};

/** One look. A figure that could not be read is 0. */
struct wan_memory_state {
	size_t struct_size; /**< set by the caller */
	enum wan_memory_level level;
	char deciding[64]; /**< highest percentage: "host", "cgroup /x", "process"; may be "" */
	double deciding_percent;
	uint64_t total_bytes, available_bytes; /**< host */
	double host_percent;
	uint64_t cgroup_limit_bytes, cgroup_need_bytes; /**< tightest cgroup level; 0: none */
	char tightest[64];       /**< level with the fewest bytes of headroom; may be "" */
	uint64_t headroom_bytes; /**< of that level; UINT64_MAX: nothing could be read */
	uint64_t process_rss_bytes;
	bool gpu_known; /**< false: no CUDA in use, or it answered with an error */
	uint64_t gpu_total_bytes, gpu_used_bytes; /**< the fullest device that batches use */
	uint64_t reserved_bytes;                  /**< granted and not yet given back */
	double trend_bytes_per_s;                 /**< see wan_memory_trend() */
	uint64_t actions;                         /**< actions so far */
	double stalled_percent; /**< of the last 10 s some task waited for memory (PSI); -1:
				 * unknown. Nothing is decided by it. Since 0.2 */
};

/** Priorities: what is given back for nothing, and what must be made again. */
enum {
	WAN_RECLAIM_IDLE = 0,     /**< idle buffers: asked from the warning level on */
	WAN_RECLAIM_REBUILD = 10, /**< this and above: cached values; asked from the critical level
				   * on, and when an admission would otherwise be refused */
	WAN_RECLAIM_BATCH = 20,   /**< batches that can free what they are done with; since 0.2 */
};

/**
 * Frees memory when asked. Called without locks, from the watcher's or a reserving thread, by one
 * thread at a time; may call into the manager again (nested requests for memory reclaim nothing).
 */
struct wan_reclaimer {
	const char *name; /**< borrowed until removed; for messages */
	int priority;     /**< lower is asked first: cheap to give back */
	/** Return the bytes really freed; want_bytes is what is still missing. */
	uint64_t (*reclaim)(void *context, enum wan_memory_level level, uint64_t want_bytes);
	void *context;
};

/**
 * The last look; nothing is read from the kernel.
 *
 * Fields beyond state->struct_size are left alone. Threads: any. Since: 0.1
 */
WAN_API void wan_memory_state(struct wan_memory *memory, struct wan_memory_state *state);

/**
 * Read the sources now, and act if a level was entered (or need still rises within it).
 *
 * The runtime's background thread calls this every memory.interval; calling it more often is fine.
 * Reclaimers, emergency callbacks and batches are served before it returns. Returns the level.
 * Threads: any. Cost: about 10 us and 8 us per cgroup level. Since: 0.1
 */
WAN_API enum wan_memory_level wan_memory_tick(struct wan_memory *memory);

/**
 * Register somebody who can give memory back. The struct is copied.
 *
 * Returns 0, -EINVAL (no function), -EEXIST (function and context are registered), -ENOSPC.
 * Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_memory_add_reclaimer(struct wan_memory *memory,
						    const struct wan_reclaimer *reclaimer);
/**
 * Remove every reclaimer with that context. When it returns, none of them runs any more, except
 * the one that is itself calling. Threads: any. Since: 0.1
 */
WAN_API void wan_memory_remove_reclaimer(struct wan_memory *memory, void *context);

/** What became of a request. Since: 0.2 */
enum wan_memory_outcome {
	WAN_MEMORY_GRANTED,
	WAN_MEMORY_GRANTED_AFTER_EVICTION, /**< reclaimers gave memory for it */
	WAN_MEMORY_WAIT,                   /**< not yet: other threads will give enough back */
	WAN_MEMORY_REFUSED,                /**< the limiting level has no room for it */
};

/** What is asked for. Set struct_size, leave the rest 0 where nothing is said. Since: 0.2 */
struct wan_memory_request {
	size_t struct_size;
	uint64_t bytes;
	uint64_t wait_ns; /**< wait this long for what other threads hold; 0: not at all */
	bool keep_cached; /**< true: nobody is asked to give memory back for it */
};

/** How it went. Set struct_size; fields beyond it are left alone. Since: 0.2 */
struct wan_memory_answer {
	size_t struct_size;
	enum wan_memory_outcome outcome;
	char limiting[64];        /**< level that admission goes by; "" when it was not looked at */
	uint64_t grantable_bytes; /**< what may be taken now, without eviction */
	uint64_t headroom_bytes;  /**< left before the limit of the tightest level */
	uint64_t evicted_bytes;   /**< given back by reclaimers for this request */
	uint64_t awaited_bytes;   /**< reserved or pinned by other threads when last looked at */
	uint64_t waited_ns;       /**< whole time of the call; 0 when nothing had to be read */
};

/**
 * Ask before allocating; give the same bytes back with wan_memory_unreserve() as soon as the memory
 * has been written to (it then shows in usage) or was given up.
 *
 * Granted while need + reserved + bytes stay below the line, two points under the warning level, at
 * the host and every cgroup level; reclaimers are asked for what is missing, cheapest first. When
 * others hold the memory above the line, one quarter of what is left may still be used in flight. A
 * look that finds a level reached takes the action of that level before it answers.
 *
 * Returns 0; -EAGAIN (WAIT: what other threads have reserved, or pinned while they are at work,
 * would be enough, but was not given back in wait_ns); -ENOMEM (REFUSED; reterr_error names the
 * limiting level, the bytes asked for and those left); -EINVAL. ret_answer may be NULL; it is
 * filled in each case but -EINVAL. A reclaimer that asks gets what is there, and waits for nothing.
 * Threads: any. Cost: one compare-and-swap (about 10 ns); the sources are read again after each MiB
 * (some 20 us). Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_memory_ask(struct wan_memory *memory,
					  const struct wan_memory_request *request,
					  struct wan_memory_answer *ret_answer,
					  struct wan_error *reterr_error);
/**
 * wan_memory_ask() for bytes, waiting at most memory.wait (a second) for other threads.
 *
 * Returns 0, -ENOMEM (refused, or waited for in vain). Threads: any. Cost: as there. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_memory_reserve(struct wan_memory *memory, uint64_t bytes,
					      struct wan_error *reterr_error);
/** Give a reservation back, from any thread; more than is reserved counts as all of it. Threads:
 * any. Cost: one compare-and-swap; wakes who waits. Since: 0.1 */
WAN_API void wan_memory_unreserve(struct wan_memory *memory, uint64_t bytes);

/**
 * Call back at the emergency level, after clearing. Called without locks, by the ticking thread.
 * There is no way to unregister: context must outlive the manager.
 *
 * Returns 0, -EINVAL, -EEXIST (the same pair), -ENOSPC. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_memory_on_emergency(struct wan_memory *memory,
						   void (*callback)(void *context), void *context);

struct wan_batch_options {
	size_t struct_size;
	const char *name; /**< copied, at most 31 characters; default "batch" */
	uint32_t minimum; /**< default 1; at least 1 */
	uint32_t maximum; /**< default 100; where a batch starts */
	bool on_gpu;      /**< default false; true: also halved when the GPU passes memory.gpu */
	/* Since 0.2: */
	int device;          /**< of on_gpu; default -1: the one current in the calling thread */
	uint64_t item_bytes; /**< what an item takes; default 0: unknown */
	/** Free what the batch under way can do without (items that are done), at least want_bytes
	 *  if it has so much. Returns the bytes freed. Default NULL. Called like a reclaimer; it
	 * must not destroy the batch. */
	uint64_t (*release)(void *context, uint64_t want_bytes);
	void *context; /**< of release */
};
WAN_API void wan_batch_options_init(struct wan_batch_options *options);

/**
 * A batch size that follows memory: x0.8 at warning, x0.5 at critical, minimum at emergency, halved
 * after a failure and (on_gpu) above 80 % of GPU memory; grows back in steps while all is calm.
 *
 * on_gpu says that this program uses the GPU: only from then on is CUDA asked, for the device that
 * is current in the calling thread, and only if the program has loaded the CUDA runtime itself.
 * On success *ret_batch belongs to the caller, who destroys it before the manager goes.
 * Returns 0, -EINVAL (minimum 0 or above maximum), -ENOMEM. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_batch_create(struct wan_memory *memory,
					    const struct wan_batch_options *options,
					    struct wan_batch **ret_batch);
/** Items to take now, minimum..maximum. Threads: any. Since: 0.1 */
WAN_API uint32_t wan_batch_next(struct wan_batch *batch);
/**
 * How a batch of items went. failed_for_memory halves at once and remembers the size that failed;
 * five clean ones in a row let it grow, towards a remembered size by bisection.
 * Threads: any. Since: 0.1
 */
WAN_API void wan_batch_report(struct wan_batch *batch, uint32_t items, bool failed_for_memory);
/** NULL is fine. Threads: any, once per batch. Since: 0.1 */
WAN_API void wan_batch_destroy(struct wan_batch *batch);

/** One GPU as this program may use it. Since: 0.2 */
struct wan_gpu_state {
	size_t struct_size; /**< set by the caller */
	char name[16];      /**< "gpu 0" */
	bool known;         /**< false: not used by this program, or it answers with errors */
	uint64_t total_bytes;
	uint64_t used_bytes;        /**< by everybody on the device, reusable bytes left out */
	uint64_t reusable_bytes;    /**< as told by wan_memory_gpu_reusable() */
	uint64_t limit_bytes;       /**< the least of total, memory.gpu_cap and the limit of MPS */
	uint64_t headroom_bytes;    /**< what may still be taken */
	double percent;             /**< of the level with the least headroom */
	double utilization_percent; /**< by NVML; negative: unknown */
};
/**
 * The last look at a device; nothing is asked. Devices are counted as the CUDA runtime of this
 * program counts them; each stands for itself, they are never summed.
 * Returns 0, -ENODEV (no batch, chunk or wan_memory_gpu_reusable() has named it; state is then not
 * known), -EINVAL. Threads: any. Since: 0.2
 */
WAN_API int wan_memory_gpu_state(struct wan_memory *memory, int device,
				 struct wan_gpu_state *state);
/**
 * Tell how many bytes a framework holds on a device without using them (torch: memory_reserved()
 * minus memory_allocated()): they can be used again, so they are no need. Replaces what was told
 * before. Until it is told, and a framework that caches is loaded (torch), a device above
 * memory.gpu is an advice only, and batches are halved after failures. More than 0 bytes name the
 * device as used by this program: only then, or by a batch, is CUDA asked. Returns 0, -EINVAL.
 * Threads: any. Cost: a lock. Since: 0.2
 */
WAN_API int wan_memory_gpu_reusable(struct wan_memory *memory, int device, uint64_t bytes);

/** What an error of the CUDA runtime is about. Since: 0.2 */
enum wan_gpu_error {
	WAN_GPU_OK,
	WAN_GPU_NO_MEMORY, /**< a smaller batch may do */
	WAN_GPU_LOST,      /**< the device or context is gone: no size will do */
	WAN_GPU_ERROR,     /**< anything else */
};
/**
 * By number, since texts differ (in a MIG slice the same failure has another one).
 * Source: enum cudaError of the CUDA runtime. Pure. Threads: any. Since: 0.2
 */
WAN_API enum wan_gpu_error wan_gpu_error_of(int cuda_error);

/** Why a chunk has the size it has. Since: 0.2 */
enum wan_chunk_reason {
	WAN_CHUNK_NO_FIT,     /**< 0 frames: not even one fits */
	WAN_CHUNK_BY_MEMORY,  /**< 70 % of what is left after the reserve */
	WAN_CHUNK_LEAST,      /**< raised to the preferred least, within 90 % of the headroom */
	WAN_CHUNK_MOST,       /**< more would fit */
	WAN_CHUNK_REST,       /**< no more frames are left */
	WAN_CHUNK_BY_FAILURE, /**< below a size that did not fit */
	WAN_CHUNK_BY_GPU,     /**< the same rule with the memory of the device */
};

/** A size, and everything it was computed from: the same inputs give the same advice. Since: 0.2 */
struct wan_chunk_advice {
	size_t struct_size; /**< set by the caller */
	uint32_t frames;
	enum wan_chunk_reason reason;
	char limiting[64]; /**< level with the fewest bytes of headroom */
	uint64_t headroom_bytes, limit_bytes, reserve_bytes, frame_bytes; /**< there */
	bool measured;  /**< frame_bytes is the 95th percentile of what chunks took */
	char text[192]; /**< the same in a sentence */
};

/** Frames that are processed chunk by chunk; fill by wan_chunks_options_init(). Since: 0.2 */
struct wan_chunks_options {
	size_t struct_size;
	const char *name;         /**< copied, at most 31 characters; default "frames" */
	uint64_t frames;          /**< in all */
	uint64_t frame_bytes;     /**< estimate of one with all its copies; at least 1 */
	uint64_t gpu_frame_bytes; /**< the same on the device; default 0: it is not used */
	int device;               /**< default -1: the one current in the calling thread */
	uint32_t least, most;     /**< preferred; default 10 and 100 */
	/** Default false. true: where not even one frame fits, one is given out nevertheless: the
	 *  caller asks for its memory itself, by loads or wan_memory_reserve(). */
	bool always_one;
	/** Free the frames of a chunk: called by wan_chunks_next() before the next one is planned,
	 *  and by wan_chunks_destroy() for the last. Default NULL: the caller frees them itself
	 *  before it asks for the next. */
	void (*release)(void *context, uint64_t first, uint32_t count);
	void *context; /**< of release */
};
/** Threads: any. Since: 0.2 */
WAN_API void wan_chunks_options_init(struct wan_chunks_options *options);

/**
 * A plan for many frames:
 *
 *	while ((r = wan_chunks_next(plan, &first, &count)) > 0) {
 *		done = process(first, count);
 *		wan_chunks_report(plan, done, done < count ? -ENOMEM : 0, 0);
 *	}
 *
 * On success *ret_chunks belongs to the caller, who destroys it before the manager goes; options
 *are borrowed for the call. Returns 0, -EINVAL, -ENOMEM. Threads: any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_chunks_create(struct wan_memory *memory,
					     const struct wan_chunks_options *options,
					     struct wan_chunks **ret_chunks);
/**
 * The next chunk: frees the one before (release), reads memory, plans by what is there now, and has
 * cached values given back where they are in the way. Frames of a chunk that was not finished come
 * again.
 *
 * Size: 70 % of (headroom - reserve) / bytes per frame, see wan_memory_chunk_frames(); headroom is
 * what the tightest level has left, with idle buffers and cached values that nobody holds. After
 * three chunks the 95th percentile of what they took replaces the estimate, but never goes below a
 * quarter of it, unless the caller has reported the peaks. A size that did not fit is remembered
 * and approached by bisection.
 *
 * Returns 1 (*ret_first and *ret_count are filled); 0 (all done); -ENOMEM (no fit:
 * wan_chunks_advice() says why; asking again plans again); what was reported as an error. Threads:
 * one at a time per handle. Cost: a look at memory, some 20 us. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_chunks_next(struct wan_chunks *chunks, uint64_t *ret_first,
					   uint32_t *ret_count);
/**
 * How the chunk under way went, while its frames are still held: done of its frames are finished.
 * code 0: nothing failed; -ENOMEM: the rest did not fit, it comes again in smaller chunks; another
 * negative errno: wan_chunks_next() will return it, what was done counts. peak_bytes: the most the
 * chunk took; 0: measured here. Without a report a chunk counts as finished when the next is asked
 * for. Threads: one at a time per handle. Since: 0.2
 */
WAN_API void wan_chunks_report(struct wan_chunks *chunks, uint32_t done, int code,
			       uint64_t peak_bytes);
/** Why the last chunk has its size. Fields beyond advice->struct_size are left alone.
 *  Threads: one at a time per handle. Since: 0.2 */
WAN_API void wan_chunks_advice(const struct wan_chunks *chunks, struct wan_chunk_advice *advice);

/** How far a plan has come; a failed one may have been done in part. Since: 0.2 */
struct wan_chunks_result {
	size_t struct_size; /**< set by the caller */
	uint64_t frames, done;
	uint32_t chunks, failures;     /**< given out; those that did not fit */
	uint32_t smallest, largest;    /**< sizes given out */
	int code;                      /**< 0, or why it ended early */
	uint64_t measured_frame_bytes; /**< 0: not measured yet */
};
/** Threads: one at a time per handle. Since: 0.2 */
WAN_API void wan_chunks_result(const struct wan_chunks *chunks, struct wan_chunks_result *result);
/** Frees the last chunk (release) and the plan. NULL is fine. Threads: once per plan. Since: 0.2 */
WAN_API void wan_chunks_destroy(struct wan_chunks *chunks);

/** How to process n images of one size. */
struct wan_memory_plan {
	bool can_process;                     /**< all of them at once */
	uint64_t need_bytes;                  /**< saturates at UINT64_MAX */
	uint32_t batch;                       /**< images at once, at least 1 */
	uint32_t max_width_px, max_height_px; /**< advised largest size */
	bool use_streaming, reduce_cache;
};
/**
 * n images of w x h x bytes_per_pixel: at once when they need at most 80 % of what is available,
 * else in batches of 60 %, at most 1280x720 each, streaming, with a smaller cache.
 * Pure. Threads: any. Since: 0.1
 */
WAN_API void wan_memory_plan(uint64_t available_bytes, uint32_t images, uint32_t width_px,
			     uint32_t height_px, uint32_t bytes_per_pixel,
			     struct wan_memory_plan *ret_plan);
/** Clamp(percent of available, 32..512 MB), see cache.auto_percent. Pure. Threads: any. Since: 0.1
 */
WAN_API uint64_t wan_memory_optimal_cache_bytes(uint64_t available_bytes, double percent);
/**
 * Frames per chunk: 70 % of (available - reserve) / frame bytes, at most 100 and at most 90 % of
 * available; raised to 10 when that borrows at most a tenth of the reserve.
 * 0: not even one frame fits (or frame_bytes is 0). Pure. Threads: any. Since: 0.1
 */
WAN_API uint32_t wan_memory_chunk_frames(uint64_t available_bytes, uint64_t reserve_bytes,
					 uint64_t frame_bytes);
/** Min(2048 MB, 25 % of limit): what wan_memory_chunk_frames() should leave alone. Pure. Threads:
 * any. Since: 0.1
 */
WAN_API uint64_t wan_memory_chunk_reserve(uint64_t limit_bytes);
/**
 * Slope of the host's used memory in bytes per second over the recorded window (at most 100 looks);
 * positive: rising; 0 with fewer than two. Threads: any. Since: 0.1
 */
WAN_API double wan_memory_trend(struct wan_memory *memory);

/** Where the deciding level is going. */
struct wan_memory_forecast {
	size_t struct_size;         /**< set by the caller */
	char deciding[64];          /**< as in struct wan_memory_state; may be "" */
	enum wan_memory_level next; /**< the next step up; EMERGENCY when that is reached */
	double bytes_per_s;         /**< need of that level, over its newest looks */
	double seconds;             /**< until next is entered; -1: not in sight, 0: reached */
	double seconds_to_limit;    /**< until the limit itself is reached; -1: not in sight */
	double reaction_s;          /**< measured: from a look to memory given back, with the pause
				     * between two looks */
	bool early; /**< others alone get there within four times that: memory goes early */
};
/**
 * Weighted least squares over the newest eight looks at the deciding level. Fields beyond
 * forecast->struct_size are left alone. Threads: any. Cost: under 1 us. Since: 0.2
 */
WAN_API void wan_memory_forecast(struct wan_memory *memory, struct wan_memory_forecast *forecast);

/** One piece of advice. */
struct wan_memory_advice {
	const char *id;      /**< "normal", "system_high", "group_high", "growing", "cache_large",
			      * "process_large", "gpu_high" */
	double value, limit; /**< in percent, MB or seconds, as the text says */
	char text[192];      /**< what, the number, the limit, what to do */
};
/**
 * Advice from the last look; "normal" alone when nothing applies.
 *
 * Returns the pieces written (at most capacity; six are enough for all). Threads: any. Since: 0.1
 */
WAN_API uint32_t wan_memory_recommend(struct wan_memory *memory,
				      struct wan_memory_advice *ret_advice, uint32_t capacity);

#ifdef __cplusplus
}
#endif
#endif
