/* SPDX-License-Identifier: MIT */
/*
 * Stamps of use: larger is later, no two of one thread are equal. A stamp is a reading of the tick
 * counter, so that it also tells how long ago the use was. With a clock of the caller's (tests),
 * which may stand still, it is nanoseconds and 16 bits that count within one, from one shared word.
 */
#ifndef WAN_CACHE_TICKER_H
#define WAN_CACHE_TICKER_H

#include "atomics.h"
#include "clock.h"

/* Stamps stay below: the order of eviction has its own use for the highest bits. */
#define WAN_STAMP_MAX (((uint64_t)1 << 62) - 1)

struct wan_ticker {
	uint64_t (*now_ns)(void); /* NULL: ticks */
	uint64_t base_ns;         /* what now_ns said at first */
	uint64_t shared;          /* atomic: the last stamp, with now_ns */
	uint64_t idle_ns;         /* 0: nothing expires */
	int64_t idle_ticks;       /* used longer ago: expired, as far as is known about the rate */
	int64_t idle_next;        /* look again for what has expired so long after a use */
	int64_t idle_near;        /* atomic: used less long ago: not expired for sure */
	struct wan_clock_anchor start;
};

void wan_ticker_init(struct wan_ticker *ticker, uint64_t (*now_ns)(void), uint64_t idle_ns);
/* Brings idle_ticks and idle_near up to date with what is known about the rate; with the lock. */
void wan_ticker_refine(struct wan_ticker *ticker);
uint64_t wan_ticker_read_own(const struct wan_ticker *ticker);
uint64_t wan_ticker_stamp_own(struct wan_ticker *ticker);

/* Now, as a stamp that belongs to no use. */
static inline uint64_t wan_ticker_read(const struct wan_ticker *ticker)
{
	return ticker->now_ns ? wan_ticker_read_own(ticker) : wan_ticks();
}

/* A stamp for a use just now; last: an earlier one that this one has to be later than. */
static inline uint64_t wan_ticker_stamp(struct wan_ticker *ticker, uint64_t last)
{
	if (__builtin_expect(ticker->now_ns != NULL, 0))
		return wan_ticker_stamp_own(ticker);
	uint64_t now = wan_ticks();
	return now > last ? now : last + 1;
}

/* Was that long enough ago? Call wan_ticker_refine() first. */
static inline bool wan_ticker_expired(const struct wan_ticker *ticker, uint64_t stamp, uint64_t now)
{
	if (!ticker->idle_ns)
		return false;
	if (ticker->now_ns) /* to the nanosecond, whatever was counted within it */
		return now > stamp && (now >> 16) - (stamp >> 16) >= ticker->idle_ns;
	return (int64_t)(now - stamp) >= ticker->idle_ticks;
}

#endif
