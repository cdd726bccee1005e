/* SPDX-License-Identifier: MIT */
/* Sorting for order.c: without memory, without a call for each comparison. */
#ifndef WAN_CACHE_ORDER_SORT_H
#define WAN_CACHE_ORDER_SORT_H

#include "order.h"

void wan_order_sort(struct wan_order_item *items, uint32_t count);
/* Moves the want smallest keys to the front, in any order; 0 < want < count. Returns the smallest
 * of the others. */
uint64_t wan_order_select(struct wan_order_item *items, uint32_t count, uint32_t want);

#endif
