/* SPDX-License-Identifier: MIT */
#include "bars.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "bar_pool.h"
#include "clock.h"
#include "fork.h"
#include "heap_mark.h"
#include "preload.h"

enum {
	LINES = 8,   /* descriptors */
	WAITS = 100, /* a microsecond or two */
};

struct line {
	uint32_t busy; /* generation + 1 of who is at work; 0: nobody */
	int32_t key;   /* descriptor + 1; 0: free */
	uint32_t used; /* when it was used last */
	uint32_t missed;
	bool has_bars;
	struct wan_bar_line text;
};

uint64_t wan_bars_followed;
static struct line lines[LINES];
static uint64_t device_pending;

static bool take_line(struct line *line)
{
	uint32_t mine = wan_fork_generation() + 1;
	for (unsigned i = 0; i < WAITS; i++) {
		uint32_t seen = wan_load_relaxed(&line->busy);
		/* Another generation's holder is a thread of the parent: it will not come back. */
		if (seen != mine && wan_cas_acq_rel(&line->busy, &seen, mine))
			return true;
		wan_pause();
	}
	return false;
}

static void leave_line(struct line *line)
{
	wan_store_release(&line->busy, 0); /* pairs with the exchange in take_line() */
}

static struct line *find_line(int fd)
{
	for (unsigned i = 0; i < LINES; i++)
		if (wan_load_relaxed(&lines[i].key) == fd + 1)
			return &lines[i];
	return NULL;
}

/* Free, else without bars, else unused for longest. */
static struct line *oldest_line(void)
{
	struct line *best = &lines[0];
	uint32_t now = wan_load_relaxed(&wan_bar_moment);
	uint64_t best_worth = 0;
	for (unsigned i = 0; i < LINES; i++) {
		uint64_t age = now - wan_load_relaxed(&lines[i].used);
		uint64_t worth = !wan_load_relaxed(&lines[i].key)       ? UINT64_MAX
				 : wan_load_relaxed(&lines[i].has_bars) ? age
									: age + ((uint64_t)1 << 40);
		if (worth > best_worth) {
			best_worth = worth;
			best = &lines[i];
		}
	}
	return best;
}

static unsigned index_of(const struct line *line)
{
	return (unsigned)(line - lines);
}

static void step_bar(struct wan_recorder *recorder, const struct line *line, struct wan_bar *bar,
		     const struct wan_bar_text *text, uint64_t now)
{
	uint64_t *words = bar->words.words;
	bool anew = text->done < bar->done && (text->done == 0 || text->elapsed_s < bar->elapsed_s);
	if (anew) {
		wan_bar_words_end(recorder, &bar->words, false, now);
		wan_bar_words_tell(recorder, &bar->words, now);
		wan_bar_begin_run(recorder, index_of(line), bar, text, now);
		return;
	}
	if (text->total != bar->total)
		wan_store_relaxed(&words[WAN_TRACKER_TOTAL], text->total);
	if (memcmp(text->unit, bar->unit, sizeof(bar->unit)) != 0) /* it was cut off before */
		wan_bar_unit(recorder, bar, text);
	if (text->done > bar->done) {
		wan_bar_words_step(recorder, &bar->words, text->done, text->amount, now);
		wan_bar_device_step(&bar->device, text->done);
		if (wan_load_relaxed(&bar->device.count))
			wan_or_relaxed(&device_pending, (uint64_t)1 << (bar - wan_bars));
	} else if (text->done < bar->done) {
		wan_store_relaxed(&words[WAN_TRACKER_DONE], text->done);
	}
}

/* What the process holds now that so much is done. */
static void mark(struct wan_recorder *recorder, const struct wan_bar *bar, uint64_t done)
{
	const char *block =
		(const char *)bar->words.words - offsetof(struct wan_record_counters, words);
	wan_heap_mark(recorder, WAN_HEAP_MARK_STEP,
		      (uint16_t)((const struct wan_record_counters *)(const void *)block)->name,
		      done);
}

static bool drawn(struct line *line, int64_t row, const char *text, size_t bytes)
{
	struct wan_bar_text bar_text;
	if (!wan_bar_parse(text, bytes, &bar_text))
		return false;
	struct wan_recorder *recorder = wan_preload_recorder();
	if (!recorder)
		return false;
	uint64_t now = wan_ticks();
	struct wan_bar *bar = wan_bar_find(index_of(line), row, &bar_text);
	if (bar && wan_load_relaxed(&bar->state) == WAN_BAR_ENDED) {
		if (bar->complete && bar_text.done == bar->done)
			return !bar_text.followed;
		if (!wan_bar_resume(index_of(line), bar, now))
			bar = NULL;
	}
	uint64_t marked = bar ? bar->done : UINT64_MAX;
	if (bar) {
		wan_bar_move(index_of(line), bar, row);
		step_bar(recorder, line, bar, &bar_text, now);
		wan_bar_note(bar, row, &bar_text);
	} else {
		bar = wan_bar_new(recorder, index_of(line), row, &bar_text, now);
		line->has_bars |= bar != NULL;
	}
	if (wan_unlikely(wan_heap_marks_on) && bar && bar_text.done != marked)
		mark(recorder, bar, bar_text.done);
	wan_bar_end_row(recorder, index_of(line), row, bar, now);
	if (bar && bar->total && bar->done >= bar->total)
		wan_bar_end(recorder, bar, true, now);
	return !bar_text.followed;
}

/* Cleared and left bars are over unless they are drawn again, which is how tqdm makes room for a
 * line of text, and goes down to the bars inside: then they go on as if nothing had been. */
static void over(struct line *line, int64_t row)
{
	struct wan_recorder *recorder = line->has_bars ? wan_preload_recorder() : NULL;
	if (recorder)
		wan_bar_end_row(recorder, index_of(line), row, NULL, wan_ticks());
}

static void came_back(struct line *line, int64_t row)
{
	for (unsigned i = 0; line->has_bars && i < WAN_BARS; i++)
		if (wan_load_relaxed(&wan_bars[i].state) == WAN_BAR_ENDED &&
		    wan_bar_owns(index_of(line), &wan_bars[i]) && !wan_bars[i].complete &&
		    wan_load_relaxed(&wan_bars[i].row) == row)
			wan_bar_resume(index_of(line), &wan_bars[i], wan_ticks());
}

static bool listen(void *context, enum wan_bar_event event, int64_t row, const char *text,
		   size_t bytes)
{
	struct line *line = context;
	switch (event) {
	case WAN_BAR_DRAWN:
		return drawn(line, row, text, bytes);
	case WAN_BAR_CLEARED:
	case WAN_BAR_LEFT:
		over(line, row);
		return false;
	case WAN_BAR_BACK:
		came_back(line, row);
		return false;
	}
	return false;
}

/* The line of a descriptor, held. NULL: another thread is at it. */
static struct line *hold_line(int fd)
{
	struct line *line = find_line(fd);
	bool found = line != NULL;
	if (!found)
		line = oldest_line();
	if (!take_line(line)) {
		wan_store_relaxed(&line->missed, 1);
		return NULL;
	}
	if (wan_load_relaxed(&line->key) != fd + 1) {
		if (found) { /* it has just been given to another descriptor */
			leave_line(line);
			return NULL;
		}
		struct wan_recorder *recorder = line->has_bars ? wan_preload_recorder() : NULL;
		for (unsigned i = 0; recorder && i < WAN_BARS; i++)
			if (wan_load_relaxed(&wan_bars[i].state) == WAN_BAR_LIVE &&
			    wan_bar_owns(index_of(line), &wan_bars[i]))
				wan_bar_end(recorder, &wan_bars[i], false, wan_ticks());
		wan_bar_line_begin(&line->text);
		line->has_bars = false;
		wan_store_relaxed(&line->key, fd + 1);
		wan_or_relaxed(&wan_bars_followed, (uint64_t)1 << (fd & 63));
	}
	wan_store_relaxed(&line->used, wan_add_relaxed(&wan_bar_moment, 1));
	return line;
}

void wan_bars_written_far(int fd, const char *bytes, size_t count)
{
	const struct wan_lane *lane = wan_lane_current;
	if (!wan_preload_records() || (lane && lane->own_output))
		return;
	if (!find_line(fd) && !wan_bar_may_begin(bytes, count))
		return; /* another descriptor with the same bit */
	int saved = errno;
	struct line *line = hold_line(fd);
	if (line) {
		if (wan_load_relaxed(&line->missed)) {
			wan_store_relaxed(&line->missed, 0);
			wan_bar_line_miss(&line->text);
		}
		wan_bar_line_feed(&line->text, bytes, count, listen, line);
		leave_line(line);
	}
	errno = saved;
}

void wan_bars_device_waited(void)
{
	uint64_t pending = wan_load_relaxed(&device_pending);
	while (wan_unlikely(pending)) {
		struct wan_bar *bar = &wan_bars[__builtin_ctzll(pending)];
		pending &= pending - 1;
		wan_bar_device_waited(&bar->device);
	}
}
