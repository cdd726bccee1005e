/* SPDX-License-Identifier: MIT */
#ifndef WAN_TOOLS_COMPARE_MEMORY_H
#define WAN_TOOLS_COMPARE_MEMORY_H

#include "compare.h"
#include "compare_classes.h"

struct compare_sides {
	const struct run_classes *base, *now; /* of each pair of runs */
	const struct run_facts *base_runs, *now_runs;
	size_t count;
};

/* Fills the memory of the rows that are there. 0, -ENOMEM. */
int compare_memory(struct comparison *comparison, const struct compare_sides *sides);
/* Is it of the row's kind? All are of the total. */
bool compare_of_row(const struct compare_row *row, const struct run_class *class);

#endif
