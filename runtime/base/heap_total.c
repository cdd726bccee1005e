/* SPDX-License-Identifier: MIT */
/*
 * What a whole process holds of its allocator, by the allocator's own books. Each of them is looked
 * up weakly and believed only when it follows a block: another malloc in front leaves the C
 * library's books standing still.
 */
#include "heap.h"

#include <malloc.h>
#include <pthread.h>

#include "jemalloc.h"
#include "macros.h"
#include "sys.h"

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/* Above what glibc keeps per thread, where a block may go and come without being seen; below what
 * it maps, since freeing a mapped block changes its thresholds. */
#define TEST_BYTES ((size_t)32 * 1024)
#define TURNS      5 /* others allocate and free meanwhile */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum wan_heap_books books; /* written under the once control */

static bool read_glibc(uint64_t *ret_bytes)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	struct mallinfo2 info = mallinfo2();
	*ret_bytes = (uint64_t)info.uordblks + info.hblkhd;
	return true;
#else
	return false;
#endif
}

static bool read_sanitizer(uint64_t *ret_bytes)
{
	if (!__sanitizer_get_current_allocated_bytes)
		return false;
	*ret_bytes = __sanitizer_get_current_allocated_bytes();
	return true;
}

static bool read_books(enum wan_heap_books which, uint64_t *ret_bytes)
{
	switch (which) {
	case WAN_HEAP_BOOKS_SANITIZER:
		return read_sanitizer(ret_bytes);
	case WAN_HEAP_BOOKS_JEMALLOC:
		return wan_jemalloc_process_bytes(ret_bytes);
	case WAN_HEAP_BOOKS_GLIBC:
		return read_glibc(ret_bytes);
	case WAN_HEAP_BOOKS_NONE:
		return false;
	}
	return false;
}

static bool follows(enum wan_heap_books which)
{
	for (unsigned i = 0; i < TURNS; i++) {
		uint64_t before, after;
		if (!read_books(which, &before))
			return false;
		void *block = wan_sys->malloc(TEST_BYTES);
		bool read = block && read_books(which, &after);
		wan_sys->free(block);
		if (read && after >= before + TEST_BYTES)
			return true;
	}
	return false;
}

static void find(void)
{
	static const enum wan_heap_books order[] = {WAN_HEAP_BOOKS_SANITIZER,
						    WAN_HEAP_BOOKS_JEMALLOC, WAN_HEAP_BOOKS_GLIBC};
	for (size_t i = 0; i < WAN_COUNT_OF(order) && !books; i++)
		if (follows(order[i]))
			books = order[i];
}

enum wan_heap_books wan_heap_books(void)
{
	pthread_once(&once, find);
	return books;
}

bool wan_heap_process_bytes(uint64_t *ret_bytes)
{
	return read_books(wan_heap_books(), ret_bytes);
}

const char *wan_heap_books_name(enum wan_heap_books which)
{
	static const char *const names[] = {[WAN_HEAP_BOOKS_NONE] = "resident memory",
					    [WAN_HEAP_BOOKS_SANITIZER] = "sanitizer",
					    [WAN_HEAP_BOOKS_JEMALLOC] = "jemalloc",
					    [WAN_HEAP_BOOKS_GLIBC] = "glibc"};
	return (unsigned)which < WAN_COUNT_OF(names) ? names[which] : "unknown";
}
