/* SPDX-License-Identifier: MIT */
#include "jemalloc.h"

#include <gnu/libc-version.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "macros.h"
#include "str.h"
#include "sys.h"

extern int mallctl(const char *name, void *old, size_t *old_bytes, void *new_value,
		   size_t new_bytes) __attribute__((weak));
extern int mallctlnametomib(const char *name, size_t *mib, size_t *count) __attribute__((weak));
extern int mallctlbymib(const size_t *mib, size_t count, void *old, size_t *old_bytes,
			void *new_value, size_t new_bytes) __attribute__((weak));

struct control {
	size_t mib[4];
	size_t count; /* 0: this jemalloc does not have it */
};

/* All written once, under the once control. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool active;
static struct control allocated_pointer, freed_pointer, peak_read, peak_reset, purge, epoch,
	allocated_now;
static char name[64];

static void find_control(struct control *control, const char *control_name)
{
	size_t count = WAN_COUNT_OF(control->mib);
	if (mallctlnametomib(control_name, control->mib, &count) == 0)
		control->count = count;
}

static bool read_pointer(const struct control *control, uint64_t **ret_pointer)
{
	size_t bytes = sizeof(*ret_pointer);
	return control->count &&
	       mallctlbymib(control->mib, control->count, ret_pointer, &bytes, NULL, 0) == 0;
}

/* Present is not enough: malloc may belong to another allocator, then the counter stands still. The
 * block is smaller than what glibc maps, since freeing a mapped one changes its thresholds. */
#define TEST_BYTES (64 * WAN_KIB)
static bool self_test(void)
{
	uint64_t *allocated;
	if (!read_pointer(&allocated_pointer, &allocated))
		return false;
	uint64_t before = *allocated;
	void *block = wan_sys->malloc(TEST_BYTES);
	uint64_t after = *allocated;
	wan_sys->free(block);
	return block && after - before >= TEST_BYTES;
}

static void find_name(void)
{
	const char *version = NULL;
	size_t bytes = sizeof(version);
	if (active && mallctl("version", &version, &bytes, NULL, 0) == 0 && version)
		wan_str_format(name, sizeof(name), "jemalloc %.*s", (int)strcspn(version, "-"),
			       version);
	else if (active)
		wan_str_copy(name, sizeof(name), "jemalloc");
	else
		wan_str_format(name, sizeof(name), "glibc %s", gnu_get_libc_version());
}

static void find_all(void)
{
	if (mallctl && mallctlnametomib && mallctlbymib) {
		find_control(&allocated_pointer, "thread.allocatedp");
		find_control(&freed_pointer, "thread.deallocatedp");
		find_control(&peak_read, "thread.peak.read");
		find_control(&peak_reset, "thread.peak.reset");
		find_control(&epoch, "epoch");
		find_control(&allocated_now, "stats.allocated");
		find_control(&purge, "arena.4096.purge"); /* 4096: all arenas */
		active = freed_pointer.count && self_test();
	}
	find_name();
}

bool wan_jemalloc_active(void)
{
	pthread_once(&once, find_all);
	return active;
}

bool wan_jemalloc_thread_pointers(uint64_t **ret_allocated, uint64_t **ret_freed)
{
	uint64_t *allocated, *freed;
	if (!wan_jemalloc_active() || !read_pointer(&allocated_pointer, &allocated) ||
	    !read_pointer(&freed_pointer, &freed))
		return false;
	*ret_allocated = allocated;
	*ret_freed = freed;
	return true;
}

bool wan_jemalloc_thread_bytes(uint64_t *ret_allocated, uint64_t *ret_freed)
{
	uint64_t *allocated, *freed;
	if (!wan_jemalloc_thread_pointers(&allocated, &freed))
		return false;
	*ret_allocated = *allocated;
	*ret_freed = *freed;
	return true;
}

/* The statistics are those of the latest epoch, so a new one comes first. */
bool wan_jemalloc_process_bytes(uint64_t *ret_bytes)
{
	uint64_t now = 1;
	size_t held, bytes = sizeof(now), held_bytes = sizeof(held);
	if (!wan_jemalloc_active() || !epoch.count || !allocated_now.count ||
	    mallctlbymib(epoch.mib, epoch.count, &now, &bytes, &now, sizeof(now)) != 0 ||
	    mallctlbymib(allocated_now.mib, allocated_now.count, &held, &held_bytes, NULL, 0) != 0)
		return false;
	*ret_bytes = held;
	return true;
}

bool wan_jemalloc_peak_reset(void)
{
	return wan_jemalloc_active() && peak_reset.count &&
	       mallctlbymib(peak_reset.mib, peak_reset.count, NULL, NULL, NULL, 0) == 0;
}

bool wan_jemalloc_peak_read(uint64_t *ret_bytes)
{
	uint64_t peak;
	size_t bytes = sizeof(peak);
	if (!wan_jemalloc_active() || !peak_read.count ||
	    mallctlbymib(peak_read.mib, peak_read.count, &peak, &bytes, NULL, 0) != 0)
		return false;
	*ret_bytes = peak;
	return true;
}

void wan_jemalloc_purge(void)
{
	if (wan_jemalloc_active() && purge.count)
		mallctlbymib(purge.mib, purge.count, NULL, NULL, NULL, 0);
}

const char *wan_allocator_name(void)
{
	pthread_once(&once, find_all);
	return name;
}
