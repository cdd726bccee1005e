/* SPDX-License-Identifier: MIT */
#include "index.h"

#include "fault.h"
#include "support.h"

enum { MANY = 5000 };
static struct wan_cache_entry entries[MANY];

static struct wan_index index_of(unsigned count)
{
	struct wan_index index;
	CHECK_EQ(wan_index_init(&index, 12345), 0);
	for (unsigned i = 0; i < count; i++) {
		entries[i] = (struct wan_cache_entry){.key = key_of(i), .counted = i % 3 != 0};
		wan_index_insert(&index, &entries[i]);
	}
	return index;
}

TEST(every_entry_is_found_while_the_table_grows_and_shrinks)
{
	struct wan_index index = index_of(MANY);
	size_t largest = index.bucket_count;
	CHECK(largest >= MANY);
	for (unsigned i = 0; i < MANY; i++)
		CHECK(wan_index_find(&index, key_of(i)) == &entries[i]);
	CHECK(wan_index_find(&index, key_of(MANY)) == NULL);
	for (unsigned i = 0; i < MANY; i++) {
		wan_index_remove(&index, &entries[i]);
		CHECK(wan_index_find(&index, key_of(i)) == NULL);
		if (i + 1 < MANY && i % 100 == 0)
			CHECK(wan_index_find(&index, key_of(MANY - 1)) == &entries[MANY - 1]);
	}
	CHECK_EQ(index.count, 0);
	CHECK(index.bucket_count < largest / 8);
	wan_index_finish(&index);
}

TEST(chains_stay_short_for_counting_keys)
{
	struct wan_index index = index_of(MANY);
	unsigned longest = 0;
	for (size_t i = 0; i < index.bucket_count; i++) {
		unsigned length = 0;
		for (const struct wan_cache_entry *entry = index.buckets[i]; entry;
		     entry = entry->chain)
			length++;
		longest = WAN_MAX(longest, length);
	}
	CHECK(longest <= 8);
	wan_index_finish(&index);
}

TEST(without_memory_the_table_keeps_its_size_and_its_entries)
{
	wan_fault_install();
	struct wan_index index;
	REQUIRE_EQ(wan_index_init(&index, 1), 0);
	wan_fault_arm(WAN_FAULT_CALLOC, 1, ENOMEM, true);
	for (unsigned i = 0; i < 1000; i++) {
		entries[i] = (struct wan_cache_entry){.key = key_of(i)};
		wan_index_insert(&index, &entries[i]);
	}
	CHECK_EQ(index.bucket_count, 64);
	for (unsigned i = 0; i < 1000; i++)
		CHECK(wan_index_find(&index, key_of(i)) == &entries[i]);
	CHECK_EQ(wan_index_init(&(struct wan_index){0}, 1), -ENOMEM);
	wan_fault_disarm();
	wan_index_finish(&index);
	wan_fault_remove();
}

TEST(the_oldest_is_found_over_both_classes_and_pins)
{
	struct wan_index index = index_of(9); /* 0 3 6 are derived */
	CHECK(wan_index_oldest(&index) == &entries[0]);
	CHECK(wan_index_oldest_of(&index, WAN_USE_COUNTED) == &entries[1]);
	wan_index_touch(&index, &entries[0]);
	CHECK(wan_index_oldest(&index) == &entries[1]);
	CHECK(wan_index_oldest_of(&index, WAN_USE_DERIVED) == &entries[3]);
	entries[1].pins = entries[2].pins = 1;
	CHECK(wan_index_oldest(&index) == &entries[3]);
	entries[3].pins = entries[6].pins = entries[0].pins = 1;
	CHECK(wan_index_oldest_of(&index, WAN_USE_DERIVED) == NULL);
	CHECK(wan_index_oldest(&index) == &entries[4]);
	wan_index_finish(&index);
}

TEST(touching_the_newest_of_one_class_makes_it_newer_than_the_other)
{
	struct wan_index index = index_of(2); /* 0 derived, 1 counted */
	wan_index_touch(&index, &entries[0]);
	CHECK(entries[0].stamp > entries[1].stamp);
	CHECK(wan_index_oldest(&index) == &entries[1]);
	wan_index_finish(&index);
}

TAP_MAIN
