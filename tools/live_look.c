/* SPDX-License-Identifier: MIT */
/* One look at all that is watched. */
#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "macros.h"
#include "str.h"

#define FOLLOW_NS  500000000ull
#define OUTSIDE_NS 1000000000ull
#define WHOLE_NS   1000000000ull
/* Of the time, at most this part goes into whole readings. */
#define WHOLE_SHARE 300

/* What tells whether anything a job told has changed. */
static uint64_t mark(const struct live *live)
{
	uint64_t sum = live->trackers.count + (live_runs(live) ? 1u << 20 : 0);
	for (size_t i = 0; i < live->trackers.count; i++) {
		const struct wan_tracker_row *row = &live->trackers.items[i];
		const uint64_t *words = row->block->words;
		sum = sum * 31 + row->updates + row->done * 7 + row->total * 11 +
		      words[WAN_TRACKER_STATE] * 13 + words[WAN_TRACKER_PHASE] * 17 +
		      words[WAN_TRACKER_PHASE_TEXT] * 19 + words[WAN_TRACKER_DEVICE_DONE] * 23;
	}
	return sum;
}

/* The dead are looked at once more, for what they told last. */
static void glance_all(struct live *live)
{
	for (size_t i = 0; i < live->count; i++) {
		struct live_file *file = live->files[i];
		if (file->ended)
			continue;
		bool lived = wan_glance_process(&file->glance)->live;
		if (wan_glance_look(&file->glance) == 0 && !lived)
			file->ended = true;
	}
}

static int make_view(struct live *live)
{
	struct wan_view_source *sources = wan_calloc(live->count + 1, sizeof(*sources));
	struct wan_view view;
	if (!sources)
		return -ENOMEM;
	for (size_t i = 0; i < live->count; i++)
		sources[i] = (struct wan_view_source){
			.process = wan_glance_process(&live->files[i]->glance),
			.until_ns = UINT64_MAX,
		};
	int error = wan_view_init(&view, sources, live->count, NULL);
	wan_free(sources);
	if (error)
		return error;
	struct wan_trackers trackers;
	error = wan_trackers_init(&trackers, &view);
	if (error) {
		wan_view_finish(&view);
		return error;
	}
	live->view = view;
	live->trackers = trackers;
	live->seen = true;
	return 0;
}

/* The glances that view and trackers borrow from are about to change. */
static void drop_view(struct live *live)
{
	if (!live->seen)
		return;
	wan_trackers_finish(&live->trackers);
	wan_view_finish(&live->view);
	live->seen = false;
}

static bool due(uint64_t *last_ns, uint64_t now_ns, uint64_t every_ns)
{
	if (*last_ns && now_ns - *last_ns < every_ns)
		return false;
	*last_ns = now_ns;
	return true;
}

int live_look(struct live *live)
{
	uint64_t now_ns = wan_now_ns();
	uint64_t before = live->seen ? mark(live) : 0;
	drop_view(live);
	if (due(&live->followed_ns, now_ns, FOLLOW_NS))
		live_follow(live);
	glance_all(live);
	if (due(&live->outside_ns, now_ns, OUTSIDE_NS))
		for (size_t i = 0; i < live->count; i++)
			live_look_outside(live->files[i], now_ns);
	int error = make_view(live);
	if (error)
		return error;
	error = live_judge_all(live, now_ns);
	if (error)
		return error;
	live->glance_cost_ns = wan_elapsed(now_ns, wan_now_ns());
	if (due(&live->whole_ns, now_ns, WAN_MAX(WHOLE_NS, WHOLE_SHARE * live->whole_cost_ns))) {
		uint64_t begin_ns = wan_now_ns();
		error = live_read_whole(live, begin_ns);
		live->whole_cost_ns = wan_elapsed(begin_ns, wan_now_ns());
	}
	if (error)
		return error;
	live_count_in_flight(live);
	return mark(live) != before;
}

bool live_moved(const struct live *live)
{
	for (size_t i = 0; i < live->count; i++)
		if (!live->files[i]->ended && wan_glance_moved(&live->files[i]->glance))
			return true;
	return false;
}
