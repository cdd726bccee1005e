/* SPDX-License-Identifier: MIT */
/* What `wanprof baseline` does, an action each. They print and return the exit status. */
#ifndef WAN_TOOLS_HISTORY_BASELINE_VERB_H
#define WAN_TOOLS_HISTORY_BASELINE_VERB_H

#include "baseline.h"

struct baseline_request {
	const char *name, *job, *tier;
	const char *files[BASELINE_FILES_MAX];
	size_t file_count, last;
	bool force, candidate, json;
};

int baseline_verb_save(struct baseline_request *request);
int baseline_verb_list(struct baseline_request *request);
int baseline_verb_show(struct baseline_request *request);
int baseline_verb_compare(struct baseline_request *request);
int baseline_verb_promote(struct baseline_request *request);
int baseline_verb_remove(struct baseline_request *request);

/* The exit status of a failure, its message printed. */
struct wan_error;
int baseline_failed(int rc, const struct wan_error *error);
/* The same of a recording that cannot be read. */
int baseline_unread(int rc, const struct wan_error *error);
/* The tier that is meant where none was given: the only one that has a baseline of that name, else
 * that of this machine. */
const char *baseline_meant_tier(const struct baseline_request *request);

#endif
