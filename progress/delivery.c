/* SPDX-License-Identifier: MIT */
/* What those tell who show or send progress: how far they are, what waits, which threads they are.
 */
#include <time.h>

#include "atomics.h"
#include "macros.h"
#include "state.h"
#include "thread.h"

/* When done was reached: exact for the latest update, and for those of the last 16 where each is
 * one step; an older one is at least so old. */
static uint64_t reached_ticks(const uint64_t *words, uint64_t done)
{
	uint64_t now_done = wan_load_acquire(&words[WAN_TRACKER_DONE]);
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	uint64_t behind = now_done > done ? now_done - done : 0;
	uint64_t kept = WAN_MIN(updates, (uint64_t)WAN_TRACKER_RECENT);
	if (!kept)
		return wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t n = updates - WAN_MIN(behind, kept - 1);
	return wan_load_relaxed(&words[WAN_TRACKER_LATEST + n % WAN_TRACKER_RECENT]);
}

void wan_progress_delivered(struct wan_tracker *tracker, uint64_t done)
{
	if (!tracker || wan_load_relaxed(&tracker->ended))
		return;
	const uint64_t *words = wan_load_relaxed(&tracker->words);
	uint64_t ticks = wan_elapsed(reached_ticks(words, done), wan_tracker_ticks(tracker));
	uint64_t ns = wan_tracker_ns(ticks, tracker->scale.ns_per_tick);
	wan_max_relaxed(&tracker->delivery_max_ns, ns);
	wan_max_relaxed(&tracker->progress->delivery_max_ns, ns);
	wan_max_relaxed(&tracker->delivery_longest_ns, ns);
}

void wan_progress_produced(struct wan_progress *progress, uint64_t count)
{
	if (progress)
		wan_add_relaxed(&progress->produced, count);
}

void wan_progress_consumed(struct wan_progress *progress, uint64_t count)
{
	if (progress)
		wan_add_relaxed(&progress->consumed, count);
}

void wan_progress_ui_thread(struct wan_progress *progress, bool shows)
{
	clockid_t clock;
	if (!progress || pthread_getcpuclockid(pthread_self(), &clock))
		return;
	uint32_t self = wan_thread_id();
	bool placed = !shows;
	wan_mutex_lock(&progress->lock);
	for (unsigned i = 0; i < WAN_UI_THREADS_MAX; i++)
		if (progress->ui[i].thread == self)
			progress->ui[i].thread = 0;
	for (unsigned i = 0; i < WAN_UI_THREADS_MAX && !placed; i++) {
		if (progress->ui[i].thread)
			continue;
		progress->ui[i].thread = self;
		progress->ui[i].clock = clock;
		progress->ui[i].cpu_ns = wan_thread_cpu_ns();
		placed = true;
	}
	wan_mutex_unlock(&progress->lock);
}
