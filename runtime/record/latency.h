/* SPDX-License-Identifier: MIT */
/*
 * Latencies of one tracker: a log-linear histogram with 64 buckets in each octave, so that a
 * percentile told as the middle of its bucket is within 0.8 % from 1 us to 1 h; 8.5 KiB hold it.
 * It counts units of 2^shift ticks, at most 16 ns: converting to ns would stand between the clock
 * and the bucket, and made a third of an update. One writer; anybody may read or add up while it
 * writes.
 */
#ifndef WAN_RECORD_LATENCY_H
#define WAN_RECORD_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "atomics.h"
#include "layout.h"
#include "macros.h"

/* Ticks to units: the largest power of two of at most 16 ns. Pure. */
unsigned wan_latency_shift(double ns_per_tick);

/* Exact below 128 units (2 us); the last bucket holds all that is longer. */
static inline unsigned wan_latency_bucket(uint64_t units)
{
	unsigned octave = 57 - (unsigned)__builtin_clzll(units | 64);
	unsigned bucket = octave * 64 + (unsigned)(units >> octave);
	return wan_likely(bucket < WAN_RECORD_LATENCY_BUCKETS) ? bucket
							       : WAN_RECORD_LATENCY_BUCKETS - 1;
}

/* Saturates rather than beginning anew. */
static inline void wan_latency_add(uint32_t *counts, uint64_t units)
{
	uint32_t *count = &counts[wan_latency_bucket(units)];
	uint32_t is = wan_load_relaxed(count);
	wan_store_relaxed(count, is + (is != UINT32_MAX));
}

/* Many equal ones at once. */
static inline void wan_latency_add_many(uint32_t *counts, uint64_t units, uint64_t many)
{
	uint32_t *count = &counts[wan_latency_bucket(units)];
	uint32_t is = wan_load_relaxed(count), room = UINT32_MAX - is;
	wan_store_relaxed(count, many < room ? is + (uint32_t)many : UINT32_MAX);
}

/* Sums of histograms; wide enough for all that 32-bit counts can hold. */
struct wan_latency {
	double unit_ns;
	uint64_t count;
	uint64_t counts[WAN_RECORD_LATENCY_BUCKETS];
};

/* Empty, for units of so many ns: 2^shift times ns_per_tick. */
void wan_latency_begin(struct wan_latency *latency, double unit_ns);
/* Adds counts of units of unit_ns, which may be others than latency's. */
void wan_latency_merge(struct wan_latency *latency, const uint32_t *counts, double unit_ns);
/*
 * What a caller who asked every expected_ns would have seen: a latency of n intervals stands for
 * further ones of n - 1, n - 2, ... of them (coordinated omission). 0: nothing is changed.
 */
void wan_latency_correct(struct wan_latency *latency, uint64_t expected_ns);
/* How many are at most limit_ns, within the width of a bucket. */
uint64_t wan_latency_at_most(const struct wan_latency *latency, uint64_t limit_ns);
/* share: 0.5 the median, 1 the longest. 0 when empty; at most max_ns unless that is 0. */
uint64_t wan_latency_percentile_ns(const struct wan_latency *latency, double share,
				   uint64_t max_ns);

#endif
