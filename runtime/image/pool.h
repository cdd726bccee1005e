/* SPDX-License-Identifier: MIT */
/*
 * Page-rounded pixel buffers straight from the kernel, recycled. Every mapped byte is counted,
 * idle ones included; idle buffers go first when memory is asked back.
 */
#ifndef WAN_IMAGE_POOL_H
#define WAN_IMAGE_POOL_H

#include <stddef.h>
#include <stdint.h>

/* A buffer of at least bytes (contents undefined), NULL without memory. *ret_mapped is what to hand
 * to wan_pool_put(). Any thread. */
void *wan_pool_get(size_t bytes, size_t *ret_mapped);
/* Keep for reuse, or give back to the kernel when pool.idle is full. NULL is allowed. Keeps errno.
 */
void wan_pool_put(void *buffer, size_t mapped);
/*
 * Set an idle buffer aside: the next wan_pool_get() of this thread for about as many bytes takes
 * it. Returns what is mapped for it, which everybody's usage contains already: that much less has
 * to be asked for. 0: none is idle. One at a time, given back by wan_pool_unhold() if it was not
 * taken.
 */
uint64_t wan_pool_hold(size_t bytes);
void wan_pool_unhold(void);
/* The mapped size for a request: page-rounded, at most 12.5 % above it. 0: too large. Pure. */
size_t wan_pool_class_bytes(size_t bytes);
/* Walk all lists and compare them with the counters; asserts. Tests only. */
void wan_pool_check(void);

#endif
