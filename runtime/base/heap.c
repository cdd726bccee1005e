/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "jemalloc.h"
#include "str.h"
#include "sys.h"

extern __typeof__(wan_alloc_counters) wan_alloc_counters __attribute__((weak));
extern __typeof__(wan_alloc_file) wan_alloc_file __attribute__((weak));

/* All written once, under the once control. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum wan_heap_source source;
static char description[96];

/* Small enough that glibc serves it from its heap: freeing a mapped block raises the threshold from
 * which it maps, and so changes how the program's memory behaves (2 % of a small Python's). */
#define TEST_BYTES ((size_t)1000)

/* Also false when the program brings a malloc of its own, which comes before any hook. */
static bool hooks_count(void)
{
	struct wan_alloc_counters *counters = wan_alloc_counters ? wan_alloc_counters() : NULL;
	if (!counters)
		return false;
	uint64_t before = counters->allocated;
	void *block = wan_sys->malloc(TEST_BYTES);
	uint64_t after = counters->allocated;
	wan_sys->free(block);
	return block && after - before >= TEST_BYTES;
}

/* Whose malloc() the program gets: the C library's, or the file of another's. */
static const char *allocator(bool jemalloc)
{
	Dl_info info = {0};
	void *found = dlsym(RTLD_DEFAULT, "malloc");
	const char *file = found && dladdr(found, &info) && info.dli_fname ? info.dli_fname : "";
	if (wan_alloc_file && strstr(file, "libwanrt-count"))
		file = wan_alloc_file();
	const char *slash = strrchr(file, '/');
	file = slash ? slash + 1 : file;
	bool libc = strncmp(file, "libc.", 5) == 0 || strncmp(file, "libc-", 5) == 0;
	return jemalloc || libc || !file[0] ? wan_allocator_name() : file;
}

static void find(void)
{
	bool jemalloc = wan_jemalloc_active();
	bool counted = hooks_count();
	source = counted ? WAN_HEAP_COUNTED : jemalloc ? WAN_HEAP_JEMALLOC : WAN_HEAP_UNKNOWN;
	wan_str_format(description, sizeof(description), "%s%s", allocator(jemalloc),
		       counted ? " (counted)" : "");
}

enum wan_heap_source wan_heap_source(void)
{
	pthread_once(&once, find);
	return source;
}

const char *wan_heap_describe(void)
{
	wan_heap_source();
	return description;
}

bool wan_heap_thread_pointers(uint64_t **ret_allocated, uint64_t **ret_freed)
{
	if (wan_heap_source() != WAN_HEAP_COUNTED)
		return wan_jemalloc_thread_pointers(ret_allocated, ret_freed);
	struct wan_alloc_counters *counters = wan_alloc_counters();
	*ret_allocated = &counters->allocated;
	*ret_freed = &counters->freed;
	return true;
}

bool wan_heap_thread_bytes(uint64_t *ret_allocated, uint64_t *ret_freed)
{
	if (wan_heap_source() != WAN_HEAP_COUNTED)
		return wan_jemalloc_thread_bytes(ret_allocated, ret_freed);
	struct wan_alloc_counters *counters = wan_alloc_counters();
	*ret_allocated = counters->allocated;
	*ret_freed = counters->freed;
	return true;
}

bool wan_heap_peak_reset(void)
{
	if (wan_heap_source() != WAN_HEAP_COUNTED)
		return wan_jemalloc_peak_reset();
	struct wan_alloc_counters *counters = wan_alloc_counters();
	counters->high = counters->base = (int64_t)(counters->allocated - counters->freed);
	return true;
}

bool wan_heap_peak_read(uint64_t *ret_bytes)
{
	if (wan_heap_source() != WAN_HEAP_COUNTED)
		return wan_jemalloc_peak_read(ret_bytes);
	struct wan_alloc_counters *counters = wan_alloc_counters();
	*ret_bytes = (uint64_t)(counters->high - counters->base);
	return true;
}
