/* SPDX-License-Identifier: MIT */
/*
 * Which codecs were seen, and which could not be seen by their nature, with what to try: an empty
 * report must never be a riddle. Pure.
 */
#ifndef WAN_PROFILER_COVERAGE_H
#define WAN_PROFILER_COVERAGE_H

#include "analysis.h"

#define WAN_COVERAGE_MAX 24

struct wan_coverage {
	const char *library;
	bool seen, objects_known;
	bool bars; /* progress bars: objects, of which no operation comes */
	uint64_t objects, operations, unresolved;
	const char *note; /* what is missing and what to try; NULL */
};

/* Returns how many of WAN_COVERAGE_MAX were filled, seen ones first. */
size_t wan_coverage(const struct wan_analysis *analysis, struct wan_coverage *to);
/* Base name of an executable's path; "" when unknown. */
const char *wan_program_name(const char *path);

#endif
