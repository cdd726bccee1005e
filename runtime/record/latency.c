/* SPDX-License-Identifier: MIT */
#include "latency.h"

#include <string.h>

unsigned wan_latency_shift(double ns_per_tick)
{
	unsigned shift = 0;
	while (shift < 16 && ns_per_tick * (double)((uint64_t)2 << shift) <= 16)
		shift++;
	return shift;
}

static unsigned octave_of(unsigned bucket)
{
	return bucket < 128 ? 0 : bucket / 64 - 1;
}

/* Where a bucket begins, in units; one after the last is its end. */
static uint64_t edge(unsigned bucket)
{
	unsigned octave = octave_of(bucket);
	return (uint64_t)(bucket - octave * 64) << octave;
}

static double middle(unsigned bucket)
{
	return (double)(edge(bucket) + edge(bucket + 1)) / 2;
}

void wan_latency_begin(struct wan_latency *latency, double unit_ns)
{
	memset(latency, 0, sizeof(*latency));
	latency->unit_ns = unit_ns;
}

void wan_latency_merge(struct wan_latency *latency, const uint32_t *counts, double unit_ns)
{
	double scale = unit_ns / latency->unit_ns;
	/* Processes calibrate their clocks each by itself: the same unit is never quite the same.
	 */
	bool same = scale > 0.999 && scale < 1.001;
	for (unsigned i = 0; i < WAN_RECORD_LATENCY_BUCKETS; i++) {
		uint64_t here = wan_load_relaxed(&counts[i]);
		if (!here)
			continue;
		unsigned to = same ? i : wan_latency_bucket((uint64_t)(middle(i) * scale));
		latency->counts[to] += here;
		latency->count += here;
	}
}

/* How many of latency - k * expected, k >= 1, are at least from; all in units. */
static uint64_t missed_above(uint64_t latency, uint64_t expected, uint64_t from)
{
	from = WAN_MAX(from, expected);
	return latency > from ? (latency - from) / expected : 0;
}

void wan_latency_correct(struct wan_latency *latency, uint64_t expected_ns)
{
	if (!expected_ns)
		return;
	uint64_t expected = (uint64_t)((double)expected_ns / latency->unit_ns);
	expected = WAN_MAX(expected, 1);
	unsigned lowest = wan_latency_bucket(expected);
	/* Upwards, so that what is added below is not itself corrected. */
	for (unsigned i = lowest; i < WAN_RECORD_LATENCY_BUCKETS; i++) {
		uint64_t here = latency->counts[i], units = (uint64_t)middle(i);
		for (unsigned j = lowest; here && j < i; j++) {
			uint64_t missed = missed_above(units, expected, edge(j)) -
					  missed_above(units, expected, edge(j + 1));
			latency->counts[j] += here * missed;
			latency->count += here * missed;
		}
	}
}

uint64_t wan_latency_at_most(const struct wan_latency *latency, uint64_t limit_ns)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < WAN_RECORD_LATENCY_BUCKETS; i++) {
		if (middle(i) * latency->unit_ns > (double)limit_ns)
			break;
		count += latency->counts[i];
	}
	return count;
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
	uint64_t ns = (uint64_t)(middle(bucket) * latency->unit_ns);
	return max_ns && ns > max_ns ? max_ns : ns;
}
