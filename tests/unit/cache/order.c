/* SPDX-License-Identifier: MIT */
/* The oldest is exact: compared with a search through everything. */
#include "order.h"

#include <stdlib.h>

#include "order_sort.h"
#include "support.h"

static uint64_t random_state;
static uint64_t random_below(uint64_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % bound;
}

enum { THREADS = 3 };
static struct wan_record records[THREADS];

static void start(struct wan_order *order, uint32_t slots, uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15u | 1;
	wan_order_init(order);
	CHECK_EQ(wan_order_reserve(order, slots), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		records[i].stamps = calloc(slots, sizeof(uint64_t));
		records[i].stamp_count = slots - i; /* threads that came before the last grew */
		records[i].next = i + 1 < THREADS ? &records[i + 1] : NULL;
	}
	order->records = records;
}

static void finish(struct wan_order *order)
{
	wan_order_finish(order);
	for (unsigned i = 0; i < THREADS; i++)
		free(records[i].stamps);
}

static uint32_t oldest_by_search(const struct wan_order *order, uint32_t slots, bool counted,
				 const bool *held)
{
	uint32_t oldest = WAN_ORDER_NONE;
	for (uint32_t slot = 0; slot < slots; slot++) {
		if (order->born[slot] == WAN_ORDER_GONE || held[slot] ||
		    (counted && !(order->tags[slot] & WAN_ORDER_COUNTED)))
			continue;
		if (oldest == WAN_ORDER_NONE ||
		    wan_order_key(order, slot) < wan_order_key(order, oldest))
			oldest = slot;
	}
	return oldest;
}

static bool is_held(void *context, uint32_t slot)
{
	return ((const bool *)context)[slot];
}

static uint32_t oldest_by_order(struct wan_order *order, bool counted, bool *held)
{
	wan_order_begin(order, counted, 4);
	uint32_t slot;
	do {
		slot = wan_order_next(order, counted, is_held, held);
	} while (slot != WAN_ORDER_NONE && held[slot]);
	return slot;
}

static void run(uint32_t slots, unsigned steps, uint64_t seed, bool hints)
{
	struct wan_order order;
	bool *held = calloc(slots, sizeof(bool));
	uint64_t clock = 1;
	start(&order, slots, seed);
	for (unsigned step = 0; step < steps; step++) {
		uint32_t slot = (uint32_t)random_below(slots);
		uint64_t choice = random_below(100);
		if (order.born[slot] == WAN_ORDER_GONE) {
			struct wan_policy_entry entry = {
				.counted = random_below(2),
				.flags = hints ? (uint32_t)(random_below(4) << 1) : 0};
			wan_order_insert(&order, slot, ++clock, &entry);
		} else if (choice < 60) {
			struct wan_record *record = &records[random_below(THREADS)];
			if (slot < record->stamp_count)
				record->stamps[slot] = ++clock;
		} else if (choice < 65) {
			wan_order_use(&order, slot, ++clock);
		} else if (choice < 70) {
			held[slot] = !held[slot];
		} else {
			bool counted = random_below(2);
			uint32_t expected = oldest_by_search(&order, slots, counted, held);
			uint32_t actual = oldest_by_order(&order, counted, held);
			if (!CHECK_EQ(actual, expected))
				printf("# seed %llu step %u\n", (unsigned long long)seed, step);
			if (actual != WAN_ORDER_NONE && choice < 95)
				wan_order_remove(&order, actual, true);
			wan_order_end(&order, counted);
		}
	}
	finish(&order);
	free(held);
}

TEST(the_oldest_is_that_of_a_search_through_everything)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		run(40, 4000, seed, false);
	run(6000, 30000, 21, false);
}

TEST(hints_go_first_and_last_and_the_order_stays_exact)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		run(40, 4000, seed, true);
	run(6000, 30000, 21, true);
}

TEST(a_used_scan_entry_is_an_ordinary_one)
{
	struct wan_order order;
	bool held[8] = {false};
	start(&order, 8, 1);
	wan_order_insert(&order, 0, 10, &(struct wan_policy_entry){.counted = true});
	wan_order_insert(&order, 1, 11,
			 &(struct wan_policy_entry){.counted = true, .flags = WAN_CACHE_SCAN});
	CHECK_EQ(oldest_by_order(&order, false, held), 1);
	wan_order_end(&order, false);
	records[0].stamps[1] = 12;
	CHECK_EQ(oldest_by_order(&order, false, held), 0);
	wan_order_end(&order, false);
	finish(&order);
}

static int by_key(const void *a, const void *b)
{
	const struct wan_order_item *x = a, *y = b;
	return (x->key > y->key) - (x->key < y->key);
}

TEST(sorting_and_selecting_agree_with_the_library)
{
	enum { MOST = 3000 };
	static struct wan_order_item items[MOST], sorted[MOST];
	random_state = 99;
	for (unsigned round = 0; round < 300; round++) {
		uint32_t count = 2 + (uint32_t)random_below(round < 290 ? 60 : MOST - 2);
		uint64_t keys = round % 3 ? UINT32_MAX : 5; /* also with many equal ones */
		for (uint32_t i = 0; i < count; i++)
			items[i] = (struct wan_order_item){
				.key = round % 7 == 1 ? i : random_below(keys), .slot = i};
		memcpy(sorted, items, sizeof(items));
		qsort(sorted, count, sizeof(*sorted), by_key);
		uint32_t want = 1 + (uint32_t)random_below(count - 1);
		CHECK_EQ(wan_order_select(items, count, want), sorted[want].key);
		for (uint32_t i = 0; i < want; i++)
			CHECK(items[i].key <= sorted[want].key);
		wan_order_sort(items, count);
		for (uint32_t i = 0; i < count; i++)
			CHECK_EQ(items[i].key, sorted[i].key);
	}
}

TAP_MAIN
