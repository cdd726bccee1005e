/* SPDX-License-Identifier: MIT */
#include "alloc.h"
#include "fault.h"
#include "support.h"
#include "tier_store.h"

static struct wan_cold *cold_of(uint64_t key, double value, uint64_t bytes)
{
	struct wan_cold *cold = calloc(1, sizeof(*cold));
	cold->key = key_of(key);
	cold->value = value;
	cold->charge_bytes = bytes;
	cold->bytes = 3 * bytes;
	return cold;
}

#define STORE_SOUND(store) CHECK_STR(wan_tier_store_check(store), NULL)

static uint64_t random_word(void)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

TEST(forms_are_found_by_key_and_given_up_by_value)
{
	struct wan_tier_store store;
	wan_tier_store_init(&store, 7);
	CHECK(wan_tier_store_find(&store, key_of(1)) == NULL);
	CHECK(wan_tier_store_least(&store) == NULL);
	for (uint64_t key = 1; key <= 300; key++) {
		REQUIRE_EQ(wan_tier_store_reserve(&store), 0);
		wan_tier_store_insert(&store, cold_of(key, (double)(key * 37 % 301), key));
		STORE_SOUND(&store);
	}
	CHECK_EQ(store.charge_bytes, 300 * 301 / 2);
	CHECK_EQ(store.bytes, 3 * 300 * 301 / 2);
	double before = -1;
	for (int i = 0; i < 300; i++) {
		struct wan_cold *least = wan_tier_store_least(&store);
		CHECK(least->value > before);
		before = least->value;
		wan_tier_store_give_up(&store, least);
		CHECK(wan_tier_store_find(&store, least->key) == NULL);
		free(least);
		STORE_SOUND(&store);
	}
	CHECK_EQ(store.count, 0);
	CHECK_EQ(store.charge_bytes, 0);
	wan_tier_store_finish(&store);
}

TEST(what_was_dear_long_ago_goes_before_what_is_cheap_now)
{
	struct wan_tier_store store;
	wan_tier_store_init(&store, 7);
	for (int i = 0; i < 4; i++)
		REQUIRE_EQ(wan_tier_store_reserve(&store), 0);
	struct wan_cold *dear = cold_of(1, 10, 1), *next = cold_of(2, 12, 1);
	wan_tier_store_insert(&store, dear);
	wan_tier_store_insert(&store, next);
	wan_tier_store_give_up(&store, dear);
	wan_tier_store_insert(&store, cold_of(3, 5, 1)); /* 5 on top of the 10 given up */
	CHECK(wan_tier_store_least(&store) == next);
	free(dear);
	while (store.count) {
		struct wan_cold *cold = wan_tier_store_least(&store);
		wan_tier_store_remove(&store, cold);
		free(cold);
	}
	wan_tier_store_finish(&store);
}

TEST(random_insertions_and_removals_keep_the_order)
{
	enum { KEYS = 200 };
	struct wan_cold *held[KEYS] = {0};
	struct wan_tier_store store;
	wan_tier_store_init(&store, 99);
	for (int step = 0; step < 4000; step++) {
		uint64_t key = random_word() % KEYS;
		if (held[key]) {
			wan_tier_store_remove(&store, held[key]);
			free(held[key]);
			held[key] = NULL;
		} else {
			REQUIRE_EQ(wan_tier_store_reserve(&store), 0);
			held[key] = cold_of(key, (double)(random_word() % 50), key + 1);
			wan_tier_store_insert(&store, held[key]);
		}
		CHECK(wan_tier_store_find(&store, key_of(key)) == held[key]);
		if (step % 16 == 0)
			STORE_SOUND(&store);
	}
	for (int key = 0; key < KEYS; key++) {
		if (held[key])
			wan_tier_store_remove(&store, held[key]);
		free(held[key]);
	}
	wan_tier_store_finish(&store);
}

TEST(ghosts_are_recalled_once)
{
	struct wan_tier_store store;
	struct wan_ghost ghost;
	wan_tier_store_init(&store, 3);
	CHECK(!wan_tier_store_recall(&store, key_of(5), &ghost));
	wan_tier_store_bury(&store, key_of(5), 1234, 99);
	REQUIRE(wan_tier_store_recall(&store, key_of(5), &ghost));
	CHECK_EQ(ghost.clock, 1234);
	CHECK_EQ(ghost.cost_ns, 99);
	CHECK(!wan_tier_store_recall(&store, key_of(5), &ghost));
	CHECK(!wan_tier_store_recall(&store, key_of(6), &ghost));
	wan_tier_store_finish(&store);
}

TEST(without_memory_nothing_changes)
{
	struct wan_tier_store store;
	struct wan_ghost ghost;
	wan_tier_store_init(&store, 3);
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_CALLOC, 1, ENOMEM, true);
	CHECK_EQ(wan_tier_store_reserve(&store), -ENOMEM);
	wan_tier_store_bury(&store, key_of(5), 1, 1);
	CHECK(!wan_tier_store_recall(&store, key_of(5), &ghost));
	wan_fault_arm(WAN_FAULT_REALLOC, 1, ENOMEM, true);
	CHECK_EQ(wan_tier_store_reserve(&store), -ENOMEM);
	wan_fault_disarm();
	CHECK_EQ(wan_tier_store_reserve(&store), 0);
	wan_tier_store_finish(&store);
	CHECK_EQ(wan_fault_balance().blocks, 0);
	wan_fault_remove();
}

TAP_MAIN
