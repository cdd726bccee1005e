/* SPDX-License-Identifier: MIT */
/* Facts under construction: the recording and its JSON fill the same parts, what follows from them
 * is worked out once. */
#ifndef WAN_TOOLS_RUN_FACTS_BUILD_H
#define WAN_TOOLS_RUN_FACTS_BUILD_H

#include "run_facts.h"
#include "text_pool.h"

struct facts_build {
	struct run_facts facts;
	size_t operation_capacity, kind_capacity, phase_capacity, finding_capacity;
	size_t *kind_slots; /* open addressing by name and library: index + 1; 0: free */
	size_t kind_slot_count;
	int error; /* the first one; then nothing more is added */
};

/* Sums over operations of a kind and outcome, as the recording keeps them. */
struct facts_row {
	const char *name, *library;
	bool failed;
	uint64_t count;
	double total_ms, max_ms;
	double cpu_ms;  /* NAN: not known of all */
	double peak_mb; /* NAN */
};

int facts_build_begin(struct facts_build *build); /* 0, -ENOMEM */
/* Kept text of the facts; NULL for NULL and "". */
const char *facts_text(struct facts_build *build, const char *text);
/* Copies; text in them is kept anew. */
void facts_add_operation(struct facts_build *build, const struct run_operation *operation);
void facts_add_row(struct facts_build *build, const struct facts_row *row);
void facts_add_phase(struct facts_build *build, const struct run_phase *phase);
void facts_add_finding(struct facts_build *build, const struct run_finding *finding);
/* The job's name where none was given: the last part of the program's path. */
const char *facts_program_name(const char *path);
/* Order, medians, sums. 0 and *ret_facts filled, or the first error and all given back. */
int facts_build_end(struct facts_build *build, struct run_facts *ret_facts);
void facts_build_abandon(struct facts_build *build);

#endif
