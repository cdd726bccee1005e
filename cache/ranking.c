/* SPDX-License-Identifier: MIT */
/* Two binary heaps that know where each of their members is. */
#include <errno.h>

#include "alloc.h"
#include "ranking.h"

static bool before(const struct wan_ranking *ranking, uint32_t a, uint32_t b)
{
	const struct wan_rank *x = &ranking->ranks[a], *y = &ranking->ranks[b];
	if (x->rank != y->rank)
		return x->rank < y->rank;
	return x->stamp != y->stamp ? (int32_t)(x->stamp - y->stamp) < 0 : a < b;
}

static void place(struct wan_ranking *ranking, uint32_t *heap, uint32_t at, uint32_t id)
{
	heap[at] = id;
	ranking->ranks[id].position = at;
}

static void rise(struct wan_ranking *ranking, unsigned half, uint32_t at)
{
	uint32_t *heap = ranking->heaps[half], id = heap[at];
	while (at && before(ranking, id, heap[(at - 1) / 2])) {
		place(ranking, heap, at, heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(ranking, heap, at, id);
}

static void sink(struct wan_ranking *ranking, unsigned half, uint32_t at)
{
	uint32_t *heap = ranking->heaps[half], id = heap[at], count = ranking->counts[half];
	for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && before(ranking, heap[child + 1], heap[child]))
			child++;
		if (!before(ranking, heap[child], id))
			break;
		place(ranking, heap, at, heap[child]);
	}
	place(ranking, heap, at, id);
}

int wan_ranking_reserve(struct wan_ranking *ranking, uint32_t capacity)
{
	void *blocks[] = {ranking->ranks, ranking->halves, ranking->heaps[0], ranking->heaps[1],
			  ranking->walk};
	const size_t bytes[] = {sizeof(struct wan_rank), 1, sizeof(uint32_t), sizeof(uint32_t),
				sizeof(uint32_t)};
	int rc = 0;
	if (capacity <= ranking->capacity)
		return 0;
	for (unsigned i = 0; i < 5; i++) {
		/* A block that grew is kept when another cannot: capacity tells what is used. */
		void *grown = wan_realloc_array(blocks[i], capacity, bytes[i]);
		if (grown)
			blocks[i] = grown;
		else
			rc = -ENOMEM;
	}
	ranking->ranks = blocks[0];
	ranking->halves = blocks[1];
	ranking->heaps[0] = blocks[2];
	ranking->heaps[1] = blocks[3];
	ranking->walk = blocks[4];
	if (rc < 0)
		return rc;
	for (uint32_t id = ranking->capacity; id < capacity; id++)
		ranking->ranks[id].position = WAN_RANKING_NONE;
	ranking->capacity = capacity;
	return 0;
}

void wan_ranking_finish(struct wan_ranking *ranking)
{
	wan_free(ranking->ranks);
	wan_free(ranking->halves);
	wan_free(ranking->heaps[0]);
	wan_free(ranking->heaps[1]);
	wan_free(ranking->walk);
}

void wan_ranking_put(struct wan_ranking *ranking, uint32_t id, bool counted, uint64_t rank,
		     uint32_t stamp)
{
	const struct wan_rank *old = &ranking->ranks[id];
	if (wan_ranking_has(ranking, id)) {
		if (ranking->halves[id] != counted)
			wan_ranking_remove(ranking, id);
		else if (old->rank == rank && old->stamp == stamp)
			return;
	}
	ranking->ranks[id].rank = rank;
	ranking->ranks[id].stamp = stamp;
	if (!wan_ranking_has(ranking, id)) {
		ranking->halves[id] = counted;
		place(ranking, ranking->heaps[counted], ranking->counts[counted]++, id);
	}
	rise(ranking, counted, ranking->ranks[id].position);
	sink(ranking, counted, ranking->ranks[id].position);
}

void wan_ranking_remove(struct wan_ranking *ranking, uint32_t id)
{
	if (!wan_ranking_has(ranking, id))
		return;
	unsigned half = ranking->halves[id];
	uint32_t at = ranking->ranks[id].position;
	uint32_t last = ranking->heaps[half][--ranking->counts[half]];
	ranking->ranks[id].position = WAN_RANKING_NONE;
	if (last == id)
		return;
	place(ranking, ranking->heaps[half], at, last);
	rise(ranking, half, at);
	sink(ranking, half, ranking->ranks[last].position);
}

void wan_ranking_clear(struct wan_ranking *ranking)
{
	for (unsigned half = 0; half < 2; half++) {
		for (uint32_t i = 0; i < ranking->counts[half]; i++)
			ranking->ranks[ranking->heaps[half][i]].position = WAN_RANKING_NONE;
		ranking->counts[half] = 0;
	}
}

uint32_t wan_ranking_first(const struct wan_ranking *ranking, bool counted_only)
{
	uint32_t counted = ranking->counts[1] ? ranking->heaps[1][0] : WAN_RANKING_NONE;
	if (counted_only || !ranking->counts[0])
		return counted;
	uint32_t other = ranking->heaps[0][0];
	return counted != WAN_RANKING_NONE && before(ranking, counted, other) ? counted : other;
}

static void walk_add(struct wan_ranking *ranking, uint32_t id)
{
	uint32_t *walk = ranking->walk, at = ranking->walk_count++;
	while (at && before(ranking, id, walk[(at - 1) / 2])) {
		walk[at] = walk[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	walk[at] = id;
}

static uint32_t walk_take(struct wan_ranking *ranking)
{
	uint32_t *walk = ranking->walk, first = walk[0], id = walk[--ranking->walk_count];
	uint32_t at = 0, count = ranking->walk_count;
	for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && before(ranking, walk[child + 1], walk[child]))
			child++;
		if (!before(ranking, walk[child], id))
			break;
		walk[at] = walk[child];
	}
	walk[at] = id;
	return first;
}

void wan_ranking_begin(struct wan_ranking *ranking, bool counted_only)
{
	ranking->walk_count = 0;
	for (unsigned half = counted_only; half < 2; half++) {
		if (ranking->counts[half])
			walk_add(ranking, ranking->heaps[half][0]);
	}
}

uint32_t wan_ranking_next(struct wan_ranking *ranking)
{
	if (!ranking->walk_count)
		return WAN_RANKING_NONE;
	uint32_t id = walk_take(ranking);
	unsigned half = ranking->halves[id];
	uint32_t child = 2 * ranking->ranks[id].position + 1;
	for (unsigned i = 0; i < 2 && child + i < ranking->counts[half]; i++)
		walk_add(ranking, ranking->heaps[half][child + i]);
	return id;
}
