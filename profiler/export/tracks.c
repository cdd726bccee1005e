/* SPDX-License-Identifier: MIT */
#include "tracks.h"

#include <errno.h>

#include "alloc.h"
#include "hash.h"

static size_t slot_of(const struct wan_tracks *tracks, uint32_t process, uint32_t thread)
{
	const uint64_t words[2] = {process, thread};
	size_t at = wan_mix32(words, 2, 0) & (tracks->slot_count - 1);
	while (tracks->slots[at] &&
	       (tracks->slots[at]->thread != thread || tracks->slots[at]->process != process))
		at = (at + 1) & (tracks->slot_count - 1);
	return at;
}

static int grow(struct wan_tracks *tracks)
{
	struct wan_track **old = tracks->slots;
	size_t count = tracks->slot_count;
	struct wan_track **slots = wan_calloc(count ? count * 2 : 64, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	tracks->slots = slots;
	tracks->slot_count = count ? count * 2 : 64;
	for (size_t i = 0; i < count; i++)
		if (old[i])
			slots[slot_of(tracks, old[i]->process, old[i]->thread)] = old[i];
	wan_free(old);
	return 0;
}

static struct wan_track *make(struct wan_tracks *tracks, uint32_t process, uint32_t thread,
			      const struct wan_track *first, uint32_t lane)
{
	struct wan_track *track = wan_calloc(1, sizeof(*track));
	if (!track)
		return NULL;
	track->process = process;
	track->thread = thread;
	track->lane = lane;
	track->number = tracks->count++;
	track->parent = first ? first->number : track->number;
	if (tracks->begun)
		tracks->begun(tracks->context, track);
	return track;
}

static struct wan_track *first_of(struct wan_tracks *tracks, uint32_t process, uint32_t thread)
{
	struct wan_track **recent = &tracks->recent[thread & (WAN_TRACKS_RECENT - 1)];
	if (wan_likely(*recent && (*recent)->thread == thread && (*recent)->process == process))
		return *recent;
	if (tracks->threads * 2 >= tracks->slot_count && grow(tracks))
		return NULL;
	struct wan_track **slot = &tracks->slots[slot_of(tracks, process, thread)];
	if (!*slot) {
		*slot = make(tracks, process, thread, NULL, 0);
		tracks->threads += *slot != NULL;
	}
	*recent = *slot;
	return *slot;
}

static void close_until(struct wan_tracks *tracks, struct wan_track *track, uint64_t now_ns)
{
	while (track->depth && track->open[track->depth - 1].end_ns <= now_ns) {
		const struct wan_track_open *open = &track->open[--track->depth];
		track->closed_ns = WAN_MAX(track->closed_ns, open->end_ns);
		if (tracks->ended)
			tracks->ended(tracks->context, track, open);
	}
}

static bool fits(const struct wan_track *track, uint64_t start_ns, uint64_t end_ns)
{
	return start_ns >= track->closed_ns &&
	       (!track->depth || end_ns <= track->open[track->depth - 1].end_ns);
}

static int add(struct wan_track *track, uint64_t start_ns, uint64_t end_ns, uint64_t item)
{
	if (wan_unlikely(track->depth == track->capacity) &&
	    wan_array_reserve(&track->open, &track->capacity, track->depth + 1,
			      sizeof(track->open[0])))
		return -ENOMEM;
	track->open[track->depth++] = (struct wan_track_open){.end_ns = end_ns, .item = item};
	/* what comes later on this track does not begin before this one did */
	track->closed_ns = WAN_MAX(track->closed_ns, start_ns);
	return 0;
}

static void free_track(struct wan_tracks *tracks, struct wan_track *track)
{
	if (!track)
		return;
	close_until(tracks, track, UINT64_MAX);
	wan_free(track->open);
	wan_free(track);
}

/* Beyond the lanes that are searched: a track that only this operation uses. */
static struct wan_track *place_alone(struct wan_tracks *tracks, const struct wan_track *first,
				     uint64_t start_ns, uint64_t end_ns, uint64_t item)
{
	free_track(tracks, tracks->single);
	tracks->single = make(tracks, first->process, first->thread, first, WAN_TRACK_LANES);
	if (!tracks->single || add(tracks->single, start_ns, end_ns, item))
		return NULL;
	return tracks->single;
}

struct wan_track *wan_tracks_search(struct wan_tracks *tracks, uint32_t process, uint32_t thread,
				    uint64_t start_ns, uint64_t end_ns, uint64_t item)
{
	struct wan_track *first = first_of(tracks, process, thread), *track = first;
	if (!track)
		return NULL;
	for (;;) {
		close_until(tracks, track, start_ns);
		if (wan_likely(fits(track, start_ns, end_ns)))
			return add(track, start_ns, end_ns, item) ? NULL : track;
		if (track->lane + 1 == WAN_TRACK_LANES)
			return place_alone(tracks, first, start_ns, end_ns, item);
		if (!track->next &&
		    !(track->next = make(tracks, process, thread, first, track->lane + 1)))
			return NULL;
		track = track->next;
	}
}

void wan_tracks_finish(struct wan_tracks *tracks)
{
	for (size_t i = 0; i < tracks->slot_count; i++)
		for (struct wan_track *track = tracks->slots[i], *next; track; track = next) {
			next = track->next;
			free_track(tracks, track);
		}
	free_track(tracks, tracks->single);
	wan_free(tracks->slots);
	tracks->slots = NULL;
	tracks->slot_count = tracks->threads = 0;
	memset(tracks->recent, 0, sizeof(tracks->recent));
	tracks->single = NULL;
}
