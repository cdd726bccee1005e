/* SPDX-License-Identifier: MIT */
#include "ticker.h"

#include "macros.h"

/* A rate measured over less than this says no more than the one found at the start. */
#define LONG_NS 100000000

static int64_t ticks_of(double ns, double ns_per_tick)
{
	double ticks = ns / ns_per_tick;
	return ticks < 9e18 ? (int64_t)ticks : INT64_MAX;
}

void wan_ticker_init(struct wan_ticker *ticker, uint64_t (*now_ns)(void), uint64_t idle_ns)
{
	*ticker = (struct wan_ticker){
		.now_ns = now_ns,
		.idle_ns = idle_ns,
		.idle_ticks = INT64_MAX,
		.idle_next = INT64_MAX,
		.idle_near = INT64_MAX,
	};
	if (now_ns) {
		ticker->base_ns = now_ns();
		if (idle_ns && idle_ns < WAN_STAMP_MAX >> 16) /* the 16 bits are no time */
			ticker->idle_next = ticker->idle_near =
				(int64_t)(idle_ns << 16) - UINT16_MAX;
	} else if (idle_ns) {
		wan_clock_anchor(&ticker->start);
		ticker->idle_ticks = ticks_of((double)idle_ns, wan_clock_ns_per_tick());
		ticker->idle_next = ticker->idle_ticks;
		ticker->idle_near = ticker->idle_ticks - ticker->idle_ticks / 64;
	}
}

void wan_ticker_refine(struct wan_ticker *ticker)
{
	if (ticker->now_ns || !ticker->idle_ns || !wan_clock_uses_counter)
		return;
	struct wan_clock_anchor now;
	wan_clock_anchor(&now);
	uint64_t ns = wan_elapsed(ticker->start.monotonic_ns, now.monotonic_ns);
	uint64_t ticks = wan_elapsed(ticker->start.ticks, now.ticks);
	if (ns < LONG_NS || !ticks)
		return;
	ticker->idle_ticks = ticks_of((double)ticker->idle_ns, (double)ns / (double)ticks);
	ticker->idle_next = ticker->idle_ticks;
	wan_store_relaxed(&ticker->idle_near, ticker->idle_ticks - ticker->idle_ticks / 1024);
}

uint64_t wan_ticker_read_own(const struct wan_ticker *ticker)
{
	uint64_t ns = wan_elapsed(ticker->base_ns, ticker->now_ns());
	return WAN_MIN(ns, WAN_STAMP_MAX >> 17) << 16;
}

uint64_t wan_ticker_stamp_own(struct wan_ticker *ticker)
{
	uint64_t now = wan_ticker_read_own(ticker);
	uint64_t last = wan_load_relaxed(&ticker->shared), stamp;
	do {
		stamp = now > last ? now : last + 1;
	} while (!wan_cas_acq_rel(&ticker->shared, &last, stamp));
	return stamp;
}
