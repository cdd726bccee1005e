/* SPDX-License-Identifier: MIT */
/* What history says, for people and for programs (tools/schemas/history.schema.json). */
#ifndef WAN_TOOLS_HISTORY_REPORT_H
#define WAN_TOOLS_HISTORY_REPORT_H

#include <stdio.h>

#include "history_collect.h"
#include "history_job.h"
#include "json_writer.h"

#define HISTORY_SCHEMA         "wanrt-history"
#define HISTORY_SCHEMA_VERSION 1

/* together: the jobs were chosen to be looked at as one, so a fit over all of them means something.
 */
void history_print(FILE *to, const struct history_jobs *jobs, const struct history_runs *runs,
		   bool with_runs, bool together);
void history_print_json(struct wan_json *json, const struct history_jobs *jobs,
			const struct history_runs *runs, const struct history_told *told);
/* "phases exceed the total by 10.4 s; ..." of a run with flags; "" of others. Returns to. */
const char *history_flags_text(char *to, size_t bytes, const struct history_run *run);
/* "#9, 2025-07-07"; "?" where nothing is known. Returns to. */
const char *history_run_text(char *to, size_t bytes, const struct history_run *run);
/* Is it a run of this job and machine? */
bool history_job_has(const struct history_job *job, const struct history_run *run);

#endif
