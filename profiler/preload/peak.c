/* SPDX-License-Identifier: MIT */
#include "peak.h"

#include "fork.h"
#include "heap.h"

enum {
	OPEN = 8 /* operations of one thread at once whose peak is followed */
};

/* Per lane, so per thread: written by its thread, except that another may clear an entry. */
static struct side {
	uint32_t thread, generation;
	int64_t reset_at;    /* allocated minus freed when the peak was last reset */
	int64_t *open[OPEN]; /* their peaks: absolute levels, rising */
} sides[WAN_RECORD_LANES];

static struct side *side_of(const struct wan_lane *lane)
{
	struct side *side = &sides[lane->shared->index % WAN_RECORD_LANES];
	uint32_t generation = wan_fork_generation();
	if (side->thread != lane->thread || side->generation != generation) {
		for (unsigned i = 0; i < OPEN; i++)
			wan_store_relaxed(&side->open[i], NULL);
		side->thread = lane->thread;
		side->generation = generation;
	}
	return side;
}

static bool thread_net(int64_t *ret_net)
{
	uint64_t allocated, freed;
	if (!wan_heap_thread_bytes(&allocated, &freed))
		return false;
	*ret_net = (int64_t)(allocated - freed);
	return true;
}

/* Hand the peak since the last reset to all that are open, and start anew. Returns that peak. */
static int64_t turn(struct side *side, int64_t net)
{
	int64_t absolute = net;
	uint64_t peak;
	if (wan_heap_peak_read(&peak)) {
		absolute = side->reset_at + (int64_t)peak;
		for (unsigned i = 0; i < OPEN; i++) {
			int64_t *cell = wan_load_relaxed(&side->open[i]);
			if (cell && wan_load_relaxed(cell) < absolute)
				wan_store_relaxed(cell, absolute);
		}
	}
	wan_heap_peak_reset();
	side->reset_at = net;
	return absolute;
}

/* False: too many at once. */
static bool follow(struct side *side, int64_t *cell)
{
	for (unsigned i = 0; i < OPEN; i++) {
		if (wan_load_relaxed(&side->open[i]))
			continue;
		wan_store_relaxed(&side->open[i], cell);
		return true;
	}
	return false;
}

bool wan_peak_join(const struct wan_lane *lane, int64_t *cell, int64_t *ret_net)
{
	int64_t net;
	if (!thread_net(&net))
		return false;
	struct side *side = side_of(lane);
	turn(side, net);
	*ret_net = net;
	wan_store_relaxed(cell, net);
	if (!follow(side, cell))
		wan_store_relaxed(cell, INT64_MIN);
	return true;
}

void wan_peak_look(const struct wan_lane *lane, int64_t *ret_net)
{
	if (thread_net(ret_net))
		turn(side_of(lane), *ret_net);
}

void wan_peak_part(uint32_t lane, const int64_t *cell)
{
	struct side *side = &sides[lane % WAN_RECORD_LANES];
	for (unsigned i = 0; i < OPEN; i++) {
		int64_t *expected = (int64_t *)(uintptr_t)cell;
		wan_cas_acq_rel(&side->open[i], &expected, NULL);
	}
}

void wan_peak_begin(struct wan_object *object)
{
	int64_t net;
	object->memory_known = !object->codec->other_heap && thread_net(&net);
	if (!object->memory_known)
		return;
	object->memory_start = object->memory_peak = object->memory_net = net;
	if (object->foreign) {
		object->memory_peak = INT64_MIN; /* the linked runtime follows the peak itself */
		return;
	}
	struct side *side = side_of(object->lane);
	turn(side, net);
	if (object->kind == WAN_OBJECT_CALL)
		return; /* lives on the stack of one call: its own end reads the peak */
	if (!follow(side, &object->memory_peak))
		object->memory_peak = INT64_MIN; /* net only */
}

bool wan_peak_end(struct wan_object *object, int64_t *ret_net, int64_t *ret_peak)
{
	int64_t net;
	if (!object->memory_known || !thread_net(&net))
		return false;
	*ret_net = net - object->memory_start;
	*ret_peak = -1;
	if (object->foreign)
		return true;
	int64_t peak = turn(side_of(object->lane), net);
	if (object->memory_peak == INT64_MIN)
		return true;
	object->memory_peak = WAN_MAX(object->memory_peak, peak);
	*ret_peak = object->memory_peak - object->memory_start;
	return true;
}

void wan_peak_forget(struct wan_object *object)
{
	if (!object->memory_known || !object->lane)
		return;
	wan_peak_part(object->lane->shared->index, &object->memory_peak);
	object->memory_known = false;
}
