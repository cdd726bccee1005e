/* SPDX-License-Identifier: MIT */
/*
 * A bar as a tracker in the recording. Bars are drawn every 0.1 s or more seldom, so one drawing
 * may stand for many steps: these are taken to have come evenly, n steps of a n-th of the time
 * each. Sums, counts and means are exact then; how single steps between two drawings differed is
 * not known. Bytes and rounded numbers ("1.23G") are no steps: there each drawing is one update.
 */
#ifndef WAN_PRELOAD_BAR_WORDS_H
#define WAN_PRELOAD_BAR_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "tracker_words.h"

struct wan_recorder;

struct wan_bar_words {
	uint64_t *words;
	uint32_t *counts; /* may be NULL */
	uint16_t name, unit;
	bool told; /* a PHASE record says how it went, up to its latest step */
};

struct wan_bar_start {
	uint64_t done, total, now_ticks;
	unsigned level, phase;
};

/* A run from its beginning; the block may have served another one. */
void wan_bar_words_begin(struct wan_recorder *recorder, struct wan_bar_words *bar,
			 const struct wan_bar_start *start);
/* done so far. by_draw: one update, however much it is. */
void wan_bar_words_step(struct wan_recorder *recorder, struct wan_bar_words *bar, uint64_t done,
			bool by_draw, uint64_t now_ticks);
/* It is over, or only seemed so and goes on. */
void wan_bar_words_end(struct wan_recorder *recorder, struct wan_bar_words *bar, bool completed,
		       uint64_t now_ticks);
void wan_bar_words_resume(struct wan_bar_words *bar, uint64_t now_ticks);
/* A PHASE record of the run that has ended, once. */
void wan_bar_words_tell(struct wan_recorder *recorder, struct wan_bar_words *bar,
			uint64_t now_ticks);

#endif
