/* SPDX-License-Identifier: MIT */
/* All runs there are: recordings through the index, lists that were imported, what a person said.
 */
#ifndef WAN_TOOLS_HISTORY_COLLECT_H
#define WAN_TOOLS_HISTORY_COLLECT_H

#include <limits.h>

#include "history_runs.h"

struct run_facts;

struct history_request {
	const char *folder;       /* of recordings; NULL: the default one */
	const char *state;        /* of index, lists and verdicts; NULL: folder/history */
	const char *const *paths; /* more recordings, dumped JSON, folders */
	size_t path_count;
	bool rebuild;
};

struct history_told {
	size_t recordings, read, known; /* files; of these read now, and known from before */
	size_t running, unreadable;
	size_t gone; /* runs whose recording is no longer there */
	size_t lists;
	char remark[400];  /* on the index; "" */
	char trouble[600]; /* a list or file that could not be read; "" */
};

/* Sorted by start. Paths that were named and cannot be read are an error: 0, -ENOMEM, or as
 * run_facts_load(). What is only found is counted in *ret_told. */
int history_collect(const struct history_request *request, struct history_runs *runs,
		    struct history_told *ret_told, struct wan_error *reterr_error);
/* Remembers one recording that has ended, so that its run outlives it. Quiet. */
void history_remember(const char *path);
/* 0, -ENOMEM; 1: it still runs. */
int history_run_of(struct history_run *ret_run, const struct run_facts *facts, const char *path);

/* $XDG_STATE_HOME/wanrt/history, made when it is not there. 0, negative errno. */
int history_state_folder(char *to, size_t bytes);
/* Checks a list and keeps a copy of it under its own name. 0 or as history_parse_list(). */
int history_import(const char *path, bool force, size_t *ret_runs, struct wan_error *reterr_error);
/* Keeps what a person says of a run. 0, negative errno. */
int history_keep_verdict(const char *key, const char *text, struct wan_error *reterr_error);

/* --- of these, apart for tests --- */
int history_read_lists(const char *state, struct history_runs *runs, struct history_told *told);
int history_read_verdicts(const char *state, struct history_runs *runs);

#endif
