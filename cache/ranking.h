/* SPDX-License-Identifier: MIT */
/*
 * Numbered things by rank, smallest first: two binary heaps, one of what counts as an entry and one
 * of what does not, so that either limit finds its victim at once. Ties: the older stamp.
 */
#ifndef WAN_CACHE_RANKING_H
#define WAN_CACHE_RANKING_H

#include <stdbool.h>
#include <stdint.h>

#define WAN_RANKING_NONE UINT32_MAX

struct wan_rank {
	uint64_t rank;
	uint32_t stamp;    /* compared as it wraps */
	uint32_t position; /* in its heap; WAN_RANKING_NONE: not in any */
};

struct wan_ranking {
	struct wan_rank *ranks; /* by id */
	uint8_t *halves;        /* by id: 1 counted */
	uint32_t *heaps[2];     /* ids */
	uint32_t *walk;         /* of a walk: those who may come next, a heap of ids */
	uint32_t counts[2], walk_count;
	uint32_t capacity; /* ids are below */
};

/* Bytes for each id. */
#define WAN_RANKING_ID_BYTES (sizeof(struct wan_rank) + 1 + 3 * sizeof(uint32_t))

/* Grows to ids below capacity. 0, -ENOMEM (nothing changed). A zeroed ranking is empty. */
int wan_ranking_reserve(struct wan_ranking *ranking, uint32_t capacity);
void wan_ranking_finish(struct wan_ranking *ranking);

/* Puts an id in, or moves it to another rank. */
void wan_ranking_put(struct wan_ranking *ranking, uint32_t id, bool counted, uint64_t rank,
		     uint32_t stamp);
/* Takes it out when it is in. */
void wan_ranking_remove(struct wan_ranking *ranking, uint32_t id);
void wan_ranking_clear(struct wan_ranking *ranking);
/* The smallest, WAN_RANKING_NONE when there is none. */
uint32_t wan_ranking_first(const struct wan_ranking *ranking, bool counted_only);

/* All ids in order of rank; putting or removing ends the walk. Cost: logarithm of the steps. */
void wan_ranking_begin(struct wan_ranking *ranking, bool counted_only);
uint32_t wan_ranking_next(struct wan_ranking *ranking);

static inline bool wan_ranking_has(const struct wan_ranking *ranking, uint32_t id)
{
	return ranking->ranks[id].position != WAN_RANKING_NONE;
}

#endif
