/* SPDX-License-Identifier: MIT */
/* Lines of the summary about the machine and the family: memory and what was done about it, GPUs,
 * processes. Each prints nothing where there is nothing worth a line. */
#ifndef WAN_TOOLS_SUMMARY_STATE_H
#define WAN_TOOLS_SUMMARY_STATE_H

#include "analysis.h"
#include "screen.h"

/* "normal", "warning", "critical", "emergency"; static storage. */
const char *wan_summary_level_name(uint64_t level);
/* The process whose memory manager stands highest, and its block; NULL: there is none. */
const struct wan_process *wan_summary_highest_level(const struct wan_view *view,
						    const struct wan_process_counters **ret_block);
/* actions_most: lines for single actions; the last ones are shown. */
void wan_summary_memory(const struct wan_screen *screen, const struct wan_view *view,
			unsigned actions_most);
/* The machine was in use, or full, as the command began. */
void wan_summary_before(const struct wan_screen *screen, const struct wan_view *view);
/* Heat, power, throttling, use of the machine, where it shows them: summary_sensors.c. */
void wan_summary_sensors(const struct wan_screen *screen, const struct wan_view *view);
void wan_summary_gpu(const struct wan_screen *screen, const struct wan_analysis *analysis);
/* The tree of a run of several processes. */
void wan_summary_processes(const struct wan_screen *screen, const struct wan_view *view,
			   unsigned lines_most);

#endif
