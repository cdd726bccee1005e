/* SPDX-License-Identifier: MIT */
/* What every policy promises, whichever it is. */
#include <errno.h>

#include "fault.h"
#include "policy.h"
#include "tap.h"

enum { SLOTS = 200 };

static const enum wan_cache_policy kinds[] = {WAN_CACHE_AUTO, WAN_CACHE_GDSF, WAN_CACHE_S3FIFO};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct wan_policy *policy_of(unsigned kind)
{
	struct wan_policy *policy = NULL;
	CHECK_EQ(wan_policy_create(kinds[kind], 1 << 24, 1000, &policy), 0);
	CHECK_EQ(wan_policy_reserve(policy, SLOTS), 0);
	return policy;
}

static void insert(struct wan_policy *policy, uint32_t slot, uint32_t flags, bool counted)
{
	wan_policy_missed(policy, (struct wan_key){{slot, 7}});
	wan_policy_inserted(policy, slot,
			    &(struct wan_policy_entry){.key = {{slot, 7}},
						       .charge_bytes = 1000 + slot % 7 * 100,
						       .cost_ns = 1000 * (1 + slot % 5),
						       .flags = flags,
						       .counted = counted});
}

/* The walk into order; returns its length. */
static unsigned walk(struct wan_policy *policy, bool counted_only, uint32_t order[SLOTS + 1])
{
	unsigned count = 0;
	wan_policy_begin(policy, counted_only);
	for (uint32_t slot; (slot = wan_policy_next(policy)) != WAN_POLICY_NONE;) {
		if (!CHECK(slot < SLOTS) || !CHECK(count < SLOTS))
			break;
		order[count++] = slot;
	}
	return count;
}

TEST(strict_lru_and_what_is_no_policy_are_refused)
{
	struct wan_policy *policy = NULL;
	CHECK_EQ(wan_policy_create(WAN_CACHE_LRU, 1, 1, &policy), -EINVAL);
	CHECK_EQ(wan_policy_create((enum wan_cache_policy)99, 1, 1, &policy), -EINVAL);
	CHECK(policy == NULL);
	wan_policy_destroy(NULL);
}

TEST(a_walk_gives_each_entry_once_and_asking_again_the_same_order)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		uint32_t first[SLOTS + 1], second[SLOTS + 1];
		bool seen[SLOTS] = {false};
		struct wan_policy *policy = policy_of(kind);
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			insert(policy, slot, 0, slot % 3);
		for (uint32_t slot = 0; slot < SLOTS; slot += 4)
			wan_policy_used(policy, slot);
		CHECK_EQ(walk(policy, false, first), SLOTS);
		CHECK_EQ(walk(policy, false, second), SLOTS);
		CHECK_MEM(first, second, SLOTS * sizeof(first[0]));
		for (unsigned i = 0; i < SLOTS; i++) {
			CHECK(!seen[first[i]]);
			seen[first[i]] = true;
		}
		wan_policy_destroy(policy);
	}
}

TEST(a_walk_of_counted_entries_leaves_the_others_out)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		uint32_t order[SLOTS + 1];
		struct wan_policy *policy = policy_of(kind);
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			insert(policy, slot, 0, slot % 4 == 0);
		CHECK_EQ(walk(policy, true, order), SLOTS / 4);
		for (unsigned i = 0; i < SLOTS / 4; i++)
			CHECK_EQ(order[i] % 4, 0);
		wan_policy_destroy(policy);
	}
}

TEST(removed_entries_are_gone_and_their_slots_can_be_used_again)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		uint32_t order[SLOTS + 1];
		struct wan_policy *policy = policy_of(kind);
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			insert(policy, slot, 0, true);
		for (uint32_t slot = 0; slot < SLOTS; slot += 2)
			wan_policy_removed(policy, slot, slot % 4 == 0);
		CHECK_EQ(walk(policy, false, order), SLOTS / 2);
		insert(policy, 2, 0, true);
		CHECK_EQ(walk(policy, false, order), SLOTS / 2 + 1);
		for (uint32_t slot = 0; slot < SLOTS; slot++) {
			if (slot % 2 || slot == 2)
				wan_policy_removed(policy, slot, false);
		}
		CHECK_EQ(walk(policy, false, order), 0);
		wan_policy_destroy(policy);
	}
}

TEST(scanned_entries_go_first_pinned_ones_last)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		uint32_t order[SLOTS + 1];
		struct wan_policy *policy = policy_of(kind);
		for (uint32_t slot = 0; slot < 30; slot++)
			insert(policy, slot,
			       slot % 3 == 0   ? 0
			       : slot % 3 == 1 ? WAN_CACHE_SCAN
					       : WAN_CACHE_PIN,
			       slot % 2);
		CHECK_EQ(walk(policy, false, order), 30);
		for (unsigned i = 0; i < 30; i++)
			CHECK_EQ(order[i] % 3, i < 10 ? 1 : i < 20 ? 0 : 2);
		wan_policy_destroy(policy);
	}
}

TEST(a_scanned_entry_that_is_used_becomes_an_ordinary_one)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		uint32_t order[SLOTS + 1];
		struct wan_policy *policy = policy_of(kind);
		insert(policy, 0, 0, true);
		insert(policy, 1, WAN_CACHE_SCAN, true);
		insert(policy, 2, WAN_CACHE_SCAN, true);
		wan_policy_used(policy, 1);
		CHECK_EQ(walk(policy, false, order), 3);
		CHECK_EQ(order[0], 2);
		wan_policy_destroy(policy);
	}
}

TEST(memory_grows_with_reserve_alone_and_stays_a_small_part_of_the_limit)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct wan_policy *policy = policy_of(kind);
		uint64_t bytes = wan_policy_bytes(policy);
		for (uint32_t i = 0; i < 50000; i++) {
			wan_policy_missed(policy, (struct wan_key){{i, 9}});
			if (i >= SLOTS)
				wan_policy_removed(policy, i % SLOTS, true);
			insert(policy, i % SLOTS, 0, true);
		}
		CHECK_EQ(wan_policy_bytes(policy), bytes);
		CHECK(bytes < (1 << 24) / 16);
		wan_policy_destroy(policy);
	}
}

static void grow_with_faults(void *context)
{
	struct wan_policy *policy = NULL;
	int rc = wan_policy_create(*(const enum wan_cache_policy *)context, 1 << 24, 1000, &policy);
	CHECK(rc == 0 || rc == -ENOMEM);
	if (rc < 0)
		return;
	uint32_t room = 0, order[SLOTS + 1];
	for (uint32_t want = 10; want <= SLOTS; want += 50) {
		rc = wan_policy_reserve(policy, want);
		CHECK(rc == 0 || rc == -ENOMEM);
		if (rc < 0)
			continue; /* what was there works on */
		for (; room < want; room++)
			insert(policy, room, 0, true);
	}
	CHECK_EQ(walk(policy, false, order), room);
	wan_policy_destroy(policy);
}

TEST(a_reserve_that_fails_changes_nothing)
{
	wan_fault_install();
	for (unsigned kind = 0; kind < KINDS; kind++)
		CHECK(wan_fault_sweep(grow_with_faults, (void *)&kinds[kind]) > 2);
	wan_fault_remove();
}

TAP_MAIN
