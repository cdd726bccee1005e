/* SPDX-License-Identifier: MIT */
/*
 * A hit without the lock: writes only to the record of its thread. Whatever is not plain (no
 * record, no slot, an entry that moves, that may have expired, that owes something) is left to the
 * steps under the lock, which decide again.
 */
#ifndef WAN_CACHE_HIT_H
#define WAN_CACHE_HIT_H

#include "core.h"

/* The pin, counted as a request that hit; NULL: ask again under the lock. */
struct wan_pin *wan_cache_hit(struct wan_cache *cache, struct wan_key key);

#endif
