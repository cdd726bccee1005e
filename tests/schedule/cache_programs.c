/* SPDX-License-Identifier: MIT */
/* Random programs under strict LRU: pins against all that takes entries away. */
#include "cache_theme.h"

static const struct theme pins_and_evictions = {
	.keys = 4,
	.steps = 5,
	.prepared = 2,
	.limit_bytes = 100000,
	.entry_limit = 2,
	.often = {[PIN] = 6, [PUT] = 3, [RELEASE] = 1, [STATS] = 1},
};

TEST(pins_against_evictions)
{
	run_seeds(__func__, &pins_and_evictions, 3000);
}

/* Room for more, so that there is something older to compare with. */
TEST(the_oldest_goes_while_others_use_what_is_there)
{
	static const struct theme it = {.keys = 7,
					.steps = 8,
					.prepared = 5,
					.limit_bytes = 100000,
					.entry_limit = 4,
					.exact = true,
					.often = {[PIN] = 8, [PUT] = 3, [RELEASE] = 2}};
	run_seeds(__func__, &it, 3000);
}

/* The same with a barrier that does nothing: were that not found, no other error would be. */
TEST(a_cache_whose_membarrier_does_nothing_is_found)
{
	struct scheduler_plan like = {.quiet = true, .without_barrier = true};
	theme = &pins_and_evictions;
	uint64_t seed = scheduler_seeds(__func__, run_theme, 20000, &like).failed_seed;
	printf("# seed %llu of 20000\n", (unsigned long long)seed);
	CHECK(seed > 0 && seed <= 20000);
}

TEST(pins_against_overwriting_and_removing)
{
	static const struct theme it = {
		.keys = 2,
		.steps = 5,
		.prepared = 2,
		.limit_bytes = 100000,
		.entry_limit = 10,
		.often = {[PIN] = 6, [PUT] = 3, [PUT_PINNED] = 2, [REMOVE] = 2, [CLEAR] = 1}};
	run_seeds(__func__, &it, 3000);
}

TEST(weak_handles_and_pins_that_change_hands)
{
	static const struct theme it = {
		.keys = 3,
		.steps = 6,
		.prepared = 2,
		.limit_bytes = 100000,
		.entry_limit = 2,
		.often = {
			[PIN] = 4, [PUT] = 3, [WEAK] = 5, [GIVE] = 4, [REMOVE] = 1, [RELEASE] = 2}};
	run_seeds(__func__, &it, 3000);
}

TEST(limits_trimming_and_expiry_against_pins)
{
	static const struct theme it = {.keys = 6,
					.steps = 6,
					.prepared = 4,
					.limit_bytes = 4000,
					.entry_limit = 6,
					.often = {[PIN] = 8,
						  [PUT] = 4,
						  [PUT_PINNED] = 1,
						  [RELEASE] = 1,
						  [LIMIT_BYTES] = 2,
						  [LIMIT_ENTRIES] = 1,
						  [TRIM] = 1,
						  [EXPIRE] = 2,
						  [STATS] = 1,
						  [CHECK_ALL] = 1}};
	run_seeds(__func__, &it, 3000);
}

TEST(loaders_that_fail_call_back_and_throw_their_key_away)
{
	static const struct theme it = {
		.keys = 3,
		.steps = 3,
		.limit_bytes = 2500,
		.entry_limit = 2,
		.often = {[PIN] = 2, [COMPUTE] = 6, [PUT] = 1, [REMOVE] = 1, [CLEAR] = 1}};
	run_seeds(__func__, &it, 3000);
}

TEST(loaded_bytes_never_pass_the_ceiling)
{
	static const struct theme it = {
		.keys = 40,
		.steps = 12,
		.limit_bytes =
			THREADS * (HELD_MAX + 4) * (uint64_t)(BYTES_MAX + WAN_CACHE_ENTRY_BYTES),
		.entry_limit = 1000,
		.loaders_count = true,
		.often = {[PIN] = 2, [COMPUTE] = 20, [RELEASE] = 2, [STATS] = 1, [CHECK_ALL] = 1}};
	run_seeds(__func__, &it, 1500);
}

TEST(what_was_put_is_found_while_the_table_grows)
{
	static const struct theme it = {.keys = 120,
					.steps = 25,
					.prepared = 50,
					.limit_bytes = 10000000,
					.entry_limit = 1000,
					.certain = true,
					.often = {[PIN] = 10, [PUT] = 8, [STATS] = 1}};
	run_seeds(__func__, &it, 1000);
}

TEST(everything_at_once)
{
	static const struct theme it = {.keys = 5,
					.steps = 6,
					.prepared = 3,
					.limit_bytes = 5000,
					.entry_limit = 4,
					.often = {6, 4, 2, 4, 2, 3, 2, 1, 1, 1, 1, 1, 1, 0, 1, 1}};
	run_seeds(__func__, &it, 3000);
}

TAP_MAIN
