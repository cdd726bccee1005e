/* SPDX-License-Identifier: MIT */
/*
 * Atomic access through named orders only, on plain integers, so that words in mapped files can be
 * shared with readers. Each acquire in the tree names the release it pairs with.
 */
#ifndef WAN_BASE_ATOMICS_H
#define WAN_BASE_ATOMICS_H

#include <stdbool.h>

#define wan_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define wan_load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define wan_load_seq_cst(p)     __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define wan_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define wan_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define wan_store_seq_cst(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
/* These return the value before the change. */
#define wan_add_relaxed(p, v)  __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define wan_add_acq_rel(p, v)  __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define wan_sub_relaxed(p, v)  __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)
#define wan_sub_acq_rel(p, v)  __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)
#define wan_or_relaxed(p, v)   __atomic_fetch_or((p), (v), __ATOMIC_RELAXED)
#define wan_swap_acq_rel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
/* True when *p was *expected and is now desired; *expected holds what was seen otherwise. */
#define wan_cas_acq_rel(p, expected, desired)                                                      \
	__atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_ACQ_REL,           \
				    __ATOMIC_ACQUIRE)
#define wan_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wan_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)
#define wan_fence_seq_cst() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Raise *p to at least value. */
#define wan_max_relaxed(p, value)                                                                  \
	do {                                                                                       \
		__typeof__(*(p)) wan_seen_ = wan_load_relaxed(p);                                  \
		__typeof__(*(p)) wan_want_ = (value);                                              \
		while (wan_seen_ < wan_want_ &&                                                    \
		       !__atomic_compare_exchange_n((p), &wan_seen_, wan_want_, true,              \
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))           \
			;                                                                          \
	} while (0)

#endif
