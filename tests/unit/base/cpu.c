/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#include "tap.h"

TEST(a_limit_holds_and_can_be_lifted)
{
	enum wan_cpu_level best = wan_cpu_level();
	for (int level = WAN_CPU_BASE; level <= WAN_CPU_AVX512; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		CHECK((int)wan_cpu_level() <= level);
		CHECK(wan_cpu_level() <= best);
	}
	CHECK(wan_cpu_level() == best);
}

TEST(code_for_the_level_found_runs)
{
#if defined(__x86_64__)
	if (wan_cpu_level() >= WAN_CPU_AVX2)
		CHECK(__builtin_cpu_supports("avx2"));
	if (wan_cpu_level() >= WAN_CPU_AVX512)
		CHECK(__builtin_cpu_supports("avx512bw"));
#else
	CHECK(wan_cpu_level() == WAN_CPU_BASE);
#endif
}

TEST(every_level_has_a_name_of_its_own)
{
	CHECK_STR(wan_cpu_level_name(WAN_CPU_BASE), "baseline");
	CHECK_STR(wan_cpu_level_name(WAN_CPU_AVX2), "AVX2");
	CHECK_STR(wan_cpu_level_name(WAN_CPU_AVX512), "AVX-512");
}

TAP_MAIN
