/* SPDX-License-Identifier: MIT */
/**
 * Thread-safe strict LRU cache over images and any other data, with a byte ceiling that holds.
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

/** Builds a key from parts; each part is framed by its length, so ("ab","c") differs from ("a","bc"). */
struct wan_key_builder {
	uint64_t state[8];
	uint64_t length;
};
WAN_API void wan_key_begin(struct wan_key_builder *builder, const char *operation);
WAN_API void wan_key_add(struct wan_key_builder *builder, const char *name, const void *bytes,
			 size_t count);
WAN_API void wan_key_add_u64(struct wan_key_builder *builder, const char *name, uint64_t value);
WAN_API void wan_key_add_text(struct wan_key_builder *builder, const char *name, const char *text);
/** Identity of a file: device, inode, size, mtime in ns. 0, negative errno of stat. */
WAN_API WAN_MUST_CHECK int wan_key_add_file(struct wan_key_builder *builder, const char *path);
WAN_API struct wan_key wan_key_end(struct wan_key_builder *builder);

/** A value handed to the cache. destroy is called exactly once, without locks, on any thread. */
struct wan_value {
	void *data;	/**< may be NULL: an empty result is a value too */
	uint64_t bytes; /**< charged against the ceiling, metadata is added */
	void (*destroy)(void *data);
	uint32_t flags;
};
enum {
	WAN_CACHE_DERIVED = 1, /**< small derived image: not counted as an entry up to 256 KiB */
};

struct wan_cache_options {
	size_t struct_size;
	uint64_t limit_bytes;	/**< default 256 MB */
	uint64_t entry_limit;	/**< default 50 */
	uint64_t idle_ns;	/**< default one hour; 0: never expires */
	bool count_derived;	/**< default false */
	uint64_t (*now_ns)(void); /**< tests only; NULL: CLOCK_MONOTONIC */
	uint64_t *counters;	/**< 64 words kept up to date (record/schema.def: cache); NULL: private */
};
struct wan_cache_stats {
	size_t struct_size;
	uint64_t limit_bytes, used_bytes, entries, entry_limit;
	uint64_t requests, hits, misses, evictions, expirations, puts, refused_oversize;
	uint64_t pinned_bytes, in_flight_bytes, cold_bytes, debt_bytes, time_saved_ns;
	double hit_rate; /**< 0 without requests */
};

WAN_API void wan_cache_options_init(struct wan_cache_options *options);
WAN_API WAN_MUST_CHECK int wan_cache_create(const struct wan_cache_options *options,
					    struct wan_cache **ret_cache);
/** All pins must have been released. */
WAN_API void wan_cache_destroy(struct wan_cache *cache);
/** 0 and a pin (release it), -ENOENT counted as a miss. */
WAN_API WAN_MUST_CHECK int wan_cache_pin(struct wan_cache *cache, struct wan_key key,
					 struct wan_pin **ret_pin);
WAN_API void wan_pin_release(struct wan_pin *pin);
WAN_API void *wan_pin_data(const struct wan_pin *pin);
WAN_API uint64_t wan_pin_bytes(const struct wan_pin *pin);
/** Takes the value over on success only (0). -EFBIG: larger than the ceiling, others untouched;
 *  -EAGAIN: pinned entries leave no room. Overwrites an entry of the same key. */
WAN_API WAN_MUST_CHECK int wan_cache_put(struct wan_cache *cache, struct wan_key key,
					 const struct wan_value *value);
/** Same, and pins it; when it cannot be cached the pin still holds the value, uncached. */
WAN_API WAN_MUST_CHECK int wan_cache_put_pinned(struct wan_cache *cache, struct wan_key key,
						const struct wan_value *value, struct wan_pin **ret_pin);

/** Computes a missing value. Return 0 and fill *ret_value, or a negative errno (reaches every
 *  waiter, is not cached). Called without locks, by one thread per key at a time. */
typedef int (*wan_cache_compute)(void *context, struct wan_value *ret_value);
/** Pin, or compute once (single flight: N threads, one execution) and pin. expected_bytes is
 *  reserved before computing (0: unknown). The result of an oversize value is passed through
 *  uncached. Same-thread re-entry on one key is -EDEADLK. *ret_hit (may be NULL): found cached. */
WAN_API WAN_MUST_CHECK int wan_cache_get_or_compute(struct wan_cache *cache, struct wan_key key,
						    uint64_t expected_bytes,
						    wan_cache_compute compute, void *context,
						    struct wan_pin **ret_pin, bool *ret_hit);
WAN_API int wan_cache_remove(struct wan_cache *cache, struct wan_key key); /**< 0, -ENOENT */
WAN_API void wan_cache_clear(struct wan_cache *cache);
/** Evicts at once when lowered; stays. 0 leaves that limit as it is. */
WAN_API int wan_cache_set_limits(struct wan_cache *cache, uint64_t limit_bytes, uint64_t entry_limit);
/** Evict the oldest until at most target_bytes are used; returns the bytes freed. */
WAN_API uint64_t wan_cache_trim(struct wan_cache *cache, uint64_t target_bytes);
/** Drop what was not used for idle_ns; returns the number of entries. Also done at every miss. */
WAN_API uint64_t wan_cache_expire(struct wan_cache *cache);
WAN_API void wan_cache_stats(struct wan_cache *cache, struct wan_cache_stats *stats);

/** A handle that does not keep the value: empty after eviction and last release. */
struct wan_weak {
	uint64_t words[2];
};
WAN_API struct wan_weak wan_cache_weak_from_pin(const struct wan_pin *pin);
WAN_API WAN_MUST_CHECK int wan_cache_weak_lock(struct wan_cache *cache, struct wan_weak weak,
					       struct wan_pin **ret_pin);

#ifdef __cplusplus
}
#endif
#endif
