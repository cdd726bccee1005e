/* SPDX-License-Identifier: MIT */
#include "barrier.h"

#include <errno.h>
#include <linux/membarrier.h>

#include "atomics.h"
#include "sys.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER 0
#endif

static bool allowed(void)
{
	return wan_sys->membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool wan_barrier_available(void)
{
	return !THREAD_SANITIZER && allowed();
}

bool wan_barrier_heavy(void)
{
#ifdef WAN_SCHEDULE
	wan_schedule_barrier(WAN_SCHEDULE_HERE);
	return true;
#else
	if (wan_sys->membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
		return true;
	/* A child of fork may have to say again that it wants it. */
	return errno == EPERM && allowed() &&
	       wan_sys->membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
#endif
}
