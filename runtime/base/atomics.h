/* SPDX-License-Identifier: MIT */
/*
 * Atomic access through named orders only, on plain integers, so that words in mapped files can be
 * shared with readers. Each acquire in the tree names the release it pairs with.
 */
#ifndef WAN_BASE_ATOMICS_H
#define WAN_BASE_ATOMICS_H

#include <stdbool.h>

/* In schedule builds each access is a yield point (schedule.h); otherwise these are p itself. */
#ifdef WAN_SCHEDULE
#include "schedule.h"
#define WAN_READ_(p)   ((__typeof__(&*(p)))wan_schedule_read((p), WAN_SCHEDULE_HERE))
#define WAN_WRITE_(p)  ((__typeof__(&*(p)))wan_schedule_write((p), WAN_SCHEDULE_HERE))
#define WAN_CHANGE_(p) ((__typeof__(&*(p)))wan_schedule_change((p), WAN_SCHEDULE_HERE))
#else
#define WAN_READ_(p)   (p)
#define WAN_WRITE_(p)  (p)
#define WAN_CHANGE_(p) (p)
#endif

#define wan_load_relaxed(p)     __atomic_load_n(WAN_READ_(p), __ATOMIC_RELAXED)
#define wan_load_acquire(p)     __atomic_load_n(WAN_READ_(p), __ATOMIC_ACQUIRE)
#define wan_load_seq_cst(p)     __atomic_load_n(WAN_READ_(p), __ATOMIC_SEQ_CST)
#define wan_store_relaxed(p, v) __atomic_store_n(WAN_WRITE_(p), (v), __ATOMIC_RELAXED)
#define wan_store_release(p, v) __atomic_store_n(WAN_WRITE_(p), (v), __ATOMIC_RELEASE)
#define wan_store_seq_cst(p, v) __atomic_store_n(WAN_CHANGE_(p), (v), __ATOMIC_SEQ_CST)
/* These return the value before the change. */
#define wan_add_relaxed(p, v)  __atomic_fetch_add(WAN_CHANGE_(p), (v), __ATOMIC_RELAXED)
#define wan_add_acq_rel(p, v)  __atomic_fetch_add(WAN_CHANGE_(p), (v), __ATOMIC_ACQ_REL)
#define wan_sub_relaxed(p, v)  __atomic_fetch_sub(WAN_CHANGE_(p), (v), __ATOMIC_RELAXED)
#define wan_sub_acq_rel(p, v)  __atomic_fetch_sub(WAN_CHANGE_(p), (v), __ATOMIC_ACQ_REL)
#define wan_or_relaxed(p, v)   __atomic_fetch_or(WAN_CHANGE_(p), (v), __ATOMIC_RELAXED)
#define wan_swap_acq_rel(p, v) __atomic_exchange_n(WAN_CHANGE_(p), (v), __ATOMIC_ACQ_REL)
/* True when *p was *expected and is now desired; *expected holds what was seen otherwise. */
#define wan_cas_acq_rel(p, expected, desired)                                                      \
	__atomic_compare_exchange_n(WAN_CHANGE_(p), (expected), (desired), false,                  \
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define wan_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wan_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)

/*
 * A release store that stays ahead of the loads after it in program order, but that other threads
 * may see late: it waits in the processor's store buffer. Half of an asymmetric fence: who needs to
 * know pays a membarrier(2), which empties all store buffers. wan_pause(): in each turn of a loop
 * that waits for another thread.
 */
#ifdef WAN_SCHEDULE
#define wan_fence_seq_cst() wan_schedule_fence(WAN_SCHEDULE_HERE)
#define wan_pause()         wan_schedule_pause(WAN_SCHEDULE_HERE)
#define wan_store_light(p, v)                                                                      \
	do {                                                                                       \
		__typeof__(&*(p)) wan_place_ = (p);                                                \
		__typeof__(*wan_place_) wan_value_ = (v);                                          \
		wan_schedule_store_light(wan_place_, &wan_value_, sizeof(wan_value_),              \
					 WAN_SCHEDULE_HERE);                                       \
	} while (0)
#else
#define wan_fence_seq_cst() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define wan_store_light(p, v)                                                                      \
	do {                                                                                       \
		__atomic_store_n((p), (v), __ATOMIC_RELEASE);                                      \
		__atomic_signal_fence(__ATOMIC_SEQ_CST);                                           \
	} while (0)
#if defined(__x86_64__)
#define wan_pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define wan_pause() __asm__ volatile("yield")
#else
#define wan_pause() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif
#endif

/* Raise *p to at least value. */
#define wan_max_relaxed(p, value)                                                                  \
	do {                                                                                       \
		__typeof__(*(p)) wan_seen_ = wan_load_relaxed(p);                                  \
		__typeof__(*(p)) wan_want_ = (value);                                              \
		while (wan_seen_ < wan_want_ &&                                                    \
		       !__atomic_compare_exchange_n(WAN_CHANGE_(p), &wan_seen_, wan_want_, true,   \
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))           \
			;                                                                          \
	} while (0)

#endif
