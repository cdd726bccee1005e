/* SPDX-License-Identifier: MIT */
#include "bar_line.h"

#include <string.h>

#include "macros.h"

enum {
	ESCAPE = 0x1b,
	RETURNS = 4, /* '\r' looked at in a write that may hold none of a bar */
	TEXT_SEEN = 64,
};

void wan_bar_line_begin(struct wan_bar_line *line)
{
	line->row = 0;
	line->used = line->number = 0;
	line->escape = 0;
	line->skips = line->fresh = line->drawn = false;
}

void wan_bar_line_miss(struct wan_bar_line *line)
{
	line->skips = true;
	line->fresh = line->drawn = false;
	line->used = 0;
	line->escape = 0;
}

static bool only_spaces(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] != ' ')
			return false;
	return bytes > 0;
}

/* The row as it stands: before the cursor leaves it, and at the end of a write. */
static void tell(struct wan_bar_line *line, wan_bar_listener *listener, void *context)
{
	if (!line->fresh || line->skips)
		return;
	line->fresh = false;
	if (only_spaces(line->text, line->used)) {
		line->drawn = false;
		listener(context, WAN_BAR_CLEARED, line->row, NULL, 0);
	} else {
		line->drawn = listener(context, WAN_BAR_DRAWN, line->row, line->text, line->used);
	}
}

static void empty(struct wan_bar_line *line)
{
	line->used = 0;
	line->fresh = line->skips = false;
}

static void move_down(struct wan_bar_line *line, wan_bar_listener *listener, void *context)
{
	if (line->drawn)
		listener(context, WAN_BAR_LEFT, line->row, NULL, 0);
	line->drawn = false;
	line->row++;
	empty(line);
}

static void move_up(struct wan_bar_line *line, uint32_t rows, wan_bar_listener *listener,
		    void *context)
{
	line->row -= rows ? rows : 1;
	line->drawn = false;
	empty(line);
	listener(context, WAN_BAR_BACK, line->row, NULL, 0);
}

static void end_escape(struct wan_bar_line *line, char c, wan_bar_listener *listener, void *context)
{
	line->escape = 0;
	if (c == 'A' || c == 'F') {
		tell(line, listener, context);
		move_up(line, line->number, listener, context);
	} else if (c == 'B' || c == 'E') {
		tell(line, listener, context);
		line->row += line->number ? line->number : 1;
		empty(line);
	} else if (c == 'K' && line->number != 0) {
		empty(line); /* erased, to be drawn again */
	}
}

/* A byte of an escape sequence, or the one that begins it. */
static void take_escape(struct wan_bar_line *line, char c, wan_bar_listener *listener,
			void *context)
{
	if (line->escape == 0) {
		line->escape = 1;
		line->number = 0;
	} else if (line->escape == 1) {
		line->escape = c == '[' ? 2 : 0; /* other sequences have two bytes as a rule */
	} else if (c >= '0' && c <= '9') {
		line->number = WAN_MIN(line->number * 10 + (uint32_t)(c - '0'), 10000u);
	} else if (c >= '@' && c <= '~') {
		end_escape(line, c, listener, context);
	} else if (c < ' ') {
		line->escape = 0; /* broken off */
	}
}

static void append(struct wan_bar_line *line, const char *bytes, size_t count)
{
	line->drawn = false;
	if (line->skips)
		return;
	if (count > sizeof(line->text) - line->used) {
		wan_bar_line_miss(line);
		return;
	}
	memcpy(line->text + line->used, bytes, count);
	line->used += (uint32_t)count;
	line->fresh = true;
}

static size_t plain_run(const char *bytes, size_t count)
{
	size_t run = 0;
	while (run < count && bytes[run] != '\r' && bytes[run] != '\n' && bytes[run] != ESCAPE)
		run++;
	return run;
}

void wan_bar_line_feed(struct wan_bar_line *line, const char *bytes, size_t count,
		       wan_bar_listener *listener, void *context)
{
	if (count > WAN_BAR_WRITE_BYTES) {
		bytes += count - WAN_BAR_LINE_BYTES;
		count = WAN_BAR_LINE_BYTES;
		wan_bar_line_miss(line);
	}
	while (count) {
		size_t step = 1;
		if (line->escape || *bytes == ESCAPE) {
			take_escape(line, *bytes, listener, context);
		} else if (*bytes == '\r') {
			tell(line, listener, context);
			empty(line);
		} else if (*bytes == '\n') {
			tell(line, listener, context);
			move_down(line, listener, context);
		} else {
			step = plain_run(bytes, count);
			append(line, bytes, step);
		}
		bytes += step;
		count -= step;
	}
	tell(line, listener, context);
}

/* As far as the first bytes tell: text of a person, not data. */
static bool is_text(const char *bytes, size_t count)
{
	for (size_t i = 0; i < WAN_MIN(count, (size_t)TEXT_SEEN); i++)
		if ((unsigned char)bytes[i] < ' ' && bytes[i] != '\r' && bytes[i] != '\n' &&
		    bytes[i] != ESCAPE)
			return false;
	return true;
}

bool wan_bar_may_begin(const char *bytes, size_t count)
{
	const char *at = bytes, *end = bytes + count;
	if (count > WAN_BAR_WRITE_BYTES)
		return false;
	for (unsigned i = 0; i < RETURNS; i++) {
		at = memchr(at, '\r', (size_t)(end - at));
		if (!at)
			return false;
		if (++at == end || *at != '\n')
			return is_text(at, (size_t)(end - at));
	}
	return false;
}
