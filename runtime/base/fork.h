/* SPDX-License-Identifier: MIT */
/* One pthread_atfork registration for the whole library; child handlers run in order, take no lock.
 */
#ifndef WAN_BASE_FORK_H
#define WAN_BASE_FORK_H

#include <stdint.h>

/* At most 16; returns 0, -ENOSPC. Any thread. */
int wan_fork_on_child(void (*handler)(void));
/* Goes up by one in each forked child; cheap (one relaxed load). */
uint32_t wan_fork_generation(void);

#endif
