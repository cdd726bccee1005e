/* SPDX-License-Identifier: MIT */
/* The recordings a verb reads: files, folders, processes, or the newest one. */
#ifndef WAN_TOOLS_RECORDINGS_H
#define WAN_TOOLS_RECORDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis.h"
#include "environment.h"

#define RECORDINGS_MAX 256

struct recordings {
	struct wan_recording *items[RECORDINGS_MAX];
	size_t count;
	char newest[4096]; /* the one chosen because none was named; "" otherwise */
	bool damaged;
};

/* Each returns 0 or an exit status, with the message printed. */
/* family: also the other recordings of the same run in its folder. */
int recordings_add_file(struct recordings *recordings, const char *path, bool family);
int recordings_add_pid(struct recordings *recordings, const char *pid); /* with its family */
/* When nothing was added: the newest one, named on stderr. */
int recordings_default(struct recordings *recordings);
void recordings_close(struct recordings *recordings);

/* View and analysis of all of them, judged by the configuration in force. 0 or an exit status.
 * config is filled and must outlive the analysis. hide_files: findings name no files. */
int recordings_analyse(const struct recordings *recordings, const char *operation_glob,
		       bool hide_files, struct wan_config *config,
		       struct wan_analysis *ret_analysis);
/* The machine, when it can be the one that recorded: everything is younger than its boot. */
const struct wan_environment *recordings_environment(const struct wan_analysis *analysis,
						     struct wan_environment *environment);
/* `dump --list`: what the folder (NULL: the default one) has, newest first. */
int recordings_list(const char *folder, FILE *to);

#endif
