/* SPDX-License-Identifier: MIT */
/*
 * For allocations that do not go through wan_sys: libjpeg, LZ4, stdio, pthread_create. A test that
 * links this replaces malloc in its whole process and can fail the n-th call. Not under a
 * sanitizer, which owns malloc itself: ask wan_fault_malloc_available() and skip.
 */
#ifndef WAN_TESTS_FAULT_MALLOC_H
#define WAN_TESTS_FAULT_MALLOC_H

#include <stdbool.h>
#include <stdint.h>

bool wan_fault_malloc_available(void);
/* Fail allocation number nth (from 1, counted from now); forever: all later ones too. */
void wan_fault_malloc_arm(uint64_t nth, bool forever);
/* Returns how many allocations were failed. */
uint64_t wan_fault_malloc_disarm(void);
/* Blocks that are allocated now. */
int64_t wan_fault_malloc_blocks(void);
/* As wan_fault_sweep(), for every allocation of the process. */
int wan_fault_malloc_sweep(void (*scenario)(void *context), void *context);

#endif
