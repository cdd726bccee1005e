/* SPDX-License-Identifier: MIT */
/* GreedyDual-Size with frequency against a plain one; numbers small enough to be exact. */
#include "policy_drive.h"

enum { KEYS = 300, LIMIT = 20000 };

struct plain {
	bool in;
	double rank;
	uint64_t bytes, cost, uses, stamp;
};

static struct plain plain[KEYS];
static double age;
static uint64_t stamp, used;

static uint32_t plain_victim(void)
{
	uint32_t first = KEYS;
	for (uint32_t key = 0; key < KEYS; key++) {
		if (plain[key].in && (first == KEYS || plain[key].rank < plain[first].rank ||
				      (plain[key].rank == plain[first].rank &&
				       plain[key].stamp < plain[first].stamp)))
			first = key;
	}
	return first;
}

static bool plain_access(uint32_t key, uint64_t bytes, uint64_t cost)
{
	struct plain *entry = &plain[key];
	bool hit = entry->in;
	while (!hit && used + bytes > LIMIT) {
		uint32_t victim = plain_victim();
		age = plain[victim].rank > age ? plain[victim].rank : age;
		used -= plain[victim].bytes;
		plain[victim].in = false;
	}
	if (!hit) {
		*entry = (struct plain){.in = true, .bytes = bytes, .cost = cost};
		used += bytes;
	}
	entry->uses++;
	entry->stamp = stamp++;
	entry->rank = age + (double)entry->uses * (double)cost / (double)bytes;
	return hit;
}

TEST(the_same_entries_go_as_in_a_plain_one)
{
	struct drive *drive = drive_new(WAN_CACHE_GDSF, LIMIT);
	uint64_t state = 4;
	for (uint32_t i = 0; i < 30000; i++) {
		uint32_t key = drive_random(&state) % KEYS;
		key = key * (drive_random(&state) % 100) / 100;
		uint64_t bytes = 64u << key % 4, cost = 1000 + key % 9 * 512;
		drive->turn++; /* each use is told */
		if (!CHECK_EQ(drive_access(drive, key, bytes, cost),
			      plain_access(key, bytes, cost)))
			break;
	}
	drive_free(drive);
}

TEST(what_costs_more_for_each_byte_stays_longer)
{
	struct drive *drive = drive_new(WAN_CACHE_GDSF, 4000);
	drive_access(drive, 0, 1000, 1000);
	drive_access(drive, 1, 1000, 9000);
	drive_access(drive, 2, 1000, 2000);
	wan_policy_begin(drive->policy, false);
	CHECK_EQ(wan_policy_next(drive->policy), 0);
	CHECK_EQ(wan_policy_next(drive->policy), 2);
	CHECK_EQ(wan_policy_next(drive->policy), 1);
	drive_free(drive);
}

TAP_MAIN
