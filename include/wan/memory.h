/* SPDX-License-Identifier: MIT */
/** Memory: where we stand, who must give, how much may be asked for. */
#ifndef WAN_MEMORY_H
#define WAN_MEMORY_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_memory;
struct wan_batch;

enum wan_memory_level {
	WAN_MEMORY_NORMAL,
	WAN_MEMORY_WARNING,
	WAN_MEMORY_CRITICAL,
	WAN_MEMORY_EMERGENCY,
};

struct wan_memory_state {
	size_t struct_size;
	enum wan_memory_level level;
	char deciding[64];	     /**< "host", "cgroup /x", "process" */
	double deciding_percent;
	uint64_t total_bytes, available_bytes; /**< host */
	double host_percent;
	uint64_t cgroup_limit_bytes, cgroup_need_bytes; /**< tightest level; 0: none */
	char tightest[64];	     /**< level with the fewest bytes of headroom */
	uint64_t headroom_bytes;
	uint64_t process_rss_bytes;
	bool gpu_known;
	uint64_t gpu_total_bytes, gpu_used_bytes;
};

/** Frees memory when asked. Called without locks, from the watcher's or a reserving thread.
 *  Return the bytes really freed. */
struct wan_reclaimer {
	const char *name;
	int priority; /**< lower is asked first: cheap to give back */
	uint64_t (*reclaim)(void *context, enum wan_memory_level level, uint64_t want_bytes);
	void *context;
};

WAN_API void wan_memory_state(struct wan_memory *memory, struct wan_memory_state *state);
/** Read the sources now and act if a level was entered. Returns the level. */
WAN_API enum wan_memory_level wan_memory_tick(struct wan_memory *memory);
WAN_API WAN_MUST_CHECK int wan_memory_add_reclaimer(struct wan_memory *memory,
						    const struct wan_reclaimer *reclaimer);
WAN_API void wan_memory_remove_reclaimer(struct wan_memory *memory, void *context);
/** Ask before allocating. 0 granted (unreserve the same bytes later), -ENOMEM refused: the error
 *  names the limiting level. */
WAN_API WAN_MUST_CHECK int wan_memory_reserve(struct wan_memory *memory, uint64_t bytes,
					      struct wan_error *reterr_error);
WAN_API void wan_memory_unreserve(struct wan_memory *memory, uint64_t bytes);
/** Called at emergency, after clearing. */
WAN_API WAN_MUST_CHECK int wan_memory_on_emergency(struct wan_memory *memory,
						   void (*callback)(void *context), void *context);

struct wan_batch_options {
	size_t struct_size;
	const char *name;
	uint32_t minimum, maximum; /**< batch sizes; start is maximum */
	bool on_gpu;		   /**< halved when GPU memory passes memory.gpu */
};
WAN_API void wan_batch_options_init(struct wan_batch_options *options);
WAN_API WAN_MUST_CHECK int wan_batch_create(struct wan_memory *memory,
					    const struct wan_batch_options *options,
					    struct wan_batch **ret_batch);
/** Items to take now, minimum..maximum. */
WAN_API uint32_t wan_batch_next(struct wan_batch *batch);
/** How it went: failed_for_memory halves at once; success lets it grow back. */
WAN_API void wan_batch_report(struct wan_batch *batch, uint32_t items, bool failed_for_memory);
WAN_API void wan_batch_destroy(struct wan_batch *batch);

/** n images of w x h x bytes_per_pixel against what is available (0.8 / 0.6 rules). Pure. */
struct wan_memory_plan {
	bool can_process;
	uint64_t need_bytes;
	uint32_t batch;		     /**< images at once */
	uint32_t max_width_px, max_height_px; /**< advised largest size */
	bool use_streaming, reduce_cache;
};
WAN_API void wan_memory_plan(uint64_t available_bytes, uint32_t images, uint32_t width_px,
			     uint32_t height_px, uint32_t bytes_per_pixel,
			     struct wan_memory_plan *ret_plan);
/** Clamp(20 % of available, 32..512 MB) with percent from the configuration. Pure. */
WAN_API uint64_t wan_memory_optimal_cache_bytes(uint64_t available_bytes, double percent);
/** Frames per chunk: 70 % of (available - reserve) / frame bytes, 10..100; 0: not even ten fit. */
WAN_API uint32_t wan_memory_chunk_frames(uint64_t available_bytes, uint64_t reserve_bytes,
					 uint64_t frame_bytes);
/** Bytes per second of the host's used memory over the recorded window; positive: rising. */
WAN_API double wan_memory_trend(struct wan_memory *memory);
/** Advice as text, "normal" when nothing applies. Returns the number of lines written to texts. */
WAN_API uint32_t wan_memory_recommend(struct wan_memory *memory, const char **texts, uint32_t capacity);

#ifdef __cplusplus
}
#endif
#endif
