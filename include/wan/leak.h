/* SPDX-License-Identifier: MIT */
/**
 * Leak test: does what the process holds grow from one iteration to the next? For unit tests and
 * for loops of your own; `wanprof leak -- CMD` asks the same of a program, unchanged or with these
 * calls in it (then they say where its iterations end).
 */
#ifndef WAN_LEAK_H
#define WAN_LEAK_H

#include <stdbool.h>
#include "wan/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

enum wan_leak_verdict {
	WAN_LEAK_NONE,
	WAN_LEAK_FOUND,
	WAN_LEAK_INCONCLUSIVE, /**< too few iterations, or growth that may yet end */
};

/** A test under way: on the caller's stack, nothing is allocated. The words are private. */
struct wan_leak {
	uint64_t private_words[224];
};

struct wan_leak_options {
	size_t struct_size;
	uint32_t iterations;  /**< fewer are inconclusive; default 10, at least 6 */
	uint64_t limit_bytes; /**< total growth above this is too much; default 100 MB (1 MB is
				 1 048 576 bytes, here as everywhere) */
	uint64_t each_bytes;  /**< growth per iteration below this is no leak; default 32 KiB */
	uint64_t settle_ns;   /**< wan_leak_iteration() waits so long before it reads, for threads
				 that free behind; default 0 */
	bool classic; /**< total growth alone decides, whether it ends or not; default false */
};

struct wan_leak_result {
	size_t struct_size; /**< set by the caller; the library fills that much */
	enum wan_leak_verdict verdict;
	uint64_t iterations;
	double growth_bytes;                    /**< of all of them: last reading less the first */
	double each_bytes;                      /**< per iteration: median of the pairwise slopes */
	double each_low_bytes, each_high_bytes; /**< 99 % interval of it */
	char source[32];  /**< whose books: "glibc", "jemalloc", "sanitizer", "resident memory" */
	char reason[192]; /**< one sentence */
};

/** Fill in the defaults and struct_size. Threads: any. Since: 0.2 */
WAN_API void wan_leak_options_init(struct wan_leak_options *options);

/**
 * Begin: reads what the process holds. leak is the caller's and is filled; runtime may be NULL,
 * else it must stay while the test lasts and what its cache holds is taken off, so that a cache
 * which fills is no leak. options NULL: all defaults; name ("decode twice") is copied, at most 63
 * bytes, and is what `wanprof leak` lists; NULL: "iteration".
 *
 * Read are the allocator's own books of all threads (glibc, jemalloc, a sanitizer) and the image
 * buffers of this library; where there are no books, resident memory, which is a weak witness.
 *
 * Returns 0, -EINVAL (leak NULL, options of another version or out of range). Nothing to free.
 * Threads: one at a time per handle.   Cost: 5 to 1000 us, as iteration.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_leak_begin(struct wan_leak *leak, struct wan_runtime *runtime,
					  const struct wan_leak_options *options, const char *name);
/**
 * An iteration is over: everything that it should have given back has been. Waits for settle_ns,
 * then reads.
 *
 * Threads: one at a time per handle; not from a signal handler.   Cost: as begin.   Since: 0.2
 */
WAN_API void wan_leak_iteration(struct wan_leak *leak);
/**
 * Judge the readings so far; more may follow. result->struct_size is set by the caller.
 *
 * It is a leak when growth is steady: the 99 % interval of the median pairwise slope (Theil, Sen;
 * Kendall's test) is above 0, the slope at least each_bytes, and it goes on in the later half.
 * Growth that comes once or dies away is none, however large (a cache that warms up).
 *
 * Returns enum wan_leak_verdict, or -EINVAL (an argument is NULL, no wan_leak_begin()).
 * Threads: one at a time per handle.   Cost: about 0.1 ms.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_leak_judge(const struct wan_leak *leak,
					  struct wan_leak_result *result);

#ifdef __cplusplus
}
#endif
#endif
