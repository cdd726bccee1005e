/* SPDX-License-Identifier: MIT */
/*
 * The heavy half of the asymmetric fence. A reader announces by a light store what it uses, and
 * looks whether it may; a writer says that it may not, calls this, and looks for announcements: one
 * of the two sees the other, though the reader has executed no fence.
 */
#ifndef WAN_CACHE_BARRIER_H
#define WAN_CACHE_BARRIER_H

#include <stdbool.h>

/* May readers rely on it? False where the kernel refuses membarrier(2), and under the thread
 * sanitizer, which knows nothing of it: readers use sequentially consistent stores then. */
bool wan_barrier_available(void);
/* Empties the store buffers of all threads of the process. False: the kernel, asked before, now
 * refuses; the caller must see to it that readers do without. */
bool wan_barrier_heavy(void);

#endif
