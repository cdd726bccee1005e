/* SPDX-License-Identifier: MIT */
/* The runs that a verb was given, loaded, with messages on stderr. */
#ifndef WAN_TOOLS_VERDICT_FILES_H
#define WAN_TOOLS_VERDICT_FILES_H

#include "run_facts.h"

#define VERDICT_FILES_MAX 1024

struct verdict_files {
	struct run_facts *runs;
	size_t count, capacity;
	const char *damaged; /* the first of which parts could not be read; NULL */
};

/* One more. 0, or the exit status with the message printed. */
int verdict_files_add(struct verdict_files *files, const char *path);
void verdict_files_finish(struct verdict_files *files);
/* The exit status that goes with an error of run_facts_load(). */
int verdict_exit_status(int rc);

#endif
