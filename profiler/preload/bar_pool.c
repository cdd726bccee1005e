/* SPDX-License-Identifier: MIT */
#include "bar_pool.h"

#include <string.h>

#include "fork.h"
#include "preload.h"
#include "str.h"

enum {
	KEPT_ALIKE = 4, /* bars of one name that ended and are kept */
	NAME_BYTES = 64,
};

struct wan_bar wan_bars[WAN_BARS];
uint32_t wan_bar_moment;
static struct {
	uint64_t *words; /* coverage block */
	uint32_t generation;
	uint64_t seen, recorded, lost;
} cover;

static uint64_t hash_of(const char *text, size_t bytes)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
	return hash;
}

/* A text of the program's for the recording: what would steer a reader's terminal goes, and so do
 * wrong characters. */
static void clean(char *to, size_t to_bytes, const char *from, size_t bytes)
{
	size_t used = 0;
	for (size_t i = 0; i < bytes;) {
		unsigned length = wan_utf8_length(from + i, bytes - i);
		bool good = length && !wan_str_steers(from + i, length);
		unsigned step = length ? length : 1, room = good ? length : 1;
		if (used + room >= to_bytes)
			break;
		if (good)
			memcpy(to + used, from + i, length);
		else
			to[used] = '?';
		used += room;
		i += step;
	}
	to[used] = '\0';
}

bool wan_bar_owns(unsigned line, const struct wan_bar *bar)
{
	return wan_load_relaxed(&bar->line) == line + 1 &&
	       wan_load_relaxed(&bar->generation) == wan_fork_generation();
}

/* --- bars --- */

void wan_bar_end(struct wan_recorder *recorder, struct wan_bar *bar, bool complete, uint64_t now)
{
	wan_bar_words_end(recorder, &bar->words, complete, now);
	if (complete)
		wan_bar_words_tell(recorder, &bar->words, now);
	wan_store_relaxed(&bar->complete, complete);
	wan_store_relaxed(&bar->ended_at, wan_add_relaxed(&wan_bar_moment, 1));
	wan_store_release(&bar->state, WAN_BAR_ENDED);
}

static void tell_levels(unsigned line)
{
	for (unsigned i = 0; i < WAN_BARS; i++) {
		uint64_t level = 0;
		if (wan_load_relaxed(&wan_bars[i].state) != WAN_BAR_LIVE ||
		    !wan_bar_owns(line, &wan_bars[i]))
			continue;
		for (unsigned k = 0; k < WAN_BARS; k++)
			level += wan_load_relaxed(&wan_bars[k].state) == WAN_BAR_LIVE &&
				 wan_bar_owns(line, &wan_bars[k]) &&
				 wan_bars[k].row < wan_bars[i].row;
		wan_store_relaxed(&wan_bars[i].words.words[WAN_TRACKER_LEVEL], level);
	}
}

/* Ended bars may have been taken over since they were looked at. */
bool wan_bar_resume(unsigned line, struct wan_bar *bar, uint64_t now)
{
	uint32_t ended = WAN_BAR_ENDED;
	if (!wan_cas_acq_rel(&bar->state, &ended, WAN_BAR_LIVE))
		return false;
	if (!wan_bar_owns(line, bar)) {
		wan_store_release(&bar->state, WAN_BAR_ENDED);
		return false;
	}
	wan_bar_words_resume(&bar->words, now);
	tell_levels(line);
	return true;
}

static void publish_cover(struct wan_recorder *recorder)
{
	if (!cover.words || cover.generation != wan_fork_generation()) {
		cover.generation = wan_fork_generation();
		cover.words =
			wan_recorder_counters(recorder, WAN_COUNTERS_COVERAGE, "progress bars");
	}
	if (!cover.words)
		return;
	wan_max_relaxed(&cover.words[WAN_COVER_OBJECTS], wan_load_relaxed(&cover.seen));
	wan_max_relaxed(&cover.words[WAN_COVER_OPERATIONS], wan_load_relaxed(&cover.recorded));
	wan_max_relaxed(&cover.words[WAN_COVER_UNRESOLVED], wan_load_relaxed(&cover.lost));
}

/* One that is nobody's: never used, left behind in the child of a fork, or ended: of many with that
 * name the oldest, else the oldest of all. */
static struct wan_bar *choose_bar(uint64_t name_hash)
{
	struct wan_bar *oldest = NULL, *alike = NULL, *unused = NULL;
	unsigned alikes = 0;
	for (unsigned i = 0; i < WAN_BARS; i++) {
		struct wan_bar *bar = &wan_bars[i];
		uint32_t state = wan_load_acquire(&bar->state);
		bool stale = wan_load_relaxed(&bar->generation) != wan_fork_generation();
		if (state == WAN_BAR_FREE || (stale && state != WAN_BAR_TAKEN)) {
			unused = unused ? unused : bar;
			continue;
		}
		if (state != WAN_BAR_ENDED)
			continue;
		uint32_t at = wan_load_relaxed(&bar->ended_at);
		if (!oldest || (int32_t)(at - oldest->ended_at) < 0)
			oldest = bar;
		if (wan_load_relaxed(&bar->name_hash) != name_hash)
			continue;
		alikes++;
		if (!alike || (int32_t)(at - alike->ended_at) < 0)
			alike = bar;
	}
	if (alikes >= KEPT_ALIKE)
		return alike;
	return unused ? unused : oldest;
}

/* A bar with a block of the recording, not yet begun. NULL: all are in use. */
static struct wan_bar *take_bar(struct wan_recorder *recorder, const char *name, uint64_t name_hash,
				uint64_t now)
{
	for (unsigned attempt = 0; attempt < WAN_BARS; attempt++) {
		struct wan_bar *bar = choose_bar(name_hash);
		uint32_t state = bar ? wan_load_relaxed(&bar->state) : WAN_BAR_TAKEN;
		if (!bar)
			return NULL;
		if (state == WAN_BAR_TAKEN || !wan_cas_acq_rel(&bar->state, &state, WAN_BAR_TAKEN))
			continue;
		if (bar->words.words && state == WAN_BAR_ENDED &&
		    bar->generation == wan_fork_generation())
			wan_bar_words_tell(recorder, &bar->words, now);
		wan_bar_device_begin(&bar->device, NULL);
		wan_recorder_counters_release(recorder, bar->words.words);
		bar->words.words = wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, name);
		wan_store_relaxed(&bar->generation, wan_fork_generation());
		wan_store_relaxed(&bar->line, 0);
		if (bar->words.words)
			return bar;
		wan_store_release(&bar->state, WAN_BAR_FREE); /* no block left */
		return NULL;
	}
	return NULL;
}

static unsigned level_at(unsigned line, int64_t row)
{
	unsigned level = 0;
	for (unsigned i = 0; i < WAN_BARS; i++)
		level += wan_load_relaxed(&wan_bars[i].state) == WAN_BAR_LIVE &&
			 wan_bar_owns(line, &wan_bars[i]) && wan_bars[i].row < row;
	return level;
}

void wan_bar_unit(struct wan_recorder *recorder, struct wan_bar *bar,
		  const struct wan_bar_text *text)
{
	char unit[WAN_BAR_UNIT_BYTES];
	clean(unit, sizeof(unit), text->unit, strlen(text->unit));
	memcpy(bar->unit, text->unit, sizeof(bar->unit));
	bar->words.unit = wan_recorder_string(recorder, unit[0] ? unit : "it");
	wan_store_relaxed(&bar->words.words[WAN_TRACKER_UNIT], bar->words.unit);
}

void wan_bar_note(struct wan_bar *bar, int64_t row, const struct wan_bar_text *text)
{
	wan_store_relaxed(&bar->row, row);
	wan_store_relaxed(&bar->elapsed_s, text->elapsed_s);
	wan_store_relaxed(&bar->name_hash, hash_of(text->name, text->name_bytes));
	wan_store_relaxed(&bar->done, text->done);
	wan_store_relaxed(&bar->total, text->total);
}

void wan_bar_begin_run(struct wan_recorder *recorder, unsigned line, struct wan_bar *bar,
		       const struct wan_bar_text *text, uint64_t now)
{
	const struct wan_bar_start start = {
		.done = text->done,
		.total = text->total,
		.now_ticks = now,
		.level = level_at(line, bar->row),
		.phase = wan_bar_phase(text->name, text->name_bytes),
	};
	wan_bar_words_begin(recorder, &bar->words, &start);
	wan_bar_unit(recorder, bar, text);
	wan_bar_device_begin(&bar->device, &bar->words.words[WAN_TRACKER_DEVICE_DONE]);
}

struct wan_bar *wan_bar_new(struct wan_recorder *recorder, unsigned line, int64_t row,
			    const struct wan_bar_text *text, uint64_t now)
{
	char name[NAME_BYTES];
	clean(name, sizeof(name), text->name, text->name_bytes);
	if (!name[0])
		wan_str_copy(name, sizeof(name), "progress");
	wan_add_relaxed(&cover.seen, 1);
	struct wan_bar *bar = take_bar(recorder, name, hash_of(text->name, text->name_bytes), now);
	wan_add_relaxed(bar ? &cover.recorded : &cover.lost, 1);
	publish_cover(recorder);
	if (!bar)
		return NULL;
	wan_bar_note(bar, row, text);
	bar->words.name = wan_recorder_string(recorder, name);
	wan_bar_begin_run(recorder, line, bar, text, now);
	wan_store_relaxed(&bar->line, line + 1);
	wan_store_release(&bar->state, WAN_BAR_LIVE);
	return bar;
}

/* How well a drawing fits a bar; 0: it is another one. */
static unsigned fit(const struct wan_bar *bar, int64_t row, const struct wan_bar_text *text,
		    uint64_t name_hash)
{
	uint32_t state = wan_load_acquire(&bar->state);
	bool same_name = wan_load_relaxed(&bar->name_hash) == name_hash;
	bool same_total = wan_load_relaxed(&bar->total) == text->total;
	bool forward = text->done >= wan_load_relaxed(&bar->done);
	bool here = wan_load_relaxed(&bar->row) == row;
	if (state == WAN_BAR_LIVE && here && same_name)
		return 5;
	if (state == WAN_BAR_LIVE && same_name && same_total && forward)
		return 4; /* it moved: a bar above it has ended, or text came between */
	if (state == WAN_BAR_LIVE)
		return here && same_total && forward ? 1 : 0; /* its description changed */
	if (state != WAN_BAR_ENDED || !same_name || !forward)
		return 0;
	if (!wan_load_relaxed(&bar->complete))
		return same_total || here ? 2 : 0;
	/* Drawn once more when it is closed, in its row or the first. */
	return same_total && text->done == wan_load_relaxed(&bar->done) &&
			       text->elapsed_s >= wan_load_relaxed(&bar->elapsed_s)
		       ? 3
		       : 0;
}

struct wan_bar *wan_bar_find(unsigned line, int64_t row, const struct wan_bar_text *text)
{
	uint64_t name_hash = hash_of(text->name, text->name_bytes);
	struct wan_bar *best = NULL;
	unsigned best_fit = 0;
	for (unsigned i = 0; i < WAN_BARS; i++) {
		unsigned is = wan_bar_owns(line, &wan_bars[i])
				      ? fit(&wan_bars[i], row, text, name_hash)
				      : 0;
		if (is > best_fit) {
			best_fit = is;
			best = &wan_bars[i];
		}
	}
	return best;
}

/* What a row showed before is gone when another bar is drawn there. */
/* A line more above a bar is one more above those below it. */
void wan_bar_move(unsigned line, struct wan_bar *bar, int64_t row)
{
	int64_t from = bar->row;
	for (unsigned i = 0; i < WAN_BARS && from != row; i++)
		if (wan_load_relaxed(&wan_bars[i].state) == WAN_BAR_LIVE &&
		    wan_bar_owns(line, &wan_bars[i]) && wan_bars[i].row > from)
			wan_store_relaxed(&wan_bars[i].row, wan_bars[i].row + row - from);
	wan_store_relaxed(&bar->row, row);
}

void wan_bar_end_row(struct wan_recorder *recorder, unsigned line, int64_t row,
		     const struct wan_bar *but, uint64_t now)
{
	for (unsigned i = 0; i < WAN_BARS; i++)
		if (&wan_bars[i] != but && wan_load_relaxed(&wan_bars[i].state) == WAN_BAR_LIVE &&
		    wan_bar_owns(line, &wan_bars[i]) && wan_bars[i].row == row)
			wan_bar_end(recorder, &wan_bars[i], false, now);
}
