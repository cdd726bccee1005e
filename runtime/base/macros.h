/* SPDX-License-Identifier: MIT */
#ifndef WAN_BASE_MACROS_H
#define WAN_BASE_MACROS_H

#include <stddef.h>
#include <stdint.h>

#define wan_likely(x)   __builtin_expect(!!(x), 1)
#define wan_unlikely(x) __builtin_expect(!!(x), 0)

#define WAN_COUNT_OF(array)  (sizeof(array) / sizeof((array)[0]))
#define WAN_MIN(a, b)        ((a) < (b) ? (a) : (b))
#define WAN_MAX(a, b)        ((a) > (b) ? (a) : (b))
#define WAN_CLAMP(v, lo, hi) ((v) < (lo) ? (lo) : (v) > (hi) ? (hi) : (v))

#define wan_container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define WAN_KIB ((uint64_t)1024)
#define WAN_MIB ((uint64_t)1024 * 1024)

#endif
