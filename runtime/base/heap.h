/* SPDX-License-Identifier: MIT */
/*
 * Who counts the bytes that a thread allocates: the hooks of libwanrt-count.so, else jemalloc, else
 * nobody. Present is not enough in either case: a block is allocated, and a counter that
 * does not move counts as absent. Unknown is said as unknown, never as 0.
 */
#ifndef WAN_BASE_HEAP_H
#define WAN_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What libwanrt-count.so keeps of each thread. Sizes are those of the blocks, as malloc rounds. */
struct wan_alloc_counters {
	uint64_t allocated, freed; /* since the thread began */
	uint64_t calls;
	int64_t high, base; /* highest allocated - freed since the reset, and what it was then */
};
/* The calling thread's, valid while the thread lives; NULL: nothing is counted. Only there when the
 * library is preloaded. */
struct wan_alloc_counters *wan_alloc_counters(void);
/* The file of the allocator behind the hooks; "" when it cannot be told. */
const char *wan_alloc_file(void);
/* Allocations of the whole process so far; of each thread up to 1023 are not in it yet. */
uint64_t wan_alloc_calls(void);
/* The work of counting one allocation and its freeing, and nothing else: to find out its price. */
void wan_alloc_price_turn(void);

enum wan_heap_source {
	WAN_HEAP_UNKNOWN,
	WAN_HEAP_JEMALLOC, /* its counters of the thread: no hook is needed */
	WAN_HEAP_COUNTED,  /* hooks around whatever allocator there is */
};

/* Runs the self-tests once; any thread; not from a hook before start-up is done. */
enum wan_heap_source wan_heap_source(void);
/* Bytes this thread has allocated and freed so far; false when the source is unknown. */
bool wan_heap_thread_bytes(uint64_t *ret_allocated, uint64_t *ret_freed);
/* Where these two are kept, for callers that read them often; valid while the thread lives. */
bool wan_heap_thread_pointers(uint64_t **ret_allocated, uint64_t **ret_freed);
/* Peak of (allocated - freed) of this thread above its value at the last reset. */
bool wan_heap_peak_reset(void);
bool wan_heap_peak_read(uint64_t *ret_bytes);
/* "jemalloc 5.3.0", "glibc 2.36 (counted)", "glibc 2.36", the file of another allocator; static. */
const char *wan_heap_describe(void);

/* Whose books say what a whole process holds: neither hooks nor counters are needed for that. */
enum wan_heap_books {
	WAN_HEAP_BOOKS_NONE,
	WAN_HEAP_BOOKS_SANITIZER, /* the program is built with one */
	WAN_HEAP_BOOKS_JEMALLOC,
	WAN_HEAP_BOOKS_GLIBC,
};
/* Runs the self-tests once; not from a hook before start-up is done. */
enum wan_heap_books wan_heap_books(void);
/*
 * Bytes that all threads together hold now; false: nobody's books can be believed. 5 us with
 * jemalloc; glibc walks its lists of free blocks, which may take a millisecond. Takes the
 * allocator's locks, so never from a signal handler.
 */
bool wan_heap_process_bytes(uint64_t *ret_bytes);
/* "glibc", "jemalloc", "sanitizer"; "resident memory" for none. */
const char *wan_heap_books_name(enum wan_heap_books which);

#endif
