/* SPDX-License-Identifier: MIT */
/*
 * Earlier recordings of the same job: found, read, and made into a prior. At most 20 files and
 * about 50 ms: for tools, and for the library's own thread, never for a thread that works.
 */
#ifndef WAN_PROGRESS_PRIORS_H
#define WAN_PROGRESS_PRIORS_H

#include <stdint.h>

#include "prior.h"
#include "reader.h"

/* Text may be NULL or "": then that part is not compared. */
struct wan_prior_key {
	const char *program; /* path of the executable */
	const char *command; /* arguments, separated by \x1f; of an interpreter the script counts */
	const char *job;     /* name of the tracker */
	const char *machine; /* the processor's name of itself */
	uint64_t total;      /* steps; 0: any */
	double work;         /* megapixels x frames; 0: not known, then total alone is the size */
};

/*
 * The newest five finished jobs with this key and size, as their mean; where there is none, the one
 * of the nearest size, scaled. folder NULL: the default one. Files that are damaged, too long, no
 * recordings or of another machine are passed over.
 *
 * Returns 0, -ENOENT (there is none, or no such folder), -ENOMEM. Threads: any.
 */
int wan_priors_find(const char *folder, const struct wan_prior_key *key,
		    struct wan_prior *ret_prior);
/* For a tracker of a recorded process, living or dead. As above. */
int wan_priors_for(const char *folder, const struct wan_process *process,
		   const struct wan_process_counters *tracker, struct wan_prior *ret_prior);
/* For a tracker of this process. As above. */
int wan_priors_for_self(const char *job, uint64_t total, struct wan_prior *ret_prior);
/* What a finished tracker of a process teaches; false: nothing. Pure. */
bool wan_priors_of(const struct wan_process *process, const struct wan_process_counters *tracker,
		   struct wan_prior *ret_prior);

#endif
