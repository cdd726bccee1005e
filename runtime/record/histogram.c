/* SPDX-License-Identifier: MIT */
/*
 * Buckets of inside time: below 1 us, octaves to 512 us (headers and small thumbnails need no
 * more), then half octaves to 2.96 s, then everything longer. Half octaves keep a percentile
 * within 20 % of the truth where the thresholds of the requirements lie (100 and 500 ms).
 */
#include "histogram.h"

#include "macros.h"
#include "reader.h"

static const uint64_t edges_ns[WAN_RECORD_HISTOGRAM] = {
	1000,       2000,       4000,       8000,       16000,     32000,     64000,     128000,
	256000,     512000,     724077,     1024000,    1448155,   2048000,   2896309,   4096000,
	5792619,    8192000,    11585238,   16384000,   23170475,  32768000,  46340950,  65536000,
	92681900,   131072000,  185363800,  262144000,  370727600, 524288000, 741455200, 1048576000,
	1482910400, 2097152000, 2965820801, UINT64_MAX,
};

/* Starts at the bucket of the smallest number with that many bits; its octave has two at most. */
unsigned wan_histogram_bucket(uint64_t ns)
{
	unsigned bits = ns ? 64 - (unsigned)__builtin_clzll(ns) : 0;
	unsigned bucket = bits <= 10 ? 0 : bits <= 20 ? bits - 10 : 2 * bits - 30;
	bucket = WAN_MIN(bucket, WAN_RECORD_HISTOGRAM - 1);
	while (ns > edges_ns[bucket])
		bucket++;
	return bucket;
}

uint64_t wan_histogram_edge_ns(unsigned bucket)
{
	return edges_ns[WAN_MIN(bucket, WAN_RECORD_HISTOGRAM - 1)];
}

uint64_t wan_histogram_percentile_ns(const uint64_t *histogram, double share, uint64_t min_ns,
				     uint64_t max_ns)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < WAN_RECORD_HISTOGRAM; i++)
		count += histogram[i];
	if (!count || max_ns <= min_ns)
		return max_ns;
	double rank = WAN_CLAMP(share, 0.0, 1.0) * (double)count;
	double before = 0;
	for (unsigned i = 0; i < WAN_RECORD_HISTOGRAM; i++) {
		double here = (double)histogram[i];
		if (!histogram[i] || before + here < rank) {
			before += here;
			continue;
		}
		uint64_t low = i ? edges_ns[i - 1] : 0, high = edges_ns[i];
		low = WAN_CLAMP(low, min_ns, max_ns);
		high = WAN_CLAMP(high, low, max_ns);
		double inside = (rank - before) / here;
		return low + (uint64_t)((double)(high - low) * WAN_CLAMP(inside, 0.0, 1.0));
	}
	return max_ns;
}
