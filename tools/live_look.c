/* SPDX-License-Identifier: MIT */
/* One look at all that is watched, and how fast jobs go. */
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
#define PAST_GAP_NS 400000000ull
#define RATE_NS     4000000000ull /* jobs of quick steps are judged by this much of their past */
#define SLOW_NS     500000000ull  /* steps of this and more one by one */

/* --- the past of a job --- */

static bool is_past_of(const struct live_past *past, const struct wan_tracker_row *row)
{
	return past->pid == row->process->header.pid && past->begin_ns == row->begin_ns &&
	       strcmp(past->name, row->name) == 0;
}

static struct live_past *past_of(const struct live *live, const struct wan_tracker_row *row)
{
	for (size_t i = 0; i < live->past_count; i++)
		if (is_past_of(&live->past[i], row))
			return &live->past[i];
	return NULL;
}

static struct live_past *make_past(struct live *live, const struct wan_tracker_row *row)
{
	if (wan_array_reserve(&live->past, &live->past_capacity, live->past_count + 1,
			      sizeof(live->past[0])))
		return NULL;
	struct live_past *past = &live->past[live->past_count++];
	*past = (struct live_past){.pid = row->process->header.pid, .begin_ns = row->begin_ns};
	wan_str_copy(past->name, sizeof(past->name), row->name);
	return past;
}

static void remember(struct live *live, const struct wan_tracker_row *row)
{
	struct live_past *past = past_of(live, row);
	if (!past)
		past = make_past(live, row);
	if (!past || !row->updates)
		return;
	unsigned last = (past->next + LIVE_PAST - 1) % LIVE_PAST;
	if (past->count && row->updated_ns < past->at[last].time_ns + PAST_GAP_NS)
		return;
	past->at[past->next].time_ns = row->updated_ns;
	past->at[past->next].done = row->done;
	past->next = (past->next + 1) % LIVE_PAST;
	past->count = WAN_MIN(past->count + 1, (unsigned)LIVE_PAST);
}

static void forget_ended(struct live *live)
{
	size_t kept = 0;
	for (size_t i = 0; i < live->past_count; i++) {
		bool known = false;
		for (size_t j = 0; j < live->trackers.count && !known; j++)
			known = is_past_of(&live->past[i], &live->trackers.items[j]);
		if (known)
			live->past[kept++] = live->past[i];
	}
	live->past_count = kept;
}

static int compare_ns(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

static uint64_t median_ns(const struct wan_tracker_row *row)
{
	uint64_t sorted[WAN_TRACKER_RECENT];
	if (!row->recent_count)
		return 0;
	memcpy(sorted, row->recent_ns, row->recent_count * sizeof(sorted[0]));
	qsort(sorted, row->recent_count, sizeof(sorted[0]), compare_ns);
	return sorted[row->recent_count / 2];
}

/* Since the latest update that lies long enough before the last one. */
static double recent_rate(const struct live_past *past, const struct wan_tracker_row *row)
{
	for (unsigned i = 1; past && i <= past->count; i++) {
		unsigned at = (past->next + LIVE_PAST - i) % LIVE_PAST;
		uint64_t span_ns = wan_elapsed(past->at[at].time_ns, row->updated_ns);
		if (span_ns < RATE_NS && i < past->count)
			continue;
		if (span_ns < PAST_GAP_NS || row->done < past->at[at].done)
			break;
		return (double)(row->done - past->at[at].done) * 1e9 / (double)span_ns;
	}
	return -1;
}

double live_rate(const struct live *live, const struct wan_tracker_row *row)
{
	uint64_t step_ns = median_ns(row), past_ns = wan_elapsed(row->begin_ns, row->updated_ns);
	if (!row->updates || !past_ns)
		return -1;
	double each = (double)row->done / (double)row->updates;
	if (step_ns >= SLOW_NS)
		return each * 1e9 / (double)step_ns;
	double rate = row->active ? recent_rate(past_of(live, row), row) : -1;
	return rate >= 0 ? rate : (double)row->done * 1e9 / (double)past_ns;
}

/* --- the look --- */

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
	for (size_t i = 0; i < live->trackers.count; i++)
		remember(live, &live->trackers.items[i]);
	forget_ended(live);
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
