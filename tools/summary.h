/* SPDX-License-Identifier: MIT */
/* One screen of what a run cost: the end of `wanprof run`, the head of `wanprof report`. */
#ifndef WAN_TOOLS_SUMMARY_H
#define WAN_TOOLS_SUMMARY_H

#include <stdio.h>

#include "analysis.h"

struct wan_summary_options {
	const char *path;  /* the recording, for the header and the next command; NULL: not named */
	bool colour;       /* severities in colour */
	bool all_findings; /* report: every finding, as many lines as it takes */
	unsigned columns;  /* 0: 80 */
};

/* At most 24 lines unless all_findings. Text from recordings is made printable. */
void wan_summary_print_analysis(FILE *to, const struct wan_analysis *analysis,
				const struct wan_summary_options *options);
/* Same from a recording (of one process or of a family). 0, -ENOMEM. */
int wan_summary_print(FILE *to, const struct wan_recording *recording,
		      const struct wan_config *config, const struct wan_summary_options *options);

/* "running", "exit 1", "signal 9", "killed for memory". process may be NULL. */
void wan_summary_outcome(char *to, size_t bytes, const struct wan_process *process);
/* The command as one text; not yet printable. */
void wan_summary_command(char *to, size_t bytes, const struct wan_process *process);

#endif
