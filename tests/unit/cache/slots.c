/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include "fault.h"
#include "support.h"

enum { MANY = 1000 };
static struct wan_cache_entry *taken[MANY];

TEST(slots_have_distinct_numbers_and_are_found_by_them)
{
	struct wan_slots slots;
	wan_slots_init(&slots);
	for (unsigned i = 0; i < MANY; i++) {
		REQUIRE((taken[i] = wan_slots_take(&slots)) != NULL);
		CHECK_EQ(taken[i]->state, WAN_ENTRY_TAKEN);
		CHECK_EQ(taken[i]->pins, 0);
		CHECK(i == 0 || taken[i]->slot != taken[i - 1]->slot);
	}
	CHECK_EQ(slots.used, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		CHECK(wan_slots_find(&slots, taken[i]->slot, taken[i]->generation) == taken[i]);
		CHECK(wan_slots_find(&slots, taken[i]->slot, taken[i]->generation + 1) == NULL);
	}
	CHECK(wan_slots_find(&slots, UINT64_MAX, 1) == NULL);
	wan_slots_finish(&slots);
}

TEST(a_generation_never_comes_back_even_when_its_page_was_given_back)
{
	struct wan_slots slots;
	wan_slots_init(&slots);
	uint32_t numbers[MANY];
	uint64_t generations[MANY];
	for (unsigned i = 0; i < MANY; i++) {
		taken[i] = wan_slots_take(&slots);
		numbers[i] = taken[i]->slot;
		generations[i] = taken[i]->generation;
	}
	for (unsigned i = 0; i < MANY; i++)
		wan_slots_give(&slots, taken[i]);
	CHECK_EQ(slots.used, 0);
	CHECK(slots.present <= 3); /* a little room stays, the rest went back to the kernel */
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MANY; i++)
			taken[i] = wan_slots_take(&slots);
		CHECK(wan_slots_top(&slots) < MANY + WAN_SLOTS_IN_PAGE);
		for (unsigned i = 0; i < MANY; i++)
			CHECK(wan_slots_find(&slots, numbers[i], generations[i]) == NULL);
		for (unsigned i = MANY; i-- > 0;)
			wan_slots_give(&slots, taken[i]);
	}
	wan_slots_finish(&slots);
}

static void take_and_give(void *context)
{
	struct wan_slots slots;
	unsigned count = 0;
	wan_slots_init(&slots);
	while (count < 200 && (taken[count] = wan_slots_take(&slots)))
		count++;
	CHECK_EQ(slots.used, count);
	if (count > 10) {
		wan_slots_give(&slots, taken[--count]);
		CHECK((taken[count] = wan_slots_take(&slots)) != NULL);
	}
	wan_slots_finish(&slots);
}

TEST(a_slot_given_back_reads_as_free_at_its_old_address)
{
	struct wan_slots slots;
	wan_slots_init(&slots);
	for (unsigned i = 0; i < MANY; i++)
		taken[i] = wan_slots_take(&slots);
	for (unsigned i = 0; i < MANY; i++)
		CHECK(wan_slots_at(&slots, taken[i]->slot) == taken[i]);
	for (unsigned i = 0; i < MANY; i++)
		wan_slots_give(&slots, taken[i]);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_EQ(taken[i]->state, WAN_ENTRY_FREE);
	wan_slots_finish(&slots);
}

TEST(running_out_of_memory_leaves_what_was_taken)
{
	wan_fault_install();
	CHECK(wan_fault_sweep(take_and_give, NULL) > 0);
	wan_fault_remove();
}

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* Programs that link the library and its leak checker keep a cache until they end. */
TEST(what_a_slot_holds_is_no_leak)
{
	struct wan_slots slots;
	if (!__lsan_do_recoverable_leak_check)
		SKIP("built without a leak checker");
	wan_slots_init(&slots);
	struct wan_cache_entry *entry = wan_slots_take(&slots);
	REQUIRE(entry != NULL);
	entry->data = malloc(100);
	CHECK_EQ(__lsan_do_recoverable_leak_check(), 0);
	free(entry->data);
	wan_slots_give(&slots, entry);
	wan_slots_finish(&slots);
}

TAP_MAIN
