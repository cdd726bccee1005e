/* SPDX-License-Identifier: MIT */
/*
 * Where each operation is drawn. A viewer wants the bars of one track to nest; the operations of
 * one thread need not (two streaming decodes may take turns, row by row), so each thread has as
 * many tracks as it takes: an operation goes to the first one on which it lies wholly inside
 * whatever is open there. Operations come in order of their start. Memory: a track for each thread,
 * and what is open on it.
 */
#ifndef WAN_PROFILER_TRACKS_H
#define WAN_PROFILER_TRACKS_H

#include <stddef.h>
#include <stdint.h>

#include "sink.h"

/* Operations that overlap more others than this get a track of their own, which nothing shares. */
#define WAN_TRACK_LANES 32u

#define WAN_TRACKS_RECENT 16u /* power of two */

struct wan_track_open {
	uint64_t end_ns;
	uint64_t item; /* the caller's */
};

struct wan_track {
	uint32_t process, thread;
	uint32_t lane;      /* 0: the thread's first */
	uint32_t number;    /* from 0, in order of appearance */
	uint32_t parent;    /* number of the thread's first track; its own when it is that */
	uint32_t depth;     /* entries of open */
	uint64_t closed_ns; /* everything on it that has ended had ended by then */
	struct wan_track *next;
	struct wan_track_open *open; /* outermost first */
	size_t capacity;
	uint64_t item; /* the caller's, 0 at first */
	char text[64]; /* the caller's */
	uint32_t text_bytes;
};

struct wan_tracks {
	struct wan_track **slots; /* first tracks, by process and thread */
	size_t slot_count, threads;
	uint32_t count; /* tracks so far */
	struct wan_track *recent[WAN_TRACKS_RECENT], *single;
	/* What was open on a track has ended: called innermost first, at rising times. May be NULL.
	 */
	void (*ended)(void *context, struct wan_track *track, const struct wan_track_open *open);
	/* A track appears. May be NULL. */
	void (*begun)(void *context, struct wan_track *track);
	void *context;
};

struct wan_track *wan_tracks_search(struct wan_tracks *tracks, uint32_t process, uint32_t thread,
				    uint64_t start_ns, uint64_t end_ns, uint64_t item);

/* The track for [start, end], with the operation open on it. NULL: no memory. Nearly always the one
 * before it on the same thread was alone, and has ended. */
static inline struct wan_track *wan_tracks_place(struct wan_tracks *tracks, uint32_t process,
						 uint32_t thread, uint64_t start_ns,
						 uint64_t end_ns, uint64_t item)
{
	struct wan_track *track = tracks->recent[thread & (WAN_TRACKS_RECENT - 1)];
	if (wan_likely(track && track->thread == thread && track->process == process &&
		       track->depth == 1 && track->open[0].end_ns <= start_ns &&
		       track->closed_ns <= start_ns && !tracks->ended)) {
		track->open[0] = (struct wan_track_open){.end_ns = end_ns, .item = item};
		track->closed_ns = start_ns;
		return track;
	}
	return wan_tracks_search(tracks, process, thread, start_ns, end_ns, item);
}
/* Ends whatever is open, calls ended for it, and frees everything. */
void wan_tracks_finish(struct wan_tracks *tracks);

#endif
