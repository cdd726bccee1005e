/* SPDX-License-Identifier: MIT */
/* Sums over operations; the writer folds with these when its ring turns, the reader at the end. */
#ifndef WAN_RECORD_FOLD_H
#define WAN_RECORD_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

static inline unsigned wan_record_kind_of(const struct wan_record_operation *record)
{
	return record->kind_status >> 4;
}

static inline unsigned wan_record_status_of(const struct wan_record_operation *record)
{
	return record->kind_status & 15;
}

/* floor(log2(pixels)) + 1; 0: no size. */
unsigned wan_record_size_bucket(uint32_t width_px, uint32_t height_px);
/* The part of the span that was spent inside the library. */
uint64_t wan_record_inside_ticks(const struct wan_record_operation *operation);
/* Sum + value, or the largest number. */
static inline uint64_t wan_record_add(uint64_t sum, uint64_t value)
{
	return value > UINT64_MAX - sum ? UINT64_MAX : sum + value;
}

/* Same name, library, status, flags and size bucket. */
bool wan_aggregate_matches(const struct wan_record_aggregate *aggregate,
			   const struct wan_record_operation *operation, unsigned size_bucket);
void wan_aggregate_start(struct wan_record_aggregate *aggregate,
			 const struct wan_record_operation *operation, unsigned size_bucket);
void wan_aggregate_add(struct wan_record_aggregate *aggregate,
		       const struct wan_record_operation *operation, unsigned histogram_bucket);

#endif
