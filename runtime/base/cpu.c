/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "atomics.h"
#include "macros.h"
#include "str.h"

/* Level + 1; 0: not looked yet. Every thread finds the same. */
static int found;
static int limit = WAN_CPU_AVX512;

static enum wan_cpu_level find_level(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
		return WAN_CPU_BASE;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return WAN_CPU_AVX512;
	return WAN_CPU_AVX2;
#else
	return WAN_CPU_BASE;
#endif
}

enum wan_cpu_level wan_cpu_level(void)
{
	int level = wan_load_relaxed(&found);
	if (!level) {
		level = (int)find_level() + 1;
		wan_store_relaxed(&found, level);
	}
	return (enum wan_cpu_level)WAN_MIN(level - 1, wan_load_relaxed(&limit));
}

void wan_cpu_limit(enum wan_cpu_level level)
{
	wan_store_relaxed(&limit, (int)level);
}

const char *wan_cpu_level_name(enum wan_cpu_level level)
{
	switch (level) {
	case WAN_CPU_AVX512:
		return "AVX-512";
	case WAN_CPU_AVX2:
		return "AVX2";
	default:
		return "baseline";
	}
}

void wan_cpu_model(char *to, size_t bytes)
{
	char text[49] = "";
#if defined(__x86_64__)
	uint32_t words[12] = {0}, most, b, c, d;
	if (__get_cpuid(0x80000000u, &most, &b, &c, &d) && most >= 0x80000004u)
		for (unsigned i = 0; i < 3; i++)
			__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1],
				    &words[4 * i + 2], &words[4 * i + 3]);
	memcpy(text, words, sizeof(words));
#endif
	const char *start = text + strspn(text, " ");
	wan_str_format(to, bytes, "%s", start);
	for (size_t length = strlen(to); length && to[length - 1] == ' ';)
		to[--length] = '\0';
}
