/* SPDX-License-Identifier: MIT */
/*
 * jemalloc through weak references: present when the program links or preloads it, else absent.
 * The self-test allocates 64 KiB and checks that the counter moved: a present but idle jemalloc
 * (facts: profiler 2.5) counts as absent.
 */
#ifndef WAN_BASE_JEMALLOC_H
#define WAN_BASE_JEMALLOC_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the self-test once; any thread; not from a hook before start-up is done. */
bool wan_jemalloc_active(void);
/* Bytes this thread has allocated and freed so far; false when jemalloc is not active. */
bool wan_jemalloc_thread_bytes(uint64_t *ret_allocated, uint64_t *ret_freed);
/* Where jemalloc keeps these two counters of this thread, for callers that read them often; valid
 * while the thread lives. */
bool wan_jemalloc_thread_pointers(uint64_t **ret_allocated, uint64_t **ret_freed);
/* Peak of (allocated - freed) of this thread since the last reset. */
bool wan_jemalloc_peak_reset(void);
bool wan_jemalloc_peak_read(uint64_t *ret_bytes);
/* Bytes held by all threads of the process: 5 us. */
bool wan_jemalloc_process_bytes(uint64_t *ret_bytes);
/* Give unused dirty pages back to the kernel (all arenas). */
void wan_jemalloc_purge(void);
/* "jemalloc 5.3.0" or the C library's name. */
const char *wan_allocator_name(void);

#endif
