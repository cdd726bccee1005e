/* SPDX-License-Identifier: MIT */
/*
 * Which vector code may run here. Found once from the processor; a function compiled for a level
 * carries __attribute__((target(...))) and is reached through a table chosen by the level, so that
 * one binary runs everywhere.
 */
#ifndef WAN_BASE_CPU_H
#define WAN_BASE_CPU_H

#include <stddef.h>

enum wan_cpu_level {
	WAN_CPU_BASE,   /* what the compiler's target guarantees: SSE2, NEON */
	WAN_CPU_AVX2,   /* with FMA and F16C */
	WAN_CPU_AVX512, /* F, BW, DQ, VL */
};

#define WAN_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define WAN_TARGET_AVX512                                                                          \
	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))

/* The best level of this processor, at most what wan_cpu_limit() allows.
 * Threads: any.   Cost: one load. */
enum wan_cpu_level wan_cpu_level(void);
/* For tests and benches: no code above this level from now on. Calls under way may still use it. */
void wan_cpu_limit(enum wan_cpu_level level);
/* "baseline", "AVX2", "AVX-512". */
const char *wan_cpu_level_name(enum wan_cpu_level level);

/* The processor's name of itself ("AMD EPYC 9B45"), "" where it has none to tell. No system call.
 */
void wan_cpu_model(char *to, size_t bytes);

#endif
