/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdlib.h>

#include "fault.h"
#include "support.h"

enum { MANY = 5000 };
static struct wan_cache_entry entries[MANY];

static void insert(struct wan_table *table, unsigned i)
{
	entries[i].key = key_of(i);
	REQUIRE_EQ(wan_table_reserve(table), 0);
	wan_table_insert(table, &entries[i]);
}

static void start(struct wan_table *table)
{
	CHECK_EQ(wan_table_init(table, (uint64_t[]){12345, 67890}), 0);
}

static size_t cells_of(const struct wan_table *table)
{
	return wan_table_bytes(table) / sizeof(uintptr_t);
}

TEST(every_entry_is_found_while_the_table_grows_and_shrinks)
{
	struct wan_table table;
	start(&table);
	for (unsigned i = 0; i < MANY; i++)
		insert(&table, i);
	size_t largest = cells_of(&table);
	CHECK(largest >= 2 * MANY);
	for (unsigned i = 0; i < MANY; i++)
		CHECK(wan_table_find(&table, key_of(i)) == &entries[i]);
	CHECK(wan_table_find(&table, key_of(MANY)) == NULL);
	for (unsigned i = 0; i < MANY; i++) {
		wan_table_remove(&table, &entries[i]);
		CHECK(wan_table_find(&table, key_of(i)) == NULL);
		if (i + 1 < MANY && i % 100 == 0)
			CHECK(wan_table_find(&table, key_of(MANY - 1)) == &entries[MANY - 1]);
	}
	CHECK_EQ(table.count, 0);
	CHECK(cells_of(&table) < largest / 8);
	wan_table_finish(&table);
}

TEST(taking_one_out_hides_no_other)
{
	struct wan_table table;
	bool inside[MANY] = {false};
	uint64_t random = 1;
	start(&table);
	for (unsigned step = 0; step < 40000; step++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		unsigned i = (unsigned)(random >> 33) % 250; /* the smallest table, half full */
		if (inside[i])
			wan_table_remove(&table, &entries[i]);
		else
			insert(&table, i);
		inside[i] = !inside[i];
		if (step % 64)
			continue;
		for (unsigned j = 0; j < 250; j++)
			CHECK((wan_table_find(&table, key_of(j)) == &entries[j]) == inside[j]);
	}
	wan_table_finish(&table);
}

TEST(without_memory_the_table_fills_further_and_then_refuses)
{
	wan_fault_install();
	struct wan_table table;
	start(&table);
	size_t cells = cells_of(&table);
	wan_fault_arm(WAN_FAULT_MMAP, 1, ENOMEM, true);
	unsigned count = 0;
	while (wan_table_reserve(&table) == 0)
		insert(&table, count++);
	CHECK(count > cells / 2 && count < cells);
	CHECK_EQ(cells_of(&table), cells);
	for (unsigned i = 0; i < count; i++)
		CHECK(wan_table_find(&table, key_of(i)) == &entries[i]);
	CHECK_EQ(wan_table_init(&(struct wan_table){0}, (uint64_t[]){1, 2}), -ENOMEM);
	wan_fault_disarm();
	CHECK_EQ(wan_table_reserve(&table), 0);
	wan_table_finish(&table);
	wan_fault_remove();
}

TEST(a_kernel_that_takes_no_memory_back_does_no_harm)
{
	wan_fault_install();
	struct wan_table table;
	start(&table);
	wan_fault_arm(WAN_FAULT_MADVISE, 1, EINVAL, true);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MANY; i++)
			insert(&table, i);
		for (unsigned i = 0; i < MANY; i++)
			CHECK(wan_table_find(&table, key_of(i)) == &entries[i]);
		for (unsigned i = 0; i < MANY; i++)
			wan_table_remove(&table, &entries[i]);
	}
	CHECK_EQ(table.count, 0);
	wan_table_finish(&table);
	wan_fault_remove();
}

/* A reader without the lock: never anything but an entry of the table, and what stays in is found
 * most of the time. */
static struct wan_table shared;
static bool stop;
static uint64_t found, wrong;

static void *read_all_the_time(void *argument)
{
	while (!wan_load_relaxed(&stop)) {
		for (unsigned i = 0; i < 10; i++) {
			const struct wan_cache_entry *entry = wan_table_find(&shared, key_of(i));
			wan_add_relaxed(&found, entry == &entries[i]);
			wan_add_relaxed(&wrong, entry && entry != &entries[i]);
		}
	}
	return NULL;
}

TEST(a_reader_without_the_lock_finds_the_right_entry_or_none)
{
	pthread_t reader;
	start(&shared);
	for (unsigned i = 0; i < 10; i++)
		insert(&shared, i);
	REQUIRE_EQ(pthread_create(&reader, NULL, read_all_the_time, NULL), 0);
	for (unsigned round = 0; round < 20 || wan_load_relaxed(&found) < 1000; round++) {
		for (unsigned i = 10; i < 2000; i++)
			insert(&shared, i);
		for (unsigned i = 10; i < 2000; i++)
			wan_table_remove(&shared, &entries[i]);
	}
	wan_store_relaxed(&stop, true);
	pthread_join(reader, NULL);
	CHECK_EQ(wrong, 0);
	CHECK(found > 0);
	wan_table_finish(&shared);
}

TAP_MAIN
