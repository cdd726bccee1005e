/* SPDX-License-Identifier: MIT */
#include "atomics.h"

#include <stdint.h>

#include "tap.h"

static uint64_t counter, highest;
static uint32_t word;

static void *add_and_raise(void *argument)
{
	uint64_t base = (uint64_t)(uintptr_t)argument;
	for (uint64_t i = 0; i < 20000; i++) {
		wan_add_relaxed(&counter, 1);
		wan_max_relaxed(&highest, base + i);
	}
	return NULL;
}

TEST(two_threads_lose_no_addition_and_no_maximum)
{
	pthread_t threads[2];
	for (uintptr_t i = 0; i < 2; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, add_and_raise, (void *)(i * 1000000)),
			   0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(wan_load_relaxed(&counter), 40000);
	CHECK_EQ(wan_load_relaxed(&highest), 1019999);
}

TEST(changes_return_the_value_before)
{
	uint32_t expected = 7;
	wan_store_release(&word, 4);
	CHECK_EQ(wan_add_acq_rel(&word, 3), 4);
	CHECK_EQ(wan_or_relaxed(&word, 8), 7);
	CHECK(!wan_cas_acq_rel(&word, &expected, 1));
	CHECK_EQ(expected, 15);
	CHECK(wan_cas_acq_rel(&word, &expected, 1));
	CHECK_EQ(wan_swap_acq_rel(&word, 9), 1);
	CHECK_EQ(wan_sub_acq_rel(&word, 2), 9);
	CHECK_EQ(wan_load_acquire(&word), 7);
}

TEST(a_light_store_takes_values_of_any_width)
{
	uint8_t byte = 1;
	uint64_t *pointer = NULL;
	wan_store_light(&byte, 200);
	wan_store_light(&word, 70000);
	wan_store_light(&pointer, &counter);
	CHECK_EQ(wan_load_relaxed(&byte), 200);
	CHECK_EQ(wan_load_relaxed(&word), 70000);
	CHECK(wan_load_relaxed(&pointer) == &counter);
	wan_pause();
}

TEST(a_smaller_value_does_not_lower_a_maximum)
{
	uint64_t value = 10;
	wan_max_relaxed(&value, 9);
	CHECK_EQ(value, 10);
	wan_max_relaxed(&value, 11);
	CHECK_EQ(value, 11);
}

TAP_MAIN
