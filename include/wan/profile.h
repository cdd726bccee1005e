/* SPDX-License-Identifier: MIT */
/** Profile: operations with size, time, CPU, memory and outcome, and what to conclude from them. */
#ifndef WAN_PROFILE_H
#define WAN_PROFILE_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A profiler; wan_runtime_profile() gives the one of a runtime. */
struct wan_profile;

/**
 * An operation under way. Lives on the caller's stack, needs no initialisation, nothing is
 * allocated. The words are private.
 */
struct wan_op {
	uint64_t private_words[18];
};

enum wan_op_status {
	WAN_OP_OK,
	WAN_OP_WARNED, /**< a result, but the input was repaired or guessed */
	WAN_OP_FAILED,
	WAN_OP_ABORTED, /**< given up by the caller */
};

/** What was special about an operation; rows of the report tell them apart. */
enum wan_op_flags {
	WAN_OP_PROGRESSIVE = 4, /**< progressive or interlaced source */
	WAN_OP_SCALED = 8,      /**< the decoder was asked for a smaller size */
	WAN_OP_LOSSLESS = 16,   /**< transformed without decoding */
};

/**
 * Begin an operation. name ("thumbnail_256x256") is copied, at most 63 bytes; op is the caller's
 * and is filled. Every begin needs one wan_op_end() or wan_op_cancel(); a second one does nothing.
 * An operation begun while another one of this thread is open is nested: it is listed, but not
 * counted in totals. Recorded are the time, what the thread allocated and freed and the peak (when
 * somebody counts: jemalloc, or wanprof run), and for operations of 0.8 ms or more the CPU time.
 *
 * Its category is the name up to the first '.' ("jpeg.decode": jpeg), else the whole name; see
 * wan_profile_set_categories().
 *
 * profile NULL, not active, or the category switched off: op is marked idle and all calls on it do
 * nothing. Threads: any; begin, set and end of one op belong to one thread (ended elsewhere, only
 * its time is recorded). Cost: about 1.6 times two clock reads with wan_op_end(); off: one
 * predicted branch, without a call (see the end of this header). Since: 0.1
 */
WAN_API void wan_op_begin(struct wan_profile *profile, struct wan_op *op, const char *name);
/**
 * Same, for what is known to be large (decode, resize): CPU time and peak memory are exact and
 * always recorded. Threads: as wan_op_begin(). Cost: 1 us more. Since: 0.1
 */
WAN_API void wan_op_begin_large(struct wan_profile *profile, struct wan_op *op, const char *name);
/**
 * Tell its image. 0 is unknown for width_px, height_px, channels and bit_depth (bits per sample);
 * file_bytes UINT64_MAX is unknown. Threads: as begin. Since: 0.1
 */
WAN_API void wan_op_set_image(struct wan_op *op, uint32_t width_px, uint32_t height_px,
			      uint32_t channels, uint32_t bit_depth, uint64_t file_bytes);
/**
 * Tell its input file: repeated work on the same file is found by it. path is copied (at most 1023
 * bytes; dropped when the recording has no room for more texts). Threads: as begin. Since: 0.1
 */
WAN_API void wan_op_set_file(struct wan_op *op, const char *path);
/** Tell what is special: enum wan_op_flags, added to earlier ones. Threads: as begin. Since: 0.1 */
WAN_API void wan_op_set_flags(struct wan_op *op, uint32_t flags);
/**
 * Add memory that the allocator's counters do not show (mapped buffers, a GPU): net_bytes stays
 * after the operation (negative: given back), peak_bytes is the most it held of it. Makes memory
 * known where it would not be. Threads: as begin. Since: 0.1
 */
WAN_API void wan_op_add_memory(struct wan_op *op, int64_t net_bytes, uint64_t peak_bytes);
/** End it and record it. Threads: as begin. Since: 0.1 */
WAN_API void wan_op_end(struct wan_op *op, enum wan_op_status status);
/** Forget it: nothing is recorded. Threads: as begin. Since: 0.1 */
WAN_API void wan_op_cancel(struct wan_op *op);

/**
 * Record an operation that is over and was done in pieces, as a coroutine's is: it began span_ns
 * ago and was at work inside_ns of that. CPU time and memory are not known. name as wan_op_begin()
 * takes it. Nothing is done where wan_op_begin() would do nothing. Threads: any. Since: 0.2
 */
WAN_API void wan_op_record(struct wan_profile *profile, const char *name, uint64_t span_ns,
			   uint64_t inside_ns, enum wan_op_status status);

/**
 * Forget earlier records and begin. A profile that records because the configuration says so
 * (profile.enabled) is started all the same: results begin here.
 *
 * Returns 0, -EALREADY (started before and not stopped), -ENOMEM, -EINVAL (profile NULL).
 * Threads: any. Since: 0.1
 */
WAN_API int wan_profile_start(struct wan_profile *profile);
/**
 * Stop recording; results and JSON stay available and no longer change.
 * Returns 0, -EALREADY (not active), -ENOMEM (nothing changed), -EINVAL. Threads: any. Since: 0.1
 */
WAN_API int wan_profile_stop(struct wan_profile *profile);
/** Are operations recorded now? NULL: false. Threads: any. Since: 0.1 */
WAN_API bool wan_profile_active(struct wan_profile *profile);
/**
 * Which categories to record, from the next begin on: "decode,io" only these, "-io" all but this
 * one, "" or NULL all. The first value is that of the key profile.categories. Operations under way
 * end as they began. An operation of a category that is off costs a call and a look at its name.
 *
 * Returns 0, -ENOMEM (nothing changed), -EINVAL (profile NULL, or more than 64 categories).
 * Threads: any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_profile_set_categories(struct wan_profile *profile,
						      const char *categories);

/** Totals over the outermost operations since the start, and what was found, worst first. */
struct wan_profile_results {
	size_t struct_size;        /**< set by the caller: sizeof of this struct */
	uint64_t total_operations; /**< ended ones */
	double total_time_ms, average_time_ms;
	double peak_memory_mb, total_memory_mb;          /**< negative: unknown */
	uint32_t bottleneck_count, recommendation_count; /**< filled below, at most 16 */
	char bottlenecks[16][192]; /**< "Slow operations: jpeg.decode 3 of 9 above 500 ms" */
	char recommendations[16][192];
};
/**
 * Judge what was recorded since the start (of this whole process when never started), by the rule
 * set profile.rules. Fields beyond results->struct_size are left alone.
 *
 * Returns 0, -EINVAL (results NULL or struct_size 0), -ENOMEM. Threads: any.
 * Cost: milliseconds: reads a copy of the recording. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_profile_results(struct wan_profile *profile,
					       struct wan_profile_results *results);
/**
 * The JSON profile (schema_version 1) of the same records, with cache, memory and progress of this
 * process. Written to a temporary name in the same folder and renamed; "-" is descriptor 1.
 *
 * Returns 0, -EEXIST (path exists and overwrite is false), -ENOMEM, or what open, write or rename
 * said; nothing half-written remains. Threads: any. Cost: as results. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_profile_write_json(struct wan_profile *profile, const char *path,
						  bool overwrite, struct wan_error *reterr_error);

/*
 * Off costs no call: the first word of a struct wan_profile is not 0 while it is active, the first
 * word of an op while it is open. The names below are the checked forms of the functions above,
 * which stay what they are for other languages; #undef a name to call the function itself.
 */
#if defined(__GNUC__) && !defined(WAN_PROFILE_CALLS)
static inline bool wan_profile_is_on_(const struct wan_profile *profile)
{
	return profile &&
	       __atomic_load_n((const uint32_t *)(const void *)profile, __ATOMIC_RELAXED);
}

static inline void wan_op_begin_(struct wan_profile *profile, struct wan_op *op, const char *name)
{
	if (__builtin_expect(wan_profile_is_on_(profile), 1))
		wan_op_begin(profile, op, name);
	else if (op)
		op->private_words[0] = 0;
}

static inline void wan_op_begin_large_(struct wan_profile *profile, struct wan_op *op,
				       const char *name)
{
	if (__builtin_expect(wan_profile_is_on_(profile), 1))
		wan_op_begin_large(profile, op, name);
	else if (op)
		op->private_words[0] = 0;
}

static inline void wan_op_set_image_(struct wan_op *op, uint32_t width_px, uint32_t height_px,
				     uint32_t channels, uint32_t bit_depth, uint64_t file_bytes)
{
	if (op && op->private_words[0])
		wan_op_set_image(op, width_px, height_px, channels, bit_depth, file_bytes);
}

static inline void wan_op_end_(struct wan_op *op, enum wan_op_status status)
{
	if (op && op->private_words[0])
		wan_op_end(op, status);
}

#define wan_op_begin       wan_op_begin_
#define wan_op_begin_large wan_op_begin_large_
#define wan_op_set_image   wan_op_set_image_
#define wan_op_end         wan_op_end_
#endif

#ifdef __cplusplus
}
#endif

/**
 * Scope: WAN_PROFILE_SCOPE(profile, "thumbnail_256x256") { ... } is an operation until the block is
 * left, by its closing brace, return, goto or break, and ends as WAN_OP_OK; in C++ as WAN_OP_FAILED
 * when an exception leaves it. longjmp out of it is not seen. Without GNU C: by its closing brace
 * only.
 */
#define WAN_PROFILE_SCOPE(profile, name)           WAN_PROFILE_SCOPE_AT_((profile), (name), __LINE__)
#define WAN_PROFILE_SCOPE_AT_(profile, name, line) WAN_PROFILE_SCOPE_IN_(profile, name, line)

#if defined(__cplusplus) && __cplusplus >= 201103L
#include <exception>

namespace wan
{

/**
 * An operation for the length of a block: begun by the constructor, ended by the destructor as
 * WAN_OP_OK, or as WAN_OP_FAILED when an exception leaves the block. Not copied, not moved.
 */
class operation
{
      public:
	operation(wan_profile *profile, const char *name) noexcept : exceptions_(exceptions())
	{
		wan_op_begin(profile, &op_, name);
	}
	~operation()
	{
		wan_op_end(&op_, exceptions() > exceptions_ ? WAN_OP_FAILED : WAN_OP_OK);
	}
	operation(const operation &) = delete;
	operation &operator=(const operation &) = delete;

	void set_image(uint32_t width_px, uint32_t height_px, uint32_t channels, uint32_t bit_depth,
		       uint64_t file_bytes = UINT64_MAX) noexcept
	{
		wan_op_set_image(&op_, width_px, height_px, channels, bit_depth, file_bytes);
	}
	/** Now, instead of at the end of the block. */
	void end(wan_op_status status) noexcept
	{
		wan_op_end(&op_, status);
	}
	void cancel() noexcept
	{
		wan_op_cancel(&op_);
	}
	/** For the functions that have no method here. Borrowed. */
	wan_op *get() noexcept
	{
		return &op_;
	}
	/** True once: what WAN_PROFILE_SCOPE loops by. */
	bool first_() noexcept
	{
		bool first = first_turn_;
		first_turn_ = false;
		return first;
	}

      private:
	static int exceptions() noexcept
	{
#if __cplusplus >= 201703L
		return std::uncaught_exceptions();
#else
		return std::uncaught_exception() ? 1 : 0;
#endif
	}
	wan_op op_;
	int exceptions_;
	bool first_turn_ = true;
};

} /* namespace wan */

#define WAN_PROFILE_SCOPE_IN_(profile, name, line)                                                 \
	for (::wan::operation wan_scope_##line(profile, name); wan_scope_##line.first_();)
#else
#if defined(__GNUC__)
#define WAN_SCOPE_CLEANUP_ __attribute__((cleanup(wan_scope_end_)))
#else
#define WAN_SCOPE_CLEANUP_
#endif
static inline void wan_scope_end_(struct wan_op *op)
{
	wan_op_end(op, WAN_OP_OK);
}
#define WAN_PROFILE_SCOPE_IN_(profile, name, line)                                                 \
	for (struct wan_op wan_scope_op_##line WAN_SCOPE_CLEANUP_,                                 \
	     *wan_scope_##line =                                                                   \
		     (wan_op_begin(profile, &wan_scope_op_##line, name), &wan_scope_op_##line);    \
	     wan_scope_##line; wan_scope_end_(wan_scope_##line), wan_scope_##line = NULL)
#endif
#endif
