/* SPDX-License-Identifier: MIT */
/* Random programs with values that have cold forms, and under the policies that learn. */
#include "cache_theme.h"

TEST(cold_forms_come_and_go)
{
	static const struct theme it = {.keys = 6,
					.steps = 8,
					.prepared = 4,
					.limit_bytes = 3500,
					.entry_limit = 100,
					.cold = true,
					.often = {[PIN] = 6,
						  [PUT] = 3,
						  [COMPUTE] = 4,
						  [BACKGROUND] = 6,
						  [REMOVE] = 1,
						  [CLEAR] = 1,
						  [LIMIT_BYTES] = 1,
						  [TRIM] = 1,
						  [CHECK_ALL] = 2,
						  [STATS] = 1}};
	run_seeds(__func__, &it, 2000);
}

TEST(loaded_bytes_and_cold_forms_never_pass_the_ceiling)
{
	static const struct theme it = {.keys = 40,
					.steps = 12,
					.limit_bytes =
						THREADS * (HELD_MAX + 5) *
						(uint64_t)(BYTES_MAX + WAN_CACHE_ENTRY_BYTES),
					.entry_limit = 1000,
					.loaders_count = true,
					.cold = true,
					.often = {[PIN] = 4,
						  [COMPUTE] = 20,
						  [BACKGROUND] = 8,
						  [RELEASE] = 2,
						  [CHECK_ALL] = 1}};
	run_seeds(__func__, &it, 1000);
}

/* Not their choices, but that they keep up with what comes and goes. */
static void under_policy(const char *name, struct theme *it, enum wan_cache_policy policy)
{
	*it = (struct theme){.keys = 8,
			     .steps = 8,
			     .prepared = 3,
			     .limit_bytes = 4000,
			     .entry_limit = 5,
			     .policy = policy,
			     .often = {8, 5, 2, 4, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0, 1, 2}};
	run_seeds(name, it, 1000);
}

TEST(calls_at_random_under_policy_auto)
{
	static struct theme it;
	under_policy(__func__, &it, WAN_CACHE_AUTO);
}

TEST(calls_at_random_under_policy_gdsf)
{
	static struct theme it;
	under_policy(__func__, &it, WAN_CACHE_GDSF);
}

TEST(calls_at_random_under_policy_s3fifo)
{
	static struct theme it;
	under_policy(__func__, &it, WAN_CACHE_S3FIFO);
}

TAP_MAIN
