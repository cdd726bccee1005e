/* SPDX-License-Identifier: MIT */
/*
 * The bars of this process and their trackers. A bar belongs to a line (bars.c), whose holder alone
 * changes it; only one that has ended may be taken over for a new one, of any line.
 */
#ifndef WAN_PRELOAD_BAR_POOL_H
#define WAN_PRELOAD_BAR_POOL_H

#include "atomics.h"
#include "bar_device.h"
#include "bar_parse.h"
#include "bar_words.h"

enum { WAN_BARS = 40 /* blocks of a recording that bars may have, of 64 */ };

enum wan_bar_state {
	WAN_BAR_FREE,
	WAN_BAR_TAKEN, /* somebody is making a bar of it */
	WAN_BAR_LIVE,
	WAN_BAR_ENDED,
};

struct wan_bar {
	uint32_t state, generation;
	uint32_t line; /* index + 1 */
	uint32_t ended_at;
	bool complete; /* ended by reaching its total */
	int64_t row;
	uint64_t name_hash, done, total, elapsed_s;
	char unit[WAN_BAR_UNIT_BYTES];
	struct wan_bar_words words;
	struct wan_bar_device device;
};

extern struct wan_bar wan_bars[WAN_BARS];
extern uint32_t wan_bar_moment; /* counts what happens, for "oldest" */

/* Is it that line's, and not one of the parent of a fork? */
bool wan_bar_owns(unsigned line, const struct wan_bar *bar);
/* The bar that a drawing in that row is of; NULL: a new one. */
struct wan_bar *wan_bar_find(unsigned line, int64_t row, const struct wan_bar_text *text);
/* NULL: no room, counted in the coverage. */
struct wan_bar *wan_bar_new(struct wan_recorder *recorder, unsigned line, int64_t row,
			    const struct wan_bar_text *text, uint64_t now);
void wan_bar_begin_run(struct wan_recorder *recorder, unsigned line, struct wan_bar *bar,
		       const struct wan_bar_text *text, uint64_t now);
/* What it counts, as it is drawn now. */
void wan_bar_unit(struct wan_recorder *recorder, struct wan_bar *bar,
		  const struct wan_bar_text *text);
/* What is told of a bar but its steps. */
void wan_bar_note(struct wan_bar *bar, int64_t row, const struct wan_bar_text *text);
void wan_bar_end(struct wan_recorder *recorder, struct wan_bar *bar, bool complete, uint64_t now);
/* False: it has been taken over since. */
bool wan_bar_resume(unsigned line, struct wan_bar *bar, uint64_t now);
/* It is drawn in another row now: those below it are too. */
void wan_bar_move(unsigned line, struct wan_bar *bar, int64_t row);
/* Bars that a row showed end, but one (may be NULL). */
void wan_bar_end_row(struct wan_recorder *recorder, unsigned line, int64_t row,
		     const struct wan_bar *but, uint64_t now);

#endif
