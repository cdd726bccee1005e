/* SPDX-License-Identifier: MIT */
/*
 * Two clocks. Ticks are the cheapest monotonic counter of the machine (x86: rdtsc when the kernel
 * trusts it; aarch64: cntvct_el0; else CLOCK_MONOTONIC in ns); nanoseconds are CLOCK_MONOTONIC.
 * Hot paths store raw ticks; readers convert by pairs of (ticks, ns) taken at start and end.
 */
#ifndef WAN_BASE_CLOCK_H
#define WAN_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#ifdef WAN_SCHEDULE
#include "schedule.h"
#endif

/* Set once by wan_clock_init(); false: wan_ticks() falls back to CLOCK_MONOTONIC. */
extern bool wan_clock_uses_counter;

/* Chooses the tick source; idempotent, any thread, no allocation; also run by a constructor. */
void wan_clock_init(void);
/* CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_THREAD_CPUTIME_ID in ns (0 if the clock is refused). */
uint64_t wan_now_ns(void);
uint64_t wan_realtime_ns(void);
uint64_t wan_thread_cpu_ns(void);

/* For who has seen that wan_clock_uses_counter. */
static inline uint64_t wan_counter_ticks(void)
{
#ifdef WAN_SCHEDULE
	return wan_schedule_ticks();
#endif
#if defined(__x86_64__)
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
	uint64_t ticks;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	return wan_now_ns();
#endif
}

static inline uint64_t wan_ticks(void)
{
#ifndef WAN_SCHEDULE
	if (__builtin_expect(!wan_clock_uses_counter, 0))
		return wan_now_ns();
#endif
	return wan_counter_ticks();
}

/* to - from, or 0 when the clock seems to have gone back: a duration is never negative. */
static inline uint64_t wan_elapsed(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* One moment on all clocks, read as close together as possible. */
struct wan_clock_anchor {
	uint64_t ticks;
	uint64_t monotonic_ns;
	uint64_t realtime_ns;
};
void wan_clock_anchor(struct wan_clock_anchor *ret_anchor);

/* Line through two anchors. When they are less than 1 ms apart, the calibrated rate is used. */
struct wan_clock_scale {
	struct wan_clock_anchor base;
	double ns_per_tick;
};
void wan_clock_scale(const struct wan_clock_anchor *first, const struct wan_clock_anchor *last,
		     struct wan_clock_scale *ret_scale);
/* ns per tick as calibrated at start against CLOCK_MONOTONIC, without sleeping more than 0.2 ms
 * in all; refined on each call since more time has passed. */
double wan_clock_ns_per_tick(void);
uint64_t wan_clock_span_ns(const struct wan_clock_scale *scale, uint64_t ticks);
uint64_t wan_clock_monotonic_ns(const struct wan_clock_scale *scale, uint64_t ticks);
uint64_t wan_clock_realtime_ns(const struct wan_clock_scale *scale, uint64_t ticks);

#endif
