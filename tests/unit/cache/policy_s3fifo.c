/* SPDX-License-Identifier: MIT */
/* The rules of S3-FIFO one by one, then over many accesses. */
#include "policy_drive.h"

enum { EACH = 1000 };

static struct drive *full(uint32_t entries)
{
	struct drive *drive = drive_new(WAN_CACHE_S3FIFO, (uint64_t)entries * EACH);
	for (uint32_t key = 0; key < entries; key++)
		drive_access(drive, key, EACH, 1);
	return drive;
}

static uint32_t first_of(struct drive *drive)
{
	wan_policy_begin(drive->policy, false);
	return wan_policy_next(drive->policy);
}

TEST(without_uses_it_is_a_queue)
{
	struct drive *drive = full(10);
	wan_policy_begin(drive->policy, false);
	for (uint32_t key = 0; key < 10; key++)
		CHECK_EQ(wan_policy_next(drive->policy), key);
	CHECK_EQ(wan_policy_next(drive->policy), WAN_POLICY_NONE);
	drive_free(drive);
}

TEST(one_use_is_not_enough_to_stay_two_are)
{
	struct drive *drive = full(10);
	wan_policy_used(drive->policy, 0);
	wan_policy_used(drive->policy, 1);
	wan_policy_used(drive->policy, 1);
	CHECK_EQ(first_of(drive), 0);
	wan_policy_removed(drive->policy, 0, true);
	CHECK_EQ(first_of(drive), 2);
	drive_free(drive);
}

TEST(a_key_that_comes_back_soon_is_kept_apart_from_new_ones)
{
	struct drive *drive = full(10);
	drive_access(drive, 100, EACH, 1); /* 0 goes */
	CHECK_EQ(drive->last[0], 0);
	drive_access(drive, 0, EACH, 1); /* and comes back, to the main queue */
	for (uint32_t key = 101; key < 108; key++)
		drive_access(drive, key, EACH, 1);
	CHECK(drive->last[0] != 0);
	drive_free(drive);
}

TEST(a_use_saves_an_entry_that_was_doomed)
{
	struct drive *drive = full(10);
	CHECK_EQ(first_of(drive), 0);
	wan_policy_used(drive->policy, 0);
	CHECK_EQ(first_of(drive), 1);
	drive_free(drive);
}

TEST(popular_keys_survive_a_scan)
{
	struct drive *drive = drive_new(WAN_CACHE_S3FIFO, 100 * EACH);
	for (uint32_t i = 0; i < 2000; i++) {
		drive_access(drive, i % 60, EACH, 1);
		if (i % 3 == 0)
			drive_access(drive, 1000 + i, EACH, 1);
	}
	double before = drive->hits;
	for (uint32_t key = 5000; key < 5500; key++)
		drive_access(drive, key, EACH, 1);
	for (uint32_t key = 0; key < 60; key++)
		drive_access(drive, key, EACH, 1);
	CHECK(drive->hits - before > 50);
	drive_free(drive);
}

TAP_MAIN
