/* SPDX-License-Identifier: MIT */
/* Finding recordings by pid and by age. */
#ifndef WAN_RECORD_FIND_H
#define WAN_RECORD_FIND_H

#include <stdint.h>

#include "reader.h"

/* What is enough to choose a recording by: a small read of its beginning. */
struct wan_find_identity {
	uint32_t pid;
	uint64_t pid_start_ticks;
	uint64_t start_realtime_ns;
	uint8_t run_id[16];
	uint32_t parent_pid;
	uint32_t role; /* enum wan_record_role */
	bool has_content;
	bool live; /* its process says that it runs, and does */
};

/* 0, or negative errno when it is no recording. */
int wan_find_identify(const char *path, struct wan_find_identity *ret_identity);
/* Every recording in the usual places, in no order, while take returns true; one that two
 * places lead to comes twice. */
void wan_find_each(bool (*take)(void *context, const char *path,
				const struct wan_find_identity *identity),
		   void *context);
/* The recording of the process and of its run, from the default places. */
int wan_find_add_pid(struct wan_recording *recording, uint32_t pid, struct wan_error *reterr_error);

#endif
