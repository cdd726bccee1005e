/* SPDX-License-Identifier: MIT */
/** The runtime: one object that wires cache, memory manager, progress monitor and profiler. */
#ifndef WAN_RUNTIME_H
#define WAN_RUNTIME_H

#include <stdbool.h>
#include "wan/cache.h"
#include "wan/config.h"
#include "wan/image.h"
#include "wan/memory.h"
#include "wan/profile.h"
#include "wan/progress.h"
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_runtime;

struct wan_runtime_options {
	size_t struct_size;
	const struct wan_setting *settings; /**< win over environment and files; borrowed */
	uint32_t setting_count;
	bool ignore_files;       /**< default false: ./wanrt.conf and the XDG file are read */
	bool ignore_environment; /**< default false: WAN_* variables are read */
	bool no_thread; /**< default false: one thread looks at memory; else tick yourself */
};

/**
 * Fill in the defaults and struct_size.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API void wan_runtime_options_init(struct wan_runtime_options *options);
/**
 * Make a runtime of its own: cache, memory manager, progress monitor and profiler, introduced to
 * each other. All runtimes of a process share its recording and the pixel pool. options is borrowed
 * for the call; NULL: all defaults.
 *
 * On success *ret_runtime belongs to the caller, who gives it back with wan_runtime_unref(). On
 * failure it is untouched.
 *
 * Returns 0; -EINVAL (options of another version); -ENOENT, -EBADMSG, -ERANGE (a setting or a line
 * of a configuration file: the error names it and the nearest key); -ENOMEM; -EAGAIN (no thread).
 * Threads: any.   Cost: about 0.3 ms.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_runtime_create(const struct wan_runtime_options *options,
					      struct wan_runtime **ret_runtime,
					      struct wan_error *reterr_error);
/**
 * One more owner. NULL is fine. Returns runtime.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API struct wan_runtime *wan_runtime_ref(struct wan_runtime *runtime);
/**
 * One owner less; the last one stops and joins the thread and frees everything. Pins, trackers and
 * batches of this runtime must have been given back. NULL is fine.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API void wan_runtime_unref(struct wan_runtime *runtime);
/**
 * One object for all callers of the process, made at first use from files and environment;
 * borrowed, never freed. A wrong configuration file is reported to the log (wan_set_log()) and
 * ignored. The child of a fork gets one of its own.
 *
 * Returns NULL when memory is out.
 * Threads: any.   Cost: one load after the first call.   Since: 0.1
 */
WAN_API struct wan_runtime *wan_runtime_default(void);

/**
 * The parts, borrowed: they live as long as the runtime. NULL for a NULL runtime.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API struct wan_cache *wan_runtime_cache(struct wan_runtime *runtime);
/** See wan_runtime_cache(). Threads: any. Since: 0.1 */
WAN_API struct wan_memory *wan_runtime_memory(struct wan_runtime *runtime);
/** See wan_runtime_cache(). Threads: any. Since: 0.1 */
WAN_API struct wan_progress *wan_runtime_progress(struct wan_runtime *runtime);
/** See wan_runtime_cache(). Threads: any. Since: 0.1 */
WAN_API struct wan_profile *wan_runtime_profile(struct wan_runtime *runtime);

/** How it is noticed that a file has changed (cache.identity). */
enum wan_identity_mode {
	WAN_IDENTITY_AUTO,    /**< as INOTIFY; a path that cannot be watched as STAT */
	WAN_IDENTITY_INOTIFY, /**< told by the kernel; a path that cannot be watched as STRICT */
	WAN_IDENTITY_STAT,    /**< one stat at most every 100 ms */
	WAN_IDENTITY_STRICT,  /**< one stat at each request */
};
/** What is known about files. A file that is written to through a mapping raises no event, and new
 *  times at the first write only: it is seen within 100 ms of those, and when it is closed. */
struct wan_identity_stats {
	enum wan_identity_mode mode;
	bool by_content;   /**< cache.key: equal files share their values */
	bool watching;     /**< inotify is in use */
	uint64_t bound_ns; /**< a change may be seen this much later; 0: seen by the next request */
	uint32_t watched_paths, unwatched_paths, watches;
	uint64_t stats; /**< system calls of that kind */
	uint64_t events, overflows;
	uint64_t changes; /**< contents seen: first ones and changed ones */
	char reason[64];  /**< why something is not watched; may be empty */
};

struct wan_runtime_summary {
	size_t struct_size; /**< set by the caller; the library fills that much */
	struct wan_cache_stats cache_performance;
	struct wan_progress_summary monitoring_performance;
	struct wan_memory_state memory;
	uint64_t operations; /**< ended since profiling was started */
	bool enabled, profiling_active, monitoring_active;
	uint64_t actions; /**< limits and batches changed by alerts or memory levels */
	struct wan_identity_stats identity; /**< since 0.2 */
};
/**
 * Where all parts stand. Set summary->struct_size first; without it nothing is written.
 *
 * Threads: any.   Cost: reads the recording, about 1 ms.   Since: 0.1
 */
WAN_API void wan_runtime_summary(struct wan_runtime *runtime, struct wan_runtime_summary *summary);
/**
 * cache, memory, progress and profiler in one JSON document (schema wanrt-profile, version 1), to a
 * file, or to standard output for "-". Written to a temporary name and renamed.
 *
 * Returns 0; -EEXIST (overwrite is false); -EINVAL; -ENOMEM; what open, write or rename say.
 * Threads: any.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_runtime_export_json(struct wan_runtime *runtime, const char *path,
						   bool overwrite, struct wan_error *reterr_error);
/**
 * Where this process records, or NULL when it does so in memory only. Borrowed, as long as the
 * process lives.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API const char *wan_runtime_dump_path(struct wan_runtime *runtime);

/**
 * Memory for values of your own (latents, tables, frames of another decoder): asked for as an image
 * is, and taken from the pool of image buffers, so that what the cache drops is used again as it
 *is. malloc() gives the memory of another thread's value back to the kernel, or keeps it for that
 * thread; under a small limit, threads that cache what they allocate run several times slower so.
 *
 * *ret_data has room for bytes, 64-byte aligned, contents undefined; it belongs to the caller, who
 * gives it back with wan_buffer_destroy(), which is also what wan_value.destroy may be:
 *	value = (struct wan_value){data, wan_buffer_charge(bytes), wan_buffer_destroy};
 * runtime NULL: the default one. On failure *ret_data is untouched.
 *
 * Returns 0, -EINVAL (bytes 0), -ENOMEM as wan_load() says. Threads: any; from several at once too.
 * Cost: a recycled buffer below 1 us, a fresh one its page faults (0.4 ms a MB). Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_buffer_create(struct wan_runtime *runtime, uint64_t bytes,
					     void **ret_data, struct wan_error *reterr_error);
/** NULL is fine. Threads: any. Since: 0.2 */
WAN_API void wan_buffer_destroy(void *data);
/** What a buffer for so many bytes takes: at most an eighth more. Pure. Threads: any. Since: 0.2 */
WAN_API uint64_t wan_buffer_charge(uint64_t bytes);

/**
 * An image file, decoded: from the cache, or probed, priced, reserved, decoded (one profiled
 * operation) and cached. runtime NULL: the default one. options NULL: natural pixel format,
 * upright; limits left at their defaults are those of the configuration. A rewritten file is
 * decoded again: see cache.identity for how that is noticed. A file that changes while it is
 * decoded is handed out as it was read, and not kept.
 *
 * On success *ret_pin belongs to the caller, who gives it back with wan_pin_release(); *ret_hit
 * (may be NULL) tells whether it was cached. On failure both are untouched.
 *
 * Returns 0; the errors of wan_image_probe() and wan_image_decode(); -ENOMEM when a level of memory
 * has no room: the error names it, and the hint what would fit (wan_load_offer()); memory that
 * other threads hold is waited for, at most memory.wait. Threads: any; one decode for all who ask
 * at once.   Cost of a hit: below 1 us: asking whether the file changed, one key, one pin.   Since:
 * 0.1
 */
WAN_API WAN_MUST_CHECK int wan_load(struct wan_runtime *runtime, const char *path,
				    const struct wan_decode_options *options,
				    struct wan_pin **ret_pin, bool *ret_hit,
				    struct wan_error *reterr_error);
/** What of an image would fit into memory now. Since: 0.2 */
struct wan_load_offer {
	size_t struct_size; /**< set by the caller */
	uint32_t divisor; /**< 1: the whole image; 2, 4, 8: a JPEG decoded at that part; 0: nothing
			   */
	uint32_t width_px, height_px; /**< upright, at that part; 0 with divisor 0 */
	uint64_t bytes;               /**< what decoding it so takes at its highest */
	uint64_t whole_bytes;         /**< what the whole takes */
	uint64_t room_bytes; /**< what may be taken, with cached values that nobody holds */
	bool by_rows;        /**< wan_fit() can read it without holding it as a whole */
	char limiting[64];   /**< level that decides; may be "" */
};
/**
 * What wan_load() with these options could give now: the whole image, the largest scale of a JPEG
 * that fits, or only what is made row by row. From the header alone; nothing is reserved, so that
 * it may have changed by the next call. A wan_load() that is refused says the same in its hint;
 * with options->accept_divisor it takes the offer by itself. options NULL: defaults.
 *
 * Returns 0 (*offer is filled as far as its struct_size), -EINVAL, the errors of wan_image_probe().
 * Threads: any.   Cost: one probe, a look at memory.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_load_offer(struct wan_runtime *runtime, const char *path,
					  const struct wan_decode_options *options,
					  struct wan_load_offer *offer,
					  struct wan_error *reterr_error);
/**
 * Add what a file holds to a key of one's own, as the calls of this file recognise it
 * (cache.identity, cache.key): for values made from files that go into wan_runtime_cache(). runtime
 * NULL: the default one.
 *
 * Returns 0, or the negative errno of stat; the builder is unchanged then.
 * Threads: any; one at a time per builder.   Cost: one system call of 0.2 us when the file is known
 * and unchanged.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_runtime_key_add_file(struct wan_runtime *runtime,
						    struct wan_key_builder *builder,
						    const char *path);
/**
 * The image inside a pin of wan_load(), wan_thumbnail(), wan_fit() or wan_tensor(); borrowed until
 * wan_pin_release(). NULL for NULL.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API struct wan_image *wan_pin_image(const struct wan_pin *pin);
/**
 * The file's thumbnail, RGB8, cached. Made as wan_image_thumbnail() does it when the decoded file
 * is cached already, or is worth it: it stays cached too. A JPEG at least four times as large goes
 * the short way of wan_image_thumbnail_file() instead, and so does a file that has no room decoded.
 * The two differ by what scaling inside the decoder does, as Pillow's thumbnails of a loaded and of
 * a just opened picture do. Ownership, errors and threads as wan_load(); -EINVAL when a size is 0.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_thumbnail(struct wan_runtime *runtime, const char *path,
					 uint32_t max_width_px, uint32_t max_height_px,
					 struct wan_pin **ret_pin, bool *ret_hit,
					 struct wan_error *reterr_error);
/**
 * The file framed for a clip as wan_image_fit() does it, RGB8, width x height exactly, cached. When
 * the decoded file has no room in memory or below the cache's ceiling, it is read row by row, for
 * the price of the rows and the result. Ownership, errors and threads as wan_load().
 *
 * Threads: any.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_fit(struct wan_runtime *runtime, const char *path, uint32_t width_px,
				   uint32_t height_px, enum wan_fit fit, enum wan_filter filter,
				   struct wan_pin **ret_pin, bool *ret_hit,
				   struct wan_error *reterr_error);
/**
 * wan_fit(), normalised: float32 planes (3, height, width) in [-1, 1], cached. Ownership, errors
 * and threads as wan_load().
 *
 * Threads: any.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_tensor(struct wan_runtime *runtime, const char *path,
				      uint32_t width_px, uint32_t height_px, enum wan_fit fit,
				      enum wan_filter filter, struct wan_pin **ret_pin,
				      bool *ret_hit, struct wan_error *reterr_error);
/**
 * Decode and judge a file with the rules of wan_image_validate(), cached as "image_validation".
 * ret_info, ret_verdict and ret_hit may be NULL. 0 also when the verdict is "not valid".
 *
 * Returns 0 and the errors of wan_load().
 * Threads: any.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_validate(struct wan_runtime *runtime, const char *path,
					struct wan_image_info *ret_info,
					struct wan_verdict *ret_verdict, bool *ret_hit,
					struct wan_error *reterr_error);

#ifdef __cplusplus
}
#endif
#endif
