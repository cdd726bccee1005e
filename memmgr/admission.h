/* SPDX-License-Identifier: MIT */
/*
 * The figures of admission, in one cache line: a reserve that reads nothing is one compare-and-swap
 * on it. Totals only grow; what is reserved is their difference, so that granting and giving back
 * change one word each.
 */
#ifndef WAN_MEMMGR_ADMISSION_H
#define WAN_MEMMGR_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "atomics.h"
#include "look.h"
#include "macros.h"

/* All atomic and relaxed, where not said otherwise. */
struct wan_admission {
	uint64_t granted_bytes;  /* ever */
	uint64_t returned_bytes; /* ever; never above granted_bytes */
	uint64_t read_at_bytes;  /* granted_bytes when the sources were read last */
	int64_t line_left_bytes; /* at the last look: what all may take together */
	uint64_t headroom_bytes; /* at the last look */
	uint32_t waiters;        /* threads that want to be woken when something is returned */
	uint32_t asking_thread;  /* who asked last, and when another one did before it: */
	uint64_t switched_ns;    /* others are at work then, whose pins will be released */
	uint32_t id;             /* of the manager, set once: addresses are used again */
};
_Static_assert(sizeof(struct wan_admission) <= 64, "one cache line");

static inline uint64_t wan_admission_reserved(const struct wan_admission *admission)
{
	/* returned first: what is granted meanwhile makes the difference larger, never negative */
	uint64_t returned = wan_load_acquire(&admission->returned_bytes);
	uint64_t granted = wan_load_relaxed(&admission->granted_bytes);
	return granted > returned ? granted - returned : 0;
}

/* Before the sources are read: what is granted meanwhile may or may not be in their figures. */
static inline void wan_admission_looking(struct wan_admission *admission)
{
	wan_store_relaxed(&admission->read_at_bytes, wan_load_relaxed(&admission->granted_bytes));
}

static inline void wan_admission_looked(struct wan_admission *admission,
					const struct wan_look_verdict *verdict)
{
	wan_store_relaxed(&admission->line_left_bytes, verdict->line_left_bytes);
	wan_store_relaxed(&admission->headroom_bytes, verdict->headroom_bytes);
}

/* Reserve bytes while the sum stays within left_bytes. */
static inline bool wan_admission_take(struct wan_admission *admission, uint64_t bytes,
				      int64_t left_bytes)
{
	uint64_t left = left_bytes > 0 ? (uint64_t)left_bytes : 0;
	uint64_t returned = wan_load_acquire(&admission->returned_bytes);
	uint64_t granted = wan_load_relaxed(&admission->granted_bytes);
	do {
		uint64_t reserved = granted > returned ? granted - returned : 0;
		if (reserved > left || bytes > left - reserved)
			return false;
	} while (!wan_cas_acq_rel(&admission->granted_bytes, &granted, granted + bytes));
	return true;
}

/* Give back at most what is reserved. Returns how much that was. */
static inline uint64_t wan_admission_return(struct wan_admission *admission, uint64_t bytes)
{
	uint64_t returned = wan_load_relaxed(&admission->returned_bytes), back;
	do {
		uint64_t granted = wan_load_relaxed(&admission->granted_bytes);
		back = WAN_MIN(bytes, granted > returned ? granted - returned : 0);
	} while (!wan_cas_acq_rel(&admission->returned_bytes, &returned, returned + back));
	return back;
}

#endif
