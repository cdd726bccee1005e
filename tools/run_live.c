/* SPDX-License-Identifier: MIT */
/*
 * `wanprof run --live`: one line at the foot of the terminal while the command runs. The command's
 * own output goes on above it: the last row is taken out of what scrolls, as package managers do,
 * and each drawing is one write that leaves the cursor where it was. Nothing is read from the
 * terminal, and nothing of the command's bytes passes through us.
 */
#include "run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "live.h"
#include "macros.h"
#include "screen.h"
#include "str.h"
#include "sys.h"
#include "top.h"
#include "wan/progress.h"

#define DRAW_NS    250000000ull
#define ROWS_LEAST 4
#define SAVE       "\0337"
#define GO_BACK    "\0338"

static struct {
	int fd; /* of the terminal, when wanted */
	bool wanted, opened;
	unsigned rows; /* with our line on the last one; 0: it is not there */
	uint64_t start_ns, drawn_ns;
	char path[PATH_MAX];
	struct live live;
} shown = {.fd = -1};

static void put(const char *text, size_t bytes)
{
	if (wan_write_full(shown.fd, text, bytes) < 0)
		shown.wanted = false;
}

bool run_live_start(const char *own_recording)
{
	const char *type = getenv("TERM");
	if (type && type[0] && strcmp(type, "dumb") != 0)
		shown.fd = wan_sys->open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
	if (shown.fd < 0)
		return false;
	wan_str_copy(shown.path, sizeof(shown.path), own_recording);
	shown.start_ns = wan_now_ns();
	shown.wanted = true;
	return true;
}

/* The scrolling part ends above the last row; the cursor must not be left below it. */
static void take_row(unsigned rows)
{
	char text[64];
	put(text,
	    wan_str_format(text, sizeof(text), "\n" SAVE "\033[1;%ur" GO_BACK "\033[1A", rows - 1));
	shown.rows = rows;
}

void run_live_hide(void)
{
	char text[64];
	if (!shown.rows)
		return;
	put(text,
	    wan_str_format(text, sizeof(text), SAVE "\033[r\033[%u;1H\033[2K" GO_BACK, shown.rows));
	shown.rows = 0;
}

static void compose(char *to, size_t bytes, unsigned columns)
{
	char text[2 * TOP_JOB_BYTES], said[TOP_JOB_BYTES], time[32];
	uint64_t ran_ns = wan_elapsed(shown.start_ns, wan_now_ns());
	top_run_text(&shown.live, said, sizeof(said));
	wan_progress_duration_text(time, sizeof(time), (int64_t)(ran_ns / 1000000000));
	wan_str_format(text, sizeof(text), "wanprof %s  %s", time, said);
	wan_str_printable(to, bytes, text);
	to[wan_text_cut(to, columns - 1)] = '\0';
}

static void draw(void)
{
	char said[4 * TOP_JOB_BYTES], text[4 * TOP_JOB_BYTES + 64];
	struct winsize size;
	/* In the background the terminal is somebody else's. */
	if (tcgetpgrp(shown.fd) != getpgrp() || ioctl(shown.fd, TIOCGWINSZ, &size) != 0 ||
	    size.ws_row < ROWS_LEAST || size.ws_col < 20)
		return;
	if (!shown.opened)
		shown.opened = live_open(&shown.live, shown.path) == 0;
	if (!shown.opened || live_look(&shown.live) < 0)
		return;
	if (shown.rows != size.ws_row) {
		run_live_hide();
		take_row(size.ws_row);
	}
	compose(said, sizeof(said), size.ws_col);
	put(text, wan_str_format(text, sizeof(text), SAVE "\033[%u;1H\033[2K%s" GO_BACK, shown.rows,
				 said));
}

uint64_t run_live_step(void)
{
	uint64_t now_ns = wan_now_ns();
	if (!shown.wanted)
		return UINT64_MAX;
	if (now_ns - shown.drawn_ns < DRAW_NS)
		return DRAW_NS - (now_ns - shown.drawn_ns);
	draw();
	shown.drawn_ns = now_ns;
	return DRAW_NS;
}

void run_live_stop(void)
{
	run_live_hide();
	if (shown.opened)
		live_close(&shown.live);
	if (shown.fd >= 0)
		wan_sys->close(shown.fd);
	shown.fd = -1;
	shown.opened = shown.wanted = false;
}
