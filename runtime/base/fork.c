/* SPDX-License-Identifier: MIT */
#include "fork.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "atomics.h"
#include "macros.h"

static void (*handlers[16])(void); /* slots are filled once, never emptied */
static uint32_t handler_count;     /* may pass 16: then the last callers were refused */
static uint32_t generation;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void run_in_child(void)
{
	wan_add_relaxed(&generation, 1);
	for (size_t i = 0; i < WAN_COUNT_OF(handlers); i++) {
		/* pairs with the release store in wan_fork_on_child() */
		void (*handler)(void) = wan_load_acquire(&handlers[i]);
		if (handler)
			handler();
	}
}

static void register_once(void)
{
	pthread_atfork(NULL, NULL, run_in_child);
}

/* At load, so that the generation counts forks that happen before anybody asks for a handler. */
__attribute__((constructor)) static void register_at_load(void)
{
	pthread_once(&once, register_once);
}

int wan_fork_on_child(void (*handler)(void))
{
	pthread_once(&once, register_once);
	uint32_t slot = wan_load_relaxed(&handler_count);
	do {
		if (slot >= WAN_COUNT_OF(handlers))
			return -ENOSPC;
	} while (!wan_cas_acq_rel(&handler_count, &slot, slot + 1));
	wan_store_release(&handlers[slot], handler);
	return 0;
}

uint32_t wan_fork_generation(void)
{
	return wan_load_relaxed(&generation);
}
