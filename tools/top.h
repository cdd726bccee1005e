/* SPDX-License-Identifier: MIT */
/* `wanprof top`: a screen made of a look at a run, and the terminal it is drawn on. */
#ifndef WAN_TOOLS_TOP_H
#define WAN_TOOLS_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "live.h"

enum top_style {
	TOP_PLAIN,
	TOP_TITLE,
	TOP_HEAD, /* of a part */
	TOP_DIM,
	TOP_WARN,
	TOP_BAD,
};
enum { TOP_LINES = 200, TOP_COLUMNS = 250, TOP_BYTES = 1100 };

/* Lines as they will stand: printable, no wider than the screen. */
struct top_lines {
	char text[TOP_LINES][TOP_BYTES];
	uint8_t style[TOP_LINES];
	unsigned count, columns;
};
void top_add(struct top_lines *lines, enum top_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

enum top_sort { TOP_SORT_TIME, TOP_SORT_RATE, TOP_SORT_SLOWEST, TOP_SORT_NAME, TOP_SORTS };

/* What the user has chosen. */
struct top_choice {
	enum top_sort sort;
	bool all_jobs;                 /* ended ones, and how long steps take */
	unsigned first_row, first_job; /* of what does not fit */
	bool keys;                     /* the last line tells them */
};

/* top_compose.c: the whole screen. rows 0: as many as it takes. */
void top_compose(struct top_lines *lines, const struct live *live, const struct top_choice *choice,
		 unsigned rows, unsigned columns);
/* top_jobs.c */
enum { TOP_JOB_BYTES = 512 };
void top_add_jobs(struct top_lines *lines, const struct live *live, const struct top_choice *choice,
		  unsigned most);
/* How many lines the jobs would take. */
unsigned top_count_jobs(const struct live *live, const struct top_choice *choice);
/* One job in one line, for rows that are printed one after the other. */
void top_job_text(const struct live *live, const struct wan_tracker_row *row, char *to,
		  size_t bytes);
/* A run in one line: its outermost job or, where there is none, how many operations it did. */
void top_run_text(const struct live *live, char *to, size_t bytes);
/* Active ones first, outer before inner; those that ended last. count indices. */
size_t top_sorted_jobs(const struct live *live, bool all, size_t *indices, size_t most);

/* top_terminal.c: at most one at a time. */
/* False: stdout is no terminal that can be drawn on. */
bool top_terminal_can(void);
/* Takes the terminal, if it is not ours yet: whatever ends the program gives it back. */
void top_terminal_open(bool colour);
void top_terminal_close(void);
void top_terminal_size(unsigned *ret_rows, unsigned *ret_columns);
/* Draws what differs from the screen as it was. 0, negative errno: the terminal is gone. */
int top_terminal_draw(const struct top_lines *lines, unsigned rows);

enum top_key {
	TOP_KEY_NONE,
	TOP_KEY_UP = 256,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_REDRAW, /* another size, or back from a stop */
	TOP_KEY_END,    /* asked to end, by a signal or because the terminal is gone */
};
/* A key, or none within that time. */
int top_terminal_wait(uint64_t timeout_ns);
/* Ends the program as the signal that asked for it would have; returns when there was none. */
void top_terminal_obey_signal(void);

/* top_choose.c: which of several runs. Index, or -1: none. */
int top_choose(const struct live_choice *choices, size_t count, bool colour);

#endif
