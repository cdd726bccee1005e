/* SPDX-License-Identifier: MIT */
/**
 * Thread-safe strict LRU cache over images and any other data, with a byte ceiling that holds.
 *
 * What counts against the ceiling: the payload of each entry plus WAN_CACHE_ENTRY_BYTES, what the
 * cache itself takes beyond that and 256 KiB, values reserved for a computation under way, values
 * that left the cache but are still pinned, and values whose destructor has not returned yet. The
 * sum (used_bytes) never exceeds limit_bytes, except by debt_bytes after a limit was lowered below
 * what is pinned or in flight. A value passed to wan_cache_put() exists before it can be charged;
 * one made by wan_cache_get_or_compute() with a true expected_bytes is charged before it exists.
 *
 * Strict LRU: the entry evicted is always the one whose last use (pin, hit, put, weak lock) is the
 * longest ago among those nobody has pinned. Uses by several threads are ordered by the processor's
 * tick counter, so uses that overlap count in some order; one that came after another has ended
 * counts after it, but for the tens of nanoseconds by which processors execute ahead. Hints and
 * other policies change which entry goes.
 *
 * A hit takes no lock and writes nothing that other threads write. The first hit of a thread makes
 * a record for it (1 KiB, and 8 bytes for each entry), which the next thread takes over when it
 * ends; without memory for it hits take the lock. In a forked child the cache goes on, unless
 * another thread was inside a miss, a put or another call that takes the lock; what other threads
 * had pinned stays.
 *
 * Callbacks (compute, destroy) run without locks and may call back into the cache.
 */
#ifndef WAN_CACHE_H
#define WAN_CACHE_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_cache;
struct wan_pin;

/** 128-bit identity of a value: source, operation, every parameter, size and pixel format. */
struct wan_key {
	uint64_t words[2];
};

/** Builds a key from parts, each framed by its length: ("ab","c") differs from ("a","bc"). Lives on
 *  the caller's stack; nothing to free. Fields are private. */
struct wan_key_builder {
	uint64_t state[8];
	uint64_t length;
};

/**
 * Start a key with the name of the operation ("thumbnail_256x256"). operation is borrowed for the
 * call.
 *
 * Threads: one at a time per builder.   Since: 0.1
 */
WAN_API void wan_key_begin(struct wan_key_builder *builder, const char *operation);
/**
 * Add a named parameter: any bytes, a number, a text. All pointers are borrowed for the call.
 *
 * Threads: one at a time per builder.   Cost: proportional to count.   Since: 0.1
 */
WAN_API void wan_key_add(struct wan_key_builder *builder, const char *name, const void *bytes,
			 size_t count);
WAN_API void wan_key_add_u64(struct wan_key_builder *builder, const char *name, uint64_t value);
WAN_API void wan_key_add_text(struct wan_key_builder *builder, const char *name, const char *text);
/**
 * Add the identity of a file: device, inode, size, times of change in nanoseconds. The contents are
 * not read, unless the file changed within the last clock ticks, when it could change again without
 * a new time.
 *
 * Returns 0, or the negative errno of stat; the builder is unchanged then.
 * Threads: one at a time per builder.   Cost: one stat.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_key_add_file(struct wan_key_builder *builder, const char *path);
/**
 * Add what a source holds rather than where it is: the same bytes in two files, or in a file and in
 * memory, are the same part. 128 bits of XXH3 under a seed of this process.
 *
 * Threads: one at a time per builder.   Cost: count bytes hashed, about 15 GB/s.   Since: 0.2
 */
WAN_API void wan_key_add_content(struct wan_key_builder *builder, const void *bytes, size_t count);
/**
 * The same for all bytes of a regular file.
 *
 * Returns 0; -EISDIR, -EINVAL (not a regular file), -ENOMEM, what open and read say; the builder is
 * unchanged then. Threads: one at a time per builder.   Cost: reads the file.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_key_add_file_content(struct wan_key_builder *builder,
						    const char *path);
/**
 * The finished key. The builder must be begun again before it is used for another one.
 *
 * Threads: one at a time per builder.   Since: 0.1
 */
WAN_API struct wan_key wan_key_end(struct wan_key_builder *builder);
/**
 * The key of any bytes, for values that have a name already: a string, a struct without padding.
 * Never equal to a key of the builder. Keys are of this process: do not store them.
 *
 * Threads: any.   Cost: one hash, about 10 ns for 64 bytes.   Since: 0.2
 */
WAN_API struct wan_key wan_key_of(const void *bytes, size_t count);

struct wan_value;

/**
 * How a value is kept smaller while nobody uses it: the cold form is an ordinary value without
 * flags, and gives back exactly what was frozen. Both calls run without locks, may fail, and must
 * not touch the cache. Static storage.
 */
struct wan_cold_ops {
	/** Make the cold form of data, which stays as it is. Returns 0 and fills *ret_cold; -E2BIG
	 *  when it would not be smaller than bytes_max (nothing is made); -ENOMEM, -ENOTSUP. */
	int (*freeze)(void *data, uint64_t bytes_max, struct wan_value *ret_cold);
	/** Make the value again from the cold form, which stays. Returns 0 and fills *ret_value, or
	 * a negative errno. */
	int (*thaw)(void *cold, struct wan_value *ret_value);
};

/**
 * A value handed to the cache. Once taken over, destroy (NULL: nothing to do) is called exactly
 * once with data, also when data is NULL, without locks, on any thread, after the last pin.
 */
struct wan_value {
	void *data;     /**< may be NULL: an empty result is a value too */
	uint64_t bytes; /**< charged with WAN_CACHE_ENTRY_BYTES on top; may be 0 */
	void (*destroy)(void *data);
	uint32_t flags;   /**< WAN_CACHE_ bits; others are -EINVAL */
	uint64_t cost_ns; /**< what making it again takes; 0: as measured when it was computed */
	const struct wan_cold_ops *cold; /**< NULL: never kept compressed */
};
enum {
	WAN_CACHE_DERIVED = 1, /**< small derived image: not counted as an entry up to 256 KiB */
	/** Hint: one of many looked at once. Goes before all without this hint; using it again
	 *  makes it an ordinary entry. */
	WAN_CACHE_SCAN = 2,
	/** Hint: goes after all without this hint. */
	WAN_CACHE_PIN = 4,
	/** Set by a computation that fails: its error is kept as an empty derived value, and who
	 *  asks for the key gets it at once. Elsewhere -EINVAL. Since 0.2. */
	WAN_CACHE_FAILURE = 8,
};
/** Metadata of one entry, in bytes, charged with its payload. */
#define WAN_CACHE_ENTRY_BYTES 192

/** Which entry goes first. */
enum wan_cache_policy {
	WAN_CACHE_LRU,  /**< strictly the one used longest ago */
	WAN_CACHE_AUTO, /**< the one whose loss costs least, as learnt; never left worse than LRU */
	WAN_CACHE_GDSF, /**< by frequency and cost per byte */
	WAN_CACHE_S3FIFO,
};

/** What wan_cache_get_or_compute() does when the result has no room. */
enum wan_cache_full {
	WAN_CACHE_PASS, /**< hand it out uncached */
	WAN_CACHE_WAIT, /**< wait for room before computing, at most wait_ns, then as PASS */
	WAN_CACHE_FAIL, /**< -EAGAIN, or -EFBIG, before computing */
};

struct wan_cache_options {
	size_t struct_size;
	uint64_t limit_bytes; /**< byte ceiling, 1..2^63-1; default 256 MB (cache.limit) */
	uint64_t entry_limit; /**< entries, 1..2^63-1; default 50 (cache.entries) */
	uint64_t idle_ns;     /**< default one hour (cache.idle); 0: never expires */
	bool count_derived;   /**< small derived values count as entries too; default false */
	/** Clock of idle_ns, for tests, which may stand still and run for three days; called with
	 *  locks held. NULL: the tick counter */
	uint64_t (*now_ns)(void);
	/** 64 words kept up to date (record/schema.def: cache), borrowed until wan_cache_destroy();
	 *  NULL: private. Hits reach them with one of the next steps under the lock, at the latest
	 *  with wan_cache_stats(). */
	uint64_t *counters;
	uint64_t wait_ns; /**< longest wait for another's computation, and for room; default 1 s */
	enum wan_cache_policy policy; /**< default WAN_CACHE_LRU (cache.policy) */
	enum wan_cache_full full;     /**< default WAN_CACHE_PASS (cache.full) */
};

/** Why nothing is kept compressed. */
enum wan_cold_reason {
	WAN_COLD_OFF,             /**< nobody calls wan_cache_background() */
	WAN_COLD_WORKS,           /**< something is kept */
	WAN_COLD_NOTHING_OFFERED, /**< no value has cold operations */
	WAN_COLD_NO_PRESSURE,     /**< everything fits as it is */
	WAN_COLD_CHEAP,           /**< computing again takes hardly longer than decompressing */
	WAN_COLD_SELDOM,          /**< what leaves is seldom asked for again */
	WAN_COLD_INCOMPRESSIBLE,
	WAN_COLD_POLICY,  /**< WAN_CACHE_AUTO and S3FIFO gain nothing by it: off */
	WAN_COLD_NOT_YET, /**< values left, none of them looked at while it would have paid */
};
/** A few words for people; static storage. Threads: any. Since: 0.2 */
WAN_API const char *wan_cold_reason_text(enum wan_cold_reason reason);

struct wan_cache_stats {
	size_t struct_size;   /**< set by the caller; the library fills that much */
	uint64_t limit_bytes; /**< ceiling */
	uint64_t used_bytes;  /**< all that counts against it, as said at the top of this file */
	uint64_t entries;     /**< that can be found, derived ones included */
	uint64_t entry_limit; /**< for entries - derived_entries */
	uint64_t requests;    /**< pin and get_or_compute calls: hits + misses */
	uint64_t hits;
	uint64_t misses;           /**< also those that waited for another thread's computation */
	uint64_t evictions;        /**< to keep a limit, or by wan_cache_trim() */
	uint64_t expirations;      /**< idle for too long; not in evictions */
	uint64_t puts;             /**< values stored, computed ones included */
	uint64_t refused_oversize; /**< values larger than the ceiling */
	uint64_t pinned_bytes;     /**< part of used_bytes */
	uint64_t in_flight_bytes;  /**< part of used_bytes: reserved for computations under way */
	uint64_t cold_bytes;       /**< part of used_bytes: compressed values */
	uint64_t debt_bytes;       /**< used_bytes above limit_bytes, paid as pins are released */
	uint64_t time_saved_ns; /**< measured compute time of each entry, once for each later hit */
	double hit_rate;        /**< hits / requests; 0 without requests */
	uint64_t derived_entries; /**< not counted against entry_limit */
	uint64_t passed_through;  /**< values handed out without being stored */
	uint64_t shared_waits;    /**< misses served by another thread's computation */
	uint64_t wait_timeouts; /**< waits given up after wait_ns; computed again, passed through */
	uint64_t deadlocks;     /**< waits avoided: re-entry, loaders that wait for each other */
	uint64_t cold_entries;  /**< compressed values; not in entries. Since 0.2, as all below */
	uint64_t cold_raw_bytes; /**< what they are uncompressed */
	uint64_t cold_hits;      /**< part of hits: decompressed instead of computed */
	uint64_t cold_made;      /**< values compressed */
	uint64_t cold_dropped;   /**< compressed values given up for room */
	uint64_t cold_saved_ns;  /**< part of time_saved_ns, the time to decompress taken off */
	enum wan_cold_reason cold_reason; /**< why cold_entries is 0 */
};

/**
 * Fill in the defaults and struct_size.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API void wan_cache_options_init(struct wan_cache_options *options);

/**
 * Make a cache. options is borrowed for the call; NULL: all defaults.
 *
 * On success *ret_cache belongs to the caller, who ends it with wan_cache_destroy(). On failure it
 * is untouched.
 *
 * Returns 0, -EINVAL (a limit of 0 or above 2^63-1; options of a later version with fields this one
 * does not know), -ENOMEM.
 * Threads: any.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_cache_create(const struct wan_cache_options *options,
					    struct wan_cache **ret_cache);

/**
 * End a cache; NULL is allowed. Values nobody has pinned are destroyed before it returns. Pins
 * still held stay valid and are released as usual; the last one frees the rest. No other call may
 * be under way or follow. The mirrored counters keep their last state.
 *
 * Threads: one, the last.   Since: 0.1
 */
WAN_API void wan_cache_destroy(struct wan_cache *cache);

/**
 * Find a value and hold it in memory: it stays as it is until the release, even if the entry is
 * overwritten, evicted or removed. Counts as a request.
 *
 * On success *ret_pin belongs to the caller, who gives it back with wan_pin_release(), on any
 * thread. On failure it is untouched.
 *
 * Returns 0, -ENOENT (not cached, or idle for too long), -EINVAL.
 * Returns also the failure that is kept under the key (WAN_CACHE_FAILURE).
 * Threads: any.   Cost: a hit about one read of the tick counter (10 ns with the release), half of
 * that when one thread uses the cache and asks for the same entry again or with another policy than
 * LRU; a miss takes a lock. Independent of the size of the value.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_cache_pin(struct wan_cache *cache, struct wan_key key,
					 struct wan_pin **ret_pin);

/**
 * Give a pin back, on any thread; NULL is allowed. May run the destructor of a value that left the
 * cache, and may evict when a limit was lowered meanwhile.
 *
 * Threads: any.   Cost: two stores, on another thread than the one that pinned an exchange; a lock
 * when the value has left the cache, or beyond 95 pins of one thread.   Since: 0.1
 */
WAN_API void wan_pin_release(struct wan_pin *pin);

/**
 * The value and its size in bytes as given to the cache. Borrowed until the release; NULL and 0 for
 * an empty value and for a NULL pin.
 *
 * Threads: any.   Cost: two loads.   Since: 0.1
 */
WAN_API void *wan_pin_data(const struct wan_pin *pin);
WAN_API uint64_t wan_pin_bytes(const struct wan_pin *pin);

/**
 * Store a value; overwrites an entry of the same key, whose value is destroyed after its last pin.
 * Evicts the oldest entries nobody has pinned until it fits, all that are needed or none.
 *
 * On success (0) the cache owns the value. On failure it stays the caller's, and the cache is as it
 * was before, an older value of the key included.
 *
 * Returns 0, -EFBIG (larger than the ceiling), -EAGAIN (what is pinned or in flight leaves no
 * room), -EINVAL (unknown flags), -ENOMEM.
 * Threads: any.   Cost: two locks and one destructor for each entry evicted: 0.1 us to 1000
 * entries, 0.6 us to 100 000; while other threads have records also one membarrier(2), 5 us, for
 * all that one call evicts.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_cache_put(struct wan_cache *cache, struct wan_key key,
					 const struct wan_value *value);

/**
 * Store a value and pin it. When it cannot be cached (larger than the ceiling, no room), the pin
 * holds it all the same: passed through. An older value of the key is gone then.
 *
 * On success (0) the cache owns the value, and *ret_pin belongs to the caller. On failure the value
 * stays the caller's, and *ret_pin is untouched.
 *
 * Returns 0, -EINVAL, -ENOMEM.
 * Threads: any.   Cost: as wan_cache_put().   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_cache_put_pinned(struct wan_cache *cache, struct wan_key key,
						const struct wan_value *value,
						struct wan_pin **ret_pin);

/**
 * Computes a missing value: fill *ret_value (zeroed before the call, which is an empty value) and
 * return 0, or return a negative errno and keep what was allocated. Called without locks. It must
 * return: no longjmp, no thread exit.
 */
typedef int (*wan_cache_compute)(void *context, struct wan_value *ret_value);

/**
 * Pin a value, or compute it once and pin it: of all threads that miss a key at the same time one
 * computes, the others wait and share the result. Failures reach every waiter and are not cached.
 * Counts as a request.
 *
 * expected_bytes (0: unknown) is reserved before computing, so that the value has its place under
 * the ceiling before it exists; what the result has in excess is reserved again. A result that has
 * no room, or whose key was put, removed or cleared meanwhile, is passed through: handed out to all
 * who asked, but not stored. options.full says what happens when there is no room for
 * expected_bytes: nothing else, or a wait for it before computing, or -EAGAIN or -EFBIG.
 *
 * Nobody waits for ever. A thread computes for itself, and its result is passed through, when
 * wait_ns has passed, when the computation it would wait for waits for this thread, or when compute
 * asks for its own key; a computation that does so again inside of that one gets -EDEADLK.
 *
 * On success *ret_pin belongs to the caller, and *ret_hit (may be NULL) tells whether the value was
 * found in the cache. On failure both are untouched.
 *
 * Returns 0, -EINVAL, -ENOMEM, -EDEADLK, -EAGAIN and -EFBIG (WAN_CACHE_FAIL), or what compute
 * returned (a positive answer counts as -EINVAL), now or when its failure was kept.
 * Threads: any.   Cost: a hit as wan_cache_pin().   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_cache_get_or_compute(struct wan_cache *cache, struct wan_key key,
						    uint64_t expected_bytes,
						    wan_cache_compute compute, void *context,
						    struct wan_pin **ret_pin, bool *ret_hit);

/**
 * Is there an entry of that key just now, not idle for too long? Counts no request and is no use:
 * for a caller who has to price a value before it can ask for it. The answer may be out of date
 * when it arrives.
 *
 * Threads: any.   Cost: one lock and one look-up.   Since: 0.1
 */
WAN_API bool wan_cache_contains(struct wan_cache *cache, struct wan_key key);

/**
 * Forget one key; a computation of it under way will not be stored. Not an eviction.
 *
 * Returns 0, -ENOENT (was not there), -EINVAL.
 * Threads: any.   Since: 0.1
 */
WAN_API int wan_cache_remove(struct wan_cache *cache, struct wan_key key);

/**
 * Forget everything: 0 entries; 0 bytes but for what is pinned and what a policy remembers.
 * Computations under way will not be stored. Not evictions. Statistics go on counting.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API void wan_cache_clear(struct wan_cache *cache);

/**
 * Change the limits; 0 leaves one as it is. Lowering evicts at once, oldest first, and stays. What
 * is pinned beyond the new ceiling becomes debt_bytes; nothing is stored until that is paid.
 *
 * Returns 0, -EINVAL (above 2^63-1: limits untouched).
 * Threads: any.   Since: 0.1
 */
WAN_API int wan_cache_set_limits(struct wan_cache *cache, uint64_t limit_bytes,
				 uint64_t entry_limit);

/**
 * Evict the oldest until at most target_bytes are used; the limits stay. Pinned values and
 * computations under way stay too.
 *
 * Returns the bytes freed; their destructors have run.
 * Threads: any.   Since: 0.1
 */
WAN_API uint64_t wan_cache_trim(struct wan_cache *cache, uint64_t target_bytes);

/**
 * Drop what was not used for idle_ns and is not pinned. Misses and puts do so by themselves.
 *
 * Returns the number of entries.
 * Threads: any.   Since: 0.1
 */
WAN_API uint64_t wan_cache_expire(struct wan_cache *cache);

/**
 * Compress values that will leave the cache soon, for at most about budget_ns (the value under way
 * is finished): those with struct wan_cold_ops whose computation is worth it, judged by how often
 * such values were asked for again and what that saved. When such a value leaves, its compressed
 * form stays, within the same ceiling but not under the entry limit (unless count_derived is set),
 * and a request decompresses it instead of computing it: that is a hit. What a hit on any value
 * then saves is measured against what the room for compressed values costs, and that room follows.
 *
 * Call it now and then from a thread that has time; a cache for which nobody does keeps nothing
 * compressed. Values are pinned while they are compressed.
 *
 * Returns the number of values compressed.
 * Threads: any, besides any other call.   Cost: budget_ns and one value more.   Since: 0.2
 */
WAN_API uint64_t wan_cache_background(struct wan_cache *cache, uint64_t budget_ns);
/**
 * As that for about want_bytes of the values that leave next, whether or not the cache is full: for
 * who is about to lower its limit and would rather keep something of them.
 *
 * Returns the number of values compressed; 0 also when want_bytes is 0.
 * Threads: any, besides any other call.   Cost: budget_ns and one value more.   Since: 0.2
 */
WAN_API uint64_t wan_cache_compress(struct wan_cache *cache, uint64_t want_bytes,
				    uint64_t budget_ns);

/**
 * Fill *stats, whose struct_size the caller has set to sizeof(*stats). All fields belong to one
 * moment.
 *
 * Threads: any.   Since: 0.1
 */
WAN_API void wan_cache_stats(struct wan_cache *cache, struct wan_cache_stats *stats);

/** A handle that does not keep the value: empty after eviction and last release. Nothing to free;
 *  all zero is empty. */
struct wan_weak {
	uint64_t words[2];
};

/**
 * Name the value a pin holds, without keeping it. NULL gives an empty handle.
 *
 * Threads: any.   Cost: two loads.   Since: 0.1
 */
WAN_API struct wan_weak wan_cache_weak_from_pin(const struct wan_pin *pin);

/**
 * Pin the very value the handle names, while it is cached or somebody else has it pinned. A use of
 * the entry, but not a request in the statistics.
 *
 * On success *ret_pin belongs to the caller. On failure it is untouched.
 *
 * Returns 0, -ENOENT (the value is gone), -EINVAL.
 * Threads: any.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_cache_weak_lock(struct wan_cache *cache, struct wan_weak weak,
					       struct wan_pin **ret_pin);

#ifdef __cplusplus
}
#endif
#endif
