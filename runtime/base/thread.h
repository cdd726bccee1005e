/* SPDX-License-Identifier: MIT */
#ifndef WAN_BASE_THREAD_H
#define WAN_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* Start a thread with all signals blocked, a 256 KiB stack and a name of at most 15 characters.
 * Returns 0, negative errno. */
int wan_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *argument);
/* The kernel's id of this thread, cached per thread. */
uint32_t wan_thread_id(void);

#endif
