/* SPDX-License-Identifier: MIT */
/* Least squares over recent samples. Pure. */
#ifndef WAN_MEMMGR_TREND_H
#define WAN_MEMMGR_TREND_H

#include <stddef.h>
#include <stdint.h>

enum {
	WAN_TREND_SAMPLES = 100, /* history of the requirements */
	WAN_TREND_RECENT = 8,
};

struct wan_trend_sample {
	uint64_t time_ns;
	uint64_t bytes;
};

/* Ring of the newest samples; zeroed is empty. */
struct wan_trend {
	struct wan_trend_sample samples[WAN_TREND_SAMPLES];
	uint32_t count; /* valid ones */
	uint32_t next;
};

/* A sample that is not later than the last one starts the window anew (the clock stepped). */
void wan_trend_add(struct wan_trend *trend, uint64_t time_ns, uint64_t bytes);
/* Slope in bytes per second; 0 with fewer than two samples. */
double wan_trend_slope(const struct wan_trend *trend);
/* The same over the newest eight, each counting three quarters of the one after it: what goes on
 * now. 0 with fewer than three samples. */
double wan_trend_recent_slope(const struct wan_trend *trend);
/* Seconds until target_bytes at that slope; INFINITY when it is never reached, 0 when it is. */
double wan_trend_seconds_to(double slope, uint64_t bytes, uint64_t target_bytes);

#endif
