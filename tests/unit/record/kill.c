/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "kill_rounds.h"

/* A fork under a sanitizer costs 20 times as much, and finds nothing that a bare one does not. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 200
#else
#define ROUNDS 2000
#endif

/* WAN_TEST_KILLS: rounds; WAN_TEST_SEED: another series of moments. */
TEST(no_sigkill_loses_or_tears_a_record)
{
	const char *rounds = getenv("WAN_TEST_KILLS"), *seed = getenv("WAN_TEST_SEED");
	struct kill_totals totals = {0};
	uint64_t count = rounds ? strtoull(rounds, NULL, 10) : ROUNDS;
	unsigned start = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
	uint64_t begin_ns = wan_now_ns();
	CHECK(kill_rounds(support_path("kill.wprof"), count, start, &totals));
	printf("# seed %u: %llu kills in %.1f s, %llu records, %llu rings had gone round, "
	       "%llu killed before the start, %llu in flight\n",
	       start, (unsigned long long)totals.rounds, (double)(wan_now_ns() - begin_ns) / 1e9,
	       (unsigned long long)totals.records, (unsigned long long)totals.wrapped,
	       (unsigned long long)totals.before_start, (unsigned long long)totals.in_flight);
	CHECK_EQ(totals.rounds, count);
	CHECK_EQ(totals.torn, 0);
	CHECK_EQ(totals.lost, 0);
	CHECK_EQ(totals.twice, 0);
	CHECK_EQ(totals.wrong, 0);
	/* The test means something only if it hit writers at work, wrapping ones among them. */
	CHECK(totals.records > count * 100);
	CHECK(totals.wrapped > count / 20);
}

TAP_MAIN
