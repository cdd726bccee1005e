/* SPDX-License-Identifier: MIT */
/* Several runs record at this moment: which one? */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "macros.h"
#include "summary.h"
#include "top.h"
#include "wan/progress.h"

static void choice_line(struct top_lines *lines, const struct live_choice *choice, size_t number,
			bool chosen)
{
	struct wan_glance glance;
	char command[900] = "", age[32];
	uint64_t ran_ns = wan_elapsed(choice->identity.start_realtime_ns, wan_realtime_ns());
	if (wan_glance_open(choice->path, &glance) == 0) {
		wan_summary_command(command, sizeof(command), wan_glance_process(&glance));
		wan_glance_close(&glance);
	}
	wan_progress_duration_text(age, sizeof(age), (int64_t)(ran_ns / 1000000000));
	top_add(lines, chosen ? TOP_TITLE : TOP_PLAIN, "%c %zu  pid %-7u %8s  %s",
		chosen ? '>' : ' ', number, choice->identity.pid, age, command);
}

static int pressed(int key, int at, int count)
{
	if (key == TOP_KEY_UP || key == 'k')
		return WAN_MAX(at - 1, 0);
	if (key == TOP_KEY_DOWN || key == 'j')
		return WAN_MIN(at + 1, count - 1);
	if (key >= '1' && key <= '9' && key - '1' < count)
		return key - '1';
	return at;
}

int top_choose(const struct live_choice *choices, size_t count, bool colour)
{
	static struct top_lines lines;
	int at = 0;
	top_terminal_open(colour);
	for (;;) {
		unsigned rows, columns;
		top_terminal_size(&rows, &columns);
		lines.count = 0;
		lines.columns = columns;
		top_add(&lines, TOP_TITLE, "%zu runs are being recorded", count);
		size_t first = (unsigned)at + 3 > rows ? (unsigned)at + 3 - rows : 0;
		for (size_t i = first; i < count && lines.count + 1 < WAN_MAX(rows, 3u); i++)
			choice_line(&lines, &choices[i], i + 1, (int)i == at);
		top_add(&lines, TOP_DIM, "arrows or a number, enter; q quit");
		if (top_terminal_draw(&lines, rows) < 0)
			return -1;
		int key = top_terminal_wait(1000000000);
		if (key == '\n' || key == '\r' ||
		    (key >= '1' && key <= '9' && key - '1' < (int)count))
			return pressed(key, at, (int)count);
		if (key == 'q' || key == TOP_KEY_END || key == 4)
			return -1;
		at = pressed(key, at, (int)count);
	}
}
