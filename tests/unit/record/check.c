/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "tap.h"

TEST(every_flipped_bit_of_a_record_is_noticed)
{
	unsigned unnoticed = 0;
	for (unsigned pattern = 0; pattern < 200; pattern++) {
		uint64_t words[8];
		for (unsigned i = 0; i < 8; i++) /* few bits set, many bits set, mixed */
			words[i] = pattern < 2
					   ? pattern - 1ull
					   : (uint64_t)pattern * (i + 1) * 0x9e3779b97f4a7c15u >>
						     pattern % 60;
		uint32_t check = wan_record_check(words);
		for (unsigned bit = 0; bit < 512; bit++) {
			if (bit >= 32 && bit < 64)
				continue; /* the check itself */
			words[bit / 64] ^= 1ull << bit % 64;
			unnoticed += wan_record_check(words) == check;
			words[bit / 64] ^= 1ull << bit % 64;
		}
	}
	CHECK_EQ(unnoticed, 0);
}

TEST(words_in_another_order_have_another_check)
{
	uint64_t words[8] = {1, 2, 3, 4, 5, 6, 7, 8}, other[8];
	for (unsigned i = 1; i < 8; i++)
		for (unsigned k = 1; k < i; k++) {
			memcpy(other, words, sizeof(other));
			other[i] = words[k];
			other[k] = words[i];
			CHECK(wan_record_check(other) != wan_record_check(words));
		}
}

TEST(a_sum_depends_on_every_bit_and_on_the_length)
{
	uint64_t words[9] = {0};
	uint64_t sum = wan_record_sum(words, sizeof(words), 5);
	unsigned unnoticed = 0;
	for (unsigned bit = 0; bit < sizeof(words) * 8; bit++) {
		words[bit / 64] ^= 1ull << bit % 64;
		unnoticed += wan_record_sum32(wan_record_sum(words, sizeof(words), 5)) ==
			     wan_record_sum32(sum);
		words[bit / 64] ^= 1ull << bit % 64;
	}
	CHECK_EQ(unnoticed, 0);
	CHECK(wan_record_sum(words, 64, 5) != sum);
	CHECK(wan_record_sum(words, sizeof(words), 6) != sum);
}

TEST(a_fold_is_checked_as_far_as_it_is_used)
{
	static struct wan_record_fold fold;
	fold.generation = 3;
	fold.aggregate_count = 2;
	fold.slow_count = 1;
	fold.failed_count = 1;
	uint32_t check = wan_record_fold_check(&fold);
	fold.aggregates[2].count = 1;
	fold.slowest[1].seal = 1;
	CHECK_EQ(wan_record_fold_check(&fold), check);
	fold.aggregates[1].histogram[35] = 1;
	CHECK(wan_record_fold_check(&fold) != check);
	fold.aggregates[1].histogram[35] = 0;
	fold.failed[0].thread = 1;
	CHECK(wan_record_fold_check(&fold) != check);
	fold.failed[0].thread = 0;
	fold.folded_sequence = 1;
	CHECK(wan_record_fold_check(&fold) != check);
}

TAP_MAIN
