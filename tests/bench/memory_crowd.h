/* SPDX-License-Identifier: MIT */
/* Eight threads on one processor that reserve all the time, and which of them first gave memory
 * back: how much processor time that took it since its reserve began. */
#ifndef WAN_BENCH_MEMORY_CROWD_H
#define WAN_BENCH_MEMORY_CROWD_H

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "atomics.h"
#include "clock.h"
#include "macros.h"
#include "sys.h"
#include "wan/memory.h"
#include "wan/runtime.h"

static __thread uint64_t reserve_began_cpu_ns;
static uint64_t first_cpu_ns; /* of the thread that gave the first 64 KiB back; atomic */
static uint32_t crossed;      /* atomic */

static uint64_t own_cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void note_first(size_t bytes)
{
	if (bytes < 65536 || !reserve_began_cpu_ns)
		return;
	uint64_t took_ns = own_cpu_ns() - reserve_began_cpu_ns;
	uint32_t not_yet = 0;
	if (wan_cas_acq_rel(&crossed, &not_yet, 1))
		wan_store_release(&first_cpu_ns, took_ns);
}

static int spy_first_munmap(void *at, size_t bytes)
{
	int result = wan_sys_real.munmap(at, bytes);
	note_first(bytes);
	return result;
}

static int spy_first_madvise(void *at, size_t bytes, int advice)
{
	int result = wan_sys_real.madvise(at, bytes, advice);
	if (advice == MADV_DONTNEED)
		note_first(bytes);
	return result;
}

static uint64_t crowd_end_ns;

static void *reserve_on(void *runtime)
{
	struct wan_memory *memory = wan_runtime_memory(runtime);
	while (!wan_load_acquire(&crossed) && wan_now_ns() < crowd_end_ns) {
		reserve_began_cpu_ns = own_cpu_ns();
		if (wan_memory_reserve(memory, WAN_MIB, NULL) == 0)
			wan_memory_unreserve(memory, WAN_MIB);
		reserve_began_cpu_ns = 0;
	}
	return NULL;
}

/* Threads that reserve all the time, all on one processor. */
static void crowd(struct wan_runtime *runtime)
{
	enum { THREADS = 8 };
	pthread_t threads[THREADS];
	cpu_set_t all, one;
	sched_getaffinity(0, sizeof(all), &all);
	int cpu = 0;
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one); /* threads inherit it */
	unsigned count = 0;
	while (count < THREADS && pthread_create(&threads[count], NULL, reserve_on, runtime) == 0)
		count++;
	sched_setaffinity(0, sizeof(all), &all);
	while (count > 0)
		pthread_join(threads[--count], NULL);
}

#endif
