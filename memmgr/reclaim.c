/* SPDX-License-Identifier: MIT */
/*
 * Who gives memory back, in which order. One thread reclaims at a time; another that arrives waits
 * for it and looks again instead of evicting twice; the same thread arriving again gets nothing.
 */
#include <errno.h>
#include <string.h>

#include "macros.h"
#include "clock.h"
#include "state.h"
#include "thread.h"

static const uint64_t WAIT_FOR_OTHER_NS = 1000000000;

int wan_memory_add_reclaimer(struct wan_memory *memory, const struct wan_reclaimer *reclaimer)
{
	if (!memory || !reclaimer || !reclaimer->reclaim)
		return -EINVAL;
	int status = 0;
	wan_mutex_lock(&memory->lock);
	uint32_t at = memory->reclaimer_count;
	for (uint32_t i = 0; i < memory->reclaimer_count; i++)
		if (memory->reclaimers[i].reclaim == reclaimer->reclaim &&
		    memory->reclaimers[i].context == reclaimer->context)
			status = -EEXIST;
	if (!status && memory->reclaimer_count == WAN_RECLAIMERS_MAX)
		status = -ENOSPC;
	if (!status) {
		for (; at && memory->reclaimers[at - 1].priority > reclaimer->priority; at--)
			memory->reclaimers[at] = memory->reclaimers[at - 1];
		memory->reclaimers[at] = *reclaimer;
		memory->reclaimer_count++;
	}
	wan_mutex_unlock(&memory->lock);
	return status;
}

void wan_memory_remove_reclaimer(struct wan_memory *memory, void *context)
{
	if (!memory)
		return;
	wan_mutex_lock(&memory->lock);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < memory->reclaimer_count; i++)
		if (memory->reclaimers[i].context != context)
			memory->reclaimers[kept++] = memory->reclaimers[i];
	memory->reclaimer_count = kept;
	/* One may be running: it must be over before its owner frees the context. */
	while (memory->reclaiming_thread && memory->reclaiming_thread != wan_thread_id())
		wan_cond_wait(&memory->reclaim_done, &memory->lock, UINT64_MAX);
	wan_mutex_unlock(&memory->lock);
}

uint64_t wan_memory_could_give(struct wan_memory *memory)
{
	struct wan_memory_limits *limits = &memory->limits;
	wan_mutex_lock(&memory->lock);
	uint64_t rss = memory->state.process_rss_bytes;
	wan_mutex_unlock(&memory->lock);
	uint64_t most = rss ? rss : UINT64_MAX;
	if (!limits->cache_used)
		return most;
	return WAN_MIN(most, limits->cache_used(limits->context) + memory->pool_idle_bytes);
}

bool wan_memory_reclaiming(struct wan_memory *memory)
{
	wan_mutex_lock(&memory->lock);
	bool own = memory->reclaiming_thread == wan_thread_id();
	wan_mutex_unlock(&memory->lock);
	return own;
}

/* Becomes the reclaiming thread. False: it is this thread already, or another one was until now. */
static bool claim(struct wan_memory *memory)
{
	uint32_t self = wan_thread_id();
	bool claimed = false;
	wan_mutex_lock(&memory->lock);
	if (!memory->reclaiming_thread) {
		memory->reclaiming_thread = self;
		claimed = true;
	} else if (memory->reclaiming_thread != self) {
		uint64_t deadline = wan_now_ns() + WAIT_FOR_OTHER_NS;
		while (memory->reclaiming_thread)
			if (wan_cond_wait(&memory->reclaim_done, &memory->lock, deadline) < 0)
				break;
	}
	wan_mutex_unlock(&memory->lock);
	return claimed;
}

/* The first reclaimer at or after *at whose priority allows it; removed ones are gone at once. */
static bool next_reclaimer(struct wan_memory *memory, uint32_t *at, int max_priority,
			   struct wan_reclaimer *ret_reclaimer)
{
	wan_mutex_lock(&memory->lock);
	bool found =
		*at < memory->reclaimer_count && memory->reclaimers[*at].priority <= max_priority;
	if (found)
		*ret_reclaimer = memory->reclaimers[(*at)++];
	wan_mutex_unlock(&memory->lock);
	return found;
}

uint64_t wan_memory_reclaim(struct wan_memory *memory, enum wan_memory_level level,
			    uint64_t want_bytes, int max_priority)
{
	if (!want_bytes || !claim(memory))
		return 0;
	struct wan_reclaimer reclaimer;
	uint64_t freed = 0;
	uint32_t at = 0;
	while (freed < want_bytes && next_reclaimer(memory, &at, max_priority, &reclaimer)) {
		uint64_t got = reclaimer.reclaim(reclaimer.context, level, want_bytes - freed);
		freed += WAN_MIN(got, UINT64_MAX - freed);
	}
	wan_mutex_lock(&memory->lock);
	memory->reclaiming_thread = 0;
	wan_cond_wake_all(&memory->reclaim_done);
	wan_mutex_unlock(&memory->lock);
	return freed;
}
