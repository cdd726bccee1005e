/* SPDX-License-Identifier: MIT */
/* Which runs are meant: by job, time, tier, number. Pure. */
#ifndef WAN_TOOLS_HISTORY_CHOOSE_H
#define WAN_TOOLS_HISTORY_CHOOSE_H

#include "history_runs.h"

struct history_choice {
	const char *job;   /* glob; NULL: all */
	const char *tier;  /* NULL: all */
	uint64_t since_ns; /* runs that began later; 0: all */
	size_t last;       /* of each job; 0: all */
};
/* Drops the others. runs must be sorted by start. 0, -ENOMEM. */
int history_choose(struct history_runs *runs, const struct history_choice *choice);
/* "2025-07-06" or a stretch before now_ns: "7d", "12h", "30min". 0, -EBADMSG. */
int history_parse_since(const char *text, uint64_t now_ns, uint64_t *ret_since_ns);

#endif
