/* SPDX-License-Identifier: MIT */
#ifndef WAN_CACHE_CHECK_H
#define WAN_CACHE_CHECK_H

struct wan_cache;

/* Walks everything and compares all sums. NULL when all is well, else what is wrong (static text).
 * Any thread; slow: for tests. */
const char *wan_cache_check(struct wan_cache *cache);

#endif
