/* SPDX-License-Identifier: MIT */
/* Words of counter blocks by the name they have in record/schema.def. Pure. */
#ifndef WAN_PROFILER_COUNTERS_H
#define WAN_PROFILER_COUNTERS_H

#include <stdbool.h>

#include "view.h"

/* Sums over all blocks of one kind in a view. */
struct wan_counter_sum {
	uint32_t kind;
	unsigned blocks; /* 0: nothing is known */
	uint64_t words[63];
};

void wan_counters_sum(const struct wan_view *view, uint32_t kind, struct wan_counter_sum *ret_sum);
/* The word of that name; 0 without blocks. The name must be in the table. */
uint64_t wan_counters_word(const struct wan_counter_sum *sum, const char *name);
/* Why the busiest cache of a view keeps nothing compressed, in a few words; static storage. */
const char *wan_counters_cold_reason(const struct wan_view *view);
uint64_t wan_counters_block_word(const struct wan_process_counters *block, const char *name);

#endif
