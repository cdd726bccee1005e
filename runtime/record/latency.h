/* SPDX-License-Identifier: MIT */
/*
 * Latencies of one tracker: a log-linear histogram of 16 ns units, 64 buckets in each octave, so
 * that a percentile told as the middle of its bucket is within 0.8 % from 1 us to 73 minutes, and
 * 8.3 KiB hold it. One writer; anybody may read, merge or add up while it writes.
 */
#ifndef WAN_RECORD_LATENCY_H
#define WAN_RECORD_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "atomics.h"
#include "layout.h"
#include "macros.h"

/* Exact below 128 units (2 us); the last bucket holds all that is longer. */
static inline unsigned wan_latency_bucket(uint64_t ns)
{
	uint64_t units = ns >> 4;
	unsigned octave = 57 - (unsigned)__builtin_clzll(units | 64);
	unsigned bucket = octave * 64 + (unsigned)(units >> octave);
	return wan_likely(bucket < WAN_RECORD_LATENCY_BUCKETS) ? bucket
							       : WAN_RECORD_LATENCY_BUCKETS - 1;
}

/* Saturates rather than beginning anew. */
static inline void wan_latency_add(uint32_t *counts, uint64_t ns)
{
	uint32_t *count = &counts[wan_latency_bucket(ns)];
	uint32_t is = wan_load_relaxed(count);
	wan_store_relaxed(count, is + (is != UINT32_MAX));
}

/* The middle of a bucket. Pure. */
uint64_t wan_latency_bucket_ns(unsigned bucket);

/* Sums of many histograms; wide enough for all that 32-bit counts can hold. */
struct wan_latency {
	uint64_t count;
	uint64_t counts[WAN_RECORD_LATENCY_BUCKETS];
};

void wan_latency_merge(struct wan_latency *to, const uint32_t *counts);
/*
 * What a caller who asked every expected_ns would have seen: a latency of n intervals stands for
 * further ones of n - 1, n - 2, ... of them (coordinated omission). 0: nothing is changed.
 */
void wan_latency_correct(struct wan_latency *latency, uint64_t expected_ns);
/* share: 0.5 the median, 1 the longest. 0 when empty; at most max_ns unless that is 0. */
uint64_t wan_latency_percentile_ns(const struct wan_latency *latency, double share,
				   uint64_t max_ns);

#endif
