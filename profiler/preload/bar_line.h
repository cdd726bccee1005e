/* SPDX-License-Identifier: MIT */
/*
 * What a descriptor's writes leave in its line: bytes in, drawings and movements out. A bar comes
 * in any cut: '\r' and text, a newline of its own to go down, cursor-up as an escape of its own to
 * come back, colours in between. Rows are counted from where the first write was. Bounded work: a
 * few ns a byte. No allocation; one user at a time.
 */
#ifndef WAN_PRELOAD_BAR_LINE_H
#define WAN_PRELOAD_BAR_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wan_bar_event {
	WAN_BAR_DRAWN,   /* text is all that the row holds so far; it may go on */
	WAN_BAR_CLEARED, /* the row was overwritten by spaces */
	WAN_BAR_LEFT,    /* a newline directly behind a drawing, from this row */
	WAN_BAR_BACK,    /* the cursor came back up to this row */
};

enum {
	WAN_BAR_LINE_BYTES = 1024, /* a row longer than that is no bar */
	WAN_BAR_WRITE_BYTES = 4096 /* of a longer write only the end is looked at */
};

struct wan_bar_line {
	int64_t row;
	uint32_t used;
	uint32_t number; /* of an escape sequence, so far */
	uint8_t escape;  /* 0: none; 1: ESC; 2: ESC [ */
	bool skips;      /* what the row holds is not known, up to the next '\r' or '\n' */
	bool fresh;      /* the text has changed since it was told */
	bool drawn;      /* nothing came since a bar was drawn here */
	char text[WAN_BAR_LINE_BYTES];
};

/* True: the text was a bar. text, bytes: with WAN_BAR_DRAWN only. */
typedef bool wan_bar_listener(void *context, enum wan_bar_event event, int64_t row,
			      const char *text, size_t bytes);

void wan_bar_line_begin(struct wan_bar_line *line);
void wan_bar_line_feed(struct wan_bar_line *line, const char *bytes, size_t count,
		       wan_bar_listener *listener, void *context);
/* Something was written that nobody looked at. */
void wan_bar_line_miss(struct wan_bar_line *line);
/* May a bar begin in a write to a descriptor that has shown none yet? Cheap. */
bool wan_bar_may_begin(const char *bytes, size_t count);

#endif
