/* SPDX-License-Identifier: MIT */
/*
 * Who holds how many bytes, and who may have more. Pure: no clock, no lock, no memory of its own.
 *
 * Every byte is in exactly one of four places: metadata (of the cache itself), stored (entries that
 * live, indexed or only pinned), in flight (reserved for a value being computed) or dying (evicted,
 * destructor not yet returned). indexed is a part of stored; pinned and evictable are parts of it
 * as of the last look at all pins.
 */
#ifndef WAN_CACHE_BUDGET_H
#define WAN_CACHE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* Limits above this are refused at the edge, so that sums of two never overflow. */
#define WAN_BUDGET_LIMIT_MAX ((uint64_t)INT64_MAX)

struct wan_budget {
	uint64_t limit_bytes;
	uint64_t entry_limit;
	uint64_t stored_bytes;
	uint64_t in_flight_bytes;
	uint64_t dying_bytes;
	uint64_t metadata_bytes;    /* of the cache itself, beyond what entries are charged for */
	uint64_t cold_bytes;        /* stored, compressed, can go */
	uint64_t indexed_bytes;     /* stored, found by their keys */
	uint64_t entries;           /* indexed */
	uint64_t counted;           /* indexed and subject to entry_limit */
	uint64_t pinned_bytes;      /* last look: stored, with at least one pin */
	uint64_t evictable_bytes;   /* last look: indexed and without a pin */
	uint64_t evictable_counted; /* last look: counted and without a pin */
};

/* What a look at all pins has found; each entry once. */
struct wan_pinned {
	uint32_t entries;
	uint64_t bytes;
	uint64_t indexed_bytes, counted; /* of those that are indexed */
};

/* What somebody wants to add. */
struct wan_budget_ask {
	uint64_t bytes;
	uint64_t own_bytes; /* dying bytes the asker has freed itself and may turn into its ask */
	bool counted;       /* adds one entry under the entry limit */
	bool leaves;        /* a counted, pinned entry leaves the index for it (overwrite) */
};

/* How far something has to go down: both amounts to their bounds. */
struct wan_budget_goal {
	uint64_t bytes, bytes_max;
	uint64_t counted, counted_max;
};

/* Everything that counts against the ceiling. */
uint64_t wan_budget_used(const struct wan_budget *budget);
/* What is used above a limit that was lowered; 0 in ordinary times. */
uint64_t wan_budget_debt(const struct wan_budget *budget);
/* Does something stay above its limit when all that is dying is gone? */
bool wan_budget_in_debt(const struct wan_budget *budget);

void wan_budget_set_pinned(struct wan_budget *budget, const struct wan_pinned *pinned);
/* Could the ask be granted if every unpinned entry went? 0, -EFBIG (never: larger than the
 * ceiling), -EAGAIN (not while so much is pinned or in flight). */
int wan_budget_feasible(const struct wan_budget *budget, const struct wan_budget_ask *ask);
/* What has to go for an ask within the limit, or until target_bytes are stored and in flight. */
struct wan_budget_goal wan_budget_goal_of_ask(const struct wan_budget *budget,
					      const struct wan_budget_ask *ask);
struct wan_budget_goal wan_budget_goal_of_target(const struct wan_budget *budget,
						 uint64_t target_bytes);
/* Dying bytes of the asker that become the ask's bytes: they leave dying_bytes, and the asker must
 * have run the destructors before it uses the bytes it was granted. Returns their number. */
uint64_t wan_budget_convert(struct wan_budget *budget, const struct wan_budget_ask *ask);

/* Must one more entry go, when entries of so many bytes and so many counted ones go already? */
static inline bool wan_goal_short_of_bytes(const struct wan_budget_goal *goal, uint64_t gone_bytes)
{
	return goal->bytes - gone_bytes > goal->bytes_max;
}

static inline bool wan_goal_short_of_entries(const struct wan_budget_goal *goal,
					     uint64_t gone_counted)
{
	return goal->counted - gone_counted > goal->counted_max;
}

#endif
