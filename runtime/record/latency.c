/* SPDX-License-Identifier: MIT */
#include "latency.h"

#include "macros.h"

static unsigned octave_of(unsigned bucket)
{
	return bucket < 128 ? 0 : bucket / 64 - 1;
}

/* Where a bucket begins; one after the last is its end. */
static uint64_t edge_ns(unsigned bucket)
{
	unsigned octave = octave_of(bucket);
	return ((uint64_t)(bucket - octave * 64) << octave) * 16;
}

uint64_t wan_latency_bucket_ns(unsigned bucket)
{
	bucket = WAN_MIN(bucket, WAN_RECORD_LATENCY_BUCKETS - 1);
	return edge_ns(bucket) + ((uint64_t)8 << octave_of(bucket));
}

void wan_latency_merge(struct wan_latency *to, const uint32_t *counts)
{
	for (unsigned i = 0; i < WAN_RECORD_LATENCY_BUCKETS; i++) {
		uint64_t here = wan_load_relaxed(&counts[i]);
		to->counts[i] += here;
		to->count += here;
	}
}

/* How many of latency - k * expected, k >= 1, are at least from_ns. */
static uint64_t missed_above(uint64_t latency_ns, uint64_t expected_ns, uint64_t from_ns)
{
	from_ns = WAN_MAX(from_ns, expected_ns);
	return latency_ns > from_ns ? (latency_ns - from_ns) / expected_ns : 0;
}

void wan_latency_correct(struct wan_latency *latency, uint64_t expected_ns)
{
	if (!expected_ns)
		return;
	unsigned lowest = wan_latency_bucket(expected_ns);
	/* Upwards, so that what is added below is not itself corrected. */
	for (unsigned i = lowest; i < WAN_RECORD_LATENCY_BUCKETS; i++) {
		uint64_t here = latency->counts[i], ns = wan_latency_bucket_ns(i);
		for (unsigned j = lowest; here && j < i; j++) {
			uint64_t missed = missed_above(ns, expected_ns, edge_ns(j)) -
					  missed_above(ns, expected_ns, edge_ns(j + 1));
			latency->counts[j] += here * missed;
			latency->count += here * missed;
		}
	}
}

uint64_t wan_latency_percentile_ns(const struct wan_latency *latency, double share, uint64_t max_ns)
{
	if (!latency->count)
		return 0;
	uint64_t rank = (uint64_t)(WAN_CLAMP(share, 0.0, 1.0) * (double)latency->count + 0.5);
	rank = WAN_CLAMP(rank, 1, latency->count);
	uint64_t before = 0;
	unsigned bucket = 0;
	while (before + latency->counts[bucket] < rank)
		before += latency->counts[bucket++];
	uint64_t ns = wan_latency_bucket_ns(bucket);
	return max_ns && ns > max_ns ? max_ns : ns;
}
