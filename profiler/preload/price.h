/* SPDX-License-Identifier: MIT */
/*
 * What the hooks cost this process, measured in it: beginning and ending operations by the clock,
 * rows and counted allocations by their number and by what one costs, which a microsecond or two
 * find out when the recording is made.
 */
#ifndef WAN_PRELOAD_PRICE_H
#define WAN_PRELOAD_PRICE_H

#include "object_state.h"

/* A recording has been made, or made anew in the child of a fork. */
void wan_price_start(struct wan_recorder *recorder);
/* So many ticks went into an operation's begin or end. */
void wan_price_spent(uint64_t ticks);
/* An operation is over: its rows, and the allocations up to now. */
void wan_price_rows(const struct wan_object *object);

#endif
