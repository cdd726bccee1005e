/* SPDX-License-Identifier: MIT */
#include "heap_mark.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "heap.h"
#include "procfs.h"
#include "recorder.h"
#include "writer.h"

#define SHARE      20  /* of the time since the mark before, at most this part is spent on marks */
#define MARKS_FREE 512 /* before that counts: 5 to 50 ms in all */
#define DONE_MOST  0xffffffu
#define KIB_MOST   UINT32_MAX

enum { CACHE_USED_WORD = 1 }; /* schema.def: CACHE, memory_usage */

bool wan_heap_marks_on;

int wan_heap_resident_bytes(uint64_t *ret_bytes)
{
	char text[128];
	int length = wan_procfs_read("/proc/self/statm", text, sizeof(text));
	if (length < 0)
		return length;
	char *end;
	strtoull(text, &end, 10); /* size */
	unsigned long long resident = strtoull(end, &end, 10);
	unsigned long long shared = strtoull(end, &end, 10);
	if (!resident)
		return -EBADMSG;
	*ret_bytes = (resident - WAN_MIN(shared, resident)) * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* Of all runtimes of the process; their words follow within a tick. */
static uint64_t cached_bytes(struct wan_recorder *recorder)
{
	const struct wan_record_counters *blocks =
		(const void *)(recorder->map + WAN_RECORD_COUNTERS_AT);
	uint64_t sum = 0;
	for (unsigned i = 0; i < WAN_RECORD_COUNTERS; i++)
		if (wan_load_acquire(&blocks[i].kind) == WAN_COUNTERS_CACHE) /* its words are set */
			sum += wan_load_relaxed(&blocks[i].words[CACHE_USED_WORD]);
	return sum;
}

static uint64_t pool_word(struct wan_recorder *recorder)
{
	void (*pool)(uint64_t *, uint64_t *) = wan_load_acquire(&recorder->pool);
	uint64_t used = 0, idle = 0;
	if (pool)
		pool(&used, &idle);
	return WAN_MIN(used / WAN_KIB, (uint64_t)KIB_MOST) |
	       WAN_MIN(idle / WAN_KIB, (uint64_t)KIB_MOST) << 32;
}

/*
 * Is it time? One thread finds so. The first ones always are, however fast the iterations and
 * however slow we: what is seen must not depend on how busy the machine is. Steps count by
 * themselves: what happens inside them must not take their place.
 */
static bool is_due(struct wan_recorder *recorder, enum wan_heap_mark_kind kind, uint64_t now)
{
	bool step = kind == WAN_HEAP_MARK_STEP;
	uint64_t *marked = &recorder->marked_ticks[step];
	if (wan_add_relaxed(&recorder->marks[step], 1) < MARKS_FREE) {
		wan_store_relaxed(marked, now);
		return true;
	}
	uint64_t before = wan_load_relaxed(marked);
	uint64_t cost = wan_load_relaxed(&recorder->mark_cost_ticks);
	return wan_elapsed(before, now) >= cost * SHARE && wan_cas_acq_rel(marked, &before, now);
}

/* What a mark takes where nobody comes between: one that was held up says little. */
static void note_cost(struct wan_recorder *recorder, uint64_t ticks)
{
	uint64_t before = wan_load_relaxed(&recorder->mark_cost_ticks);
	wan_store_relaxed(&recorder->mark_cost_ticks,
			  before ? WAN_MIN(ticks, before + before / 8 + 1) : ticks);
}

void wan_heap_mark(struct wan_recorder *recorder, enum wan_heap_mark_kind kind, uint16_t name,
		   uint64_t done)
{
	int saved = errno;
	uint64_t now = wan_ticks();
	struct wan_lane *lane = NULL;
	if (kind == WAN_HEAP_MARK_ITERATION || is_due(recorder, kind, now))
		lane = wan_lane_get(recorder);
	if (lane) {
		struct wan_record_event event = {
			.ticks = now,
			.values = {UINT64_MAX, UINT64_MAX, cached_bytes(recorder),
				   pool_word(recorder)},
			.name = name,
			.code = (uint32_t)kind | (uint32_t)wan_heap_books() << 4 |
				(uint32_t)WAN_MIN(done, (uint64_t)DONE_MOST) << 8,
			.kind_status = WAN_RECORD_HEAP << 4,
			.thread = lane->thread,
		};
		wan_heap_process_bytes(&event.values[0]);
		wan_heap_resident_bytes(&event.values[1]);
		wan_lane_append(lane, &event);
		note_cost(recorder, wan_elapsed(now, wan_ticks()));
	}
	errno = saved;
}

void wan_heap_mark_pool(struct wan_recorder *recorder,
			void (*pool)(uint64_t *ret_in_use, uint64_t *ret_idle))
{
	wan_store_release(&recorder->pool, pool);
}
