/* SPDX-License-Identifier: MIT */
#include "alloc.h"

#include <errno.h>
#include <stdint.h>

#include "fault.h"
#include "tap.h"

TEST(zero_bytes_give_a_block_of_their_own)
{
	void *a = wan_malloc(0), *b = wan_calloc(0, 8), *c = wan_realloc_array(NULL, 0, 8);
	CHECK(a && b && c && a != b && b != c);
	wan_free(a);
	wan_free(b);
	wan_free(c);
	wan_free(NULL);
}

TEST(a_product_that_overflows_is_refused)
{
	volatile size_t half = SIZE_MAX / 2 + 1;
	void *block = wan_malloc(8);
	CHECK(wan_calloc(half, 2) == NULL);
	CHECK(wan_calloc(half, 1) == NULL);
	CHECK(wan_malloc(half) == NULL);
	errno = 0;
	CHECK(wan_realloc_array(block, half, 16) == NULL);
	CHECK_EQ(errno, ENOMEM);
	wan_free(block);
}

TEST(calloc_gives_zeros_and_strdup_a_copy)
{
	static const char zeros[64];
	char *block = wan_calloc(8, 8), *text = wan_strdup("caf\xc3\xa9");
	REQUIRE(block && text);
	CHECK_MEM(block, zeros, 64);
	CHECK_STR(text, "caf\xc3\xa9");
	wan_free(block);
	wan_free(text);
}

TEST(a_growing_array_keeps_its_elements)
{
	uint32_t *array = NULL;
	size_t capacity = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		REQUIRE_EQ(wan_array_reserve(&array, &capacity, i + 1, sizeof(*array)), 0);
		REQUIRE(capacity > i);
		array[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		if (array[i] != i)
			CHECK_EQ(array[i], i);
	size_t before = capacity;
	CHECK_EQ(wan_array_reserve(&array, &capacity, SIZE_MAX / 2, sizeof(*array)), -ENOMEM);
	CHECK_EQ(capacity, before);
	CHECK_EQ(array[999], 999);
	wan_free(array);
}

static void grow(void *context)
{
	uint64_t *array = NULL;
	size_t capacity = 0;
	for (size_t want = 1; want < 100; want *= 3) {
		size_t before = capacity;
		int error = wan_array_reserve(&array, &capacity, want, sizeof(*array));
		CHECK(error == 0 || (error == -ENOMEM && capacity == before));
	}
	char *text = wan_strdup("name");
	CHECK(!text || strcmp(text, "name") == 0);
	wan_free(text);
	wan_free(wan_calloc(3, 5));
	wan_free(array);
}

TEST(every_allocation_may_fail)
{
	CHECK(wan_fault_sweep(grow, NULL) > 6);
}

TAP_MAIN
