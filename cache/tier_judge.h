/* SPDX-License-Identifier: MIT */
/*
 * What is worth keeping compressed, and how much room it may take. Pure: numbers in, answers out.
 *
 * A value is made cold when what it will probably save is more than what it costs: measured share
 * of such values that were asked for again, times (time to compute it - time to thaw it), against
 * the time to freeze it. Among those kept, saved time for each byte decides who stays.
 *
 * The room it takes is taken from values that are ready. What that loses is measured too, by the
 * keys of values that left a short while ago: one asked for again within as many bytes as the cold
 * ones take would still be there without them. When losses exceed gains, the room is halved; when
 * it cannot be halved any more, nothing is kept for a while.
 */
#ifndef WAN_CACHE_TIER_JUDGE_H
#define WAN_CACHE_TIER_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WAN_TIER_USES = 3,    /* used once, twice, more often */
	WAN_TIER_SIZES = 3,   /* below 256 KiB, 4 MiB, larger */
	WAN_TIER_WINDOW = 64, /* evictions after which the room is judged */
};

/* A value that may be made cold. */
struct wan_tier_offer {
	uint64_t bytes;   /* as it is */
	uint64_t cost_ns; /* to compute it; 0: unknown */
	uint32_t uses;
};

enum wan_tier_verdict {
	WAN_TIER_KEEP,
	WAN_TIER_CHEAP,  /* computing it takes hardly longer than thawing it */
	WAN_TIER_SELDOM, /* such values are not asked for again often enough */
};

struct wan_tier_judge {
	/* Running means. */
	double ratio; /* cold bytes to bytes */
	double freeze_ns_per_byte, thaw_ns_per_byte;
	/* By uses and size: of those whose fate is known, how many were asked for again. */
	double asked[WAN_TIER_USES][WAN_TIER_SIZES], decided[WAN_TIER_USES][WAN_TIER_SIZES];
	uint32_t refused; /* every 16th is kept all the same, to learn whether that still holds */
	/* Of the window under way. */
	double gain_ns, loss_ns;
	uint32_t evictions;
	uint32_t rest, next_rest; /* windows without, now and the next time */
	double share;             /* of the ceiling that cold bytes may take */
};

/* careful: begins with little room, which has to be earned; else with enough for large pictures. */
void wan_tier_judge_init(struct wan_tier_judge *judge, bool careful);

/* --- one value --- */

uint64_t wan_tier_thaw_ns(const struct wan_tier_judge *judge, uint64_t bytes);
uint64_t wan_tier_freeze_ns(const struct wan_tier_judge *judge, uint64_t bytes);
/* Expected bytes of the cold form, with what it may be above that. */
uint64_t wan_tier_cold_bytes(const struct wan_tier_judge *judge, uint64_t bytes);
/* Probability that one of these is asked for again, 0 to 1. */
double wan_tier_reuse(const struct wan_tier_judge *judge, const struct wan_tier_offer *offer);
enum wan_tier_verdict wan_tier_admit(struct wan_tier_judge *judge,
				     const struct wan_tier_offer *offer);
/* Time saved for each cold byte: who stays when not all can. */
double wan_tier_value(const struct wan_tier_judge *judge, const struct wan_tier_offer *offer,
		      uint64_t cold_bytes);

/* --- what happened --- */

void wan_tier_learn_freeze(struct wan_tier_judge *judge, uint64_t bytes, uint64_t cold_bytes,
			   uint64_t took_ns);
void wan_tier_learn_thaw(struct wan_tier_judge *judge, uint64_t bytes, uint64_t took_ns);
/* A cold value was asked for, or dropped without that. */
void wan_tier_learn_fate(struct wan_tier_judge *judge, const struct wan_tier_offer *offer,
			 bool asked);
/* A cold value was thawed in took_ns instead of computed. would_be_ready: so few bytes have left
 * since that without cold ones it would not have. */
void wan_tier_learn_hit(struct wan_tier_judge *judge, uint64_t cost_ns, uint64_t took_ns,
			bool would_be_ready);
/* A value that would be ready without cold ones was computed again. */
void wan_tier_learn_loss(struct wan_tier_judge *judge, uint64_t cost_ns);
/* A value left. True: a window ended, and the share may have changed. */
bool wan_tier_learn_eviction(struct wan_tier_judge *judge);

#endif
