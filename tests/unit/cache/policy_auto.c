/* SPDX-License-Identifier: MIT */
/*
 * What auto saves on accesses of known shapes, against strict LRU and the other policies over the
 * same ones. All numbers are made here, the same in each run.
 */
#include "policy_drive.h"

enum { UNIT = 1 << 20 };

typedef void (*shape)(struct drive *drive);

static double saved_by(enum wan_cache_policy which, uint64_t limit_bytes, shape run)
{
	struct drive *drive = drive_new(which, limit_bytes);
	run(drive);
	double saved = drive->saved;
	drive_free(drive);
	return saved;
}

/* A loop over more than fits: LRU finds nothing. */
static void loop(struct drive *drive)
{
	for (uint32_t i = 0; i < 20000; i++)
		drive_access(drive, i % 400, UNIT, 1000);
}

/* Popular keys, and now and then a folder that is looked through once. */
static void popular_and_scans(struct drive *drive)
{
	uint64_t state = 1;
	uint32_t fresh = 1000;
	for (uint32_t i = 0; i < 30000; i++) {
		double chance = drive_random(&state) / 2147483648.0;
		drive_access(drive, (uint32_t)(1000 * chance * chance * chance), UNIT, 1000);
		for (uint32_t k = 0; i % 1000 == 999 && k < 300; k++)
			drive_access(drive, fresh++, UNIT, 1000);
	}
}

/* To and fro over a row: what was seen last comes back first, and nothing beats LRU. */
static void to_and_fro(struct drive *drive)
{
	for (uint32_t i = 0; i < 40000; i++)
		drive_access(drive, i / 2000 % 2 ? 1999 - i % 2000 : i % 2000, UNIT, 1000);
}

/* A window of keys that moves on: only the latest are worth keeping. */
static void moving_window(struct drive *drive)
{
	uint64_t state = 2;
	for (uint32_t i = 0; i < 30000; i++)
		drive_access(drive, i / 10 + drive_random(&state) % 80, UNIT, 1000);
}

/* Small things that take long to make, and large ones that do not. */
static void dear_and_cheap(struct drive *drive)
{
	uint64_t state = 3;
	for (uint32_t i = 0; i < 30000; i++) {
		uint32_t number = drive_random(&state) % 600;
		bool dear = number % 2;
		drive_access(drive, number, dear ? UNIT / 8 : 2 * UNIT, dear ? 50000 : 1000);
	}
}

TEST(a_loop_larger_than_the_cache_hits_in_proportion)
{
	double most = 20000.0 * 1000 * 100 / 400;
	CHECK_EQ(saved_by(WAN_CACHE_LRU, 100 * UNIT, loop), 0);
	CHECK(saved_by(WAN_CACHE_AUTO, 100 * UNIT, loop) > 0.9 * most);
}

TEST(scans_do_not_push_out_what_is_popular)
{
	double lru = saved_by(WAN_CACHE_LRU, 200 * UNIT, popular_and_scans);
	CHECK(saved_by(WAN_CACHE_AUTO, 200 * UNIT, popular_and_scans) > 1.1 * lru);
}

TEST(where_lru_is_best_little_is_lost)
{
	double access = 1000;
	double lru = saved_by(WAN_CACHE_LRU, 300 * UNIT, to_and_fro);
	CHECK(lru - saved_by(WAN_CACHE_AUTO, 300 * UNIT, to_and_fro) <= 0.02 * 40000 * access);
	lru = saved_by(WAN_CACHE_LRU, 60 * UNIT, moving_window);
	CHECK(lru > saved_by(WAN_CACHE_GDSF, 60 * UNIT, moving_window));
	CHECK(lru - saved_by(WAN_CACHE_AUTO, 60 * UNIT, moving_window) <= 0.01 * 30000 * access);
}

TEST(where_cost_for_each_byte_decides_it_does_as_well_as_gdsf)
{
	double lru = saved_by(WAN_CACHE_LRU, 60 * UNIT, dear_and_cheap);
	double gdsf = saved_by(WAN_CACHE_GDSF, 60 * UNIT, dear_and_cheap);
	double ours = saved_by(WAN_CACHE_AUTO, 60 * UNIT, dear_and_cheap);
	CHECK(gdsf > 1.5 * lru);
	CHECK(ours > 0.97 * gdsf);
}

TEST(the_same_accesses_give_the_same_result)
{
	double first = saved_by(WAN_CACHE_AUTO, 200 * UNIT, popular_and_scans);
	CHECK(first == saved_by(WAN_CACHE_AUTO, 200 * UNIT, popular_and_scans));
}

TEST(keys_that_were_taken_away_are_no_fault_of_the_order)
{
	struct drive *drive = drive_new(WAN_CACHE_AUTO, 100 * UNIT);
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t key = 0; key < 80; key++)
			drive_access(drive, key, UNIT, 1000);
		for (uint32_t key = 0; key < 80; key++) { /* as clear does */
			wan_policy_removed(drive->policy, key, false);
			drive->last[key] = 0;
		}
		drive->used_bytes = 0;
	}
	CHECK_EQ(drive->hits, 0);
	wan_policy_begin(drive->policy, false);
	CHECK_EQ(wan_policy_next(drive->policy), WAN_POLICY_NONE);
	drive_free(drive);
}

TEST(costs_that_nobody_knows_count_as_one_each)
{
	struct drive *drive = drive_new(WAN_CACHE_AUTO, 100 * UNIT);
	for (uint32_t i = 0; i < 20000; i++)
		drive_access(drive, i % 400, UNIT, 0);
	CHECK(drive->hits > 0.9 * 20000 * 100 / 400);
	drive_free(drive);
}

TAP_MAIN
