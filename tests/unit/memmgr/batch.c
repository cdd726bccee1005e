/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "batch.h"
#include "fakes.h"
#include "state.h"

static struct wan_batch_rule rule_of(uint32_t minimum, uint32_t maximum)
{
	return (struct wan_batch_rule){.minimum = minimum, .maximum = maximum, .size = maximum};
}

static void clean(struct wan_batch_rule *rule, unsigned times)
{
	while (times--)
		wan_batch_rule_clean(rule, rule->size, true);
}

TEST(a_failure_halves_and_remembers_the_size)
{
	struct wan_batch_rule rule = rule_of(1, 100);
	wan_batch_rule_failed(&rule, 100);
	CHECK_EQ(rule.size, 50);
	CHECK_EQ(rule.failed, 100);
	for (int i = 0; i < 20; i++)
		wan_batch_rule_failed(&rule, rule.size);
	CHECK_EQ(rule.size, 1); /* never zero */
}

TEST(five_clean_batches_grow_by_a_tenth)
{
	struct wan_batch_rule rule = rule_of(1, 100);
	wan_batch_rule_scale(&rule, 0.5);
	CHECK_EQ(rule.size, 50);
	clean(&rule, 4);
	CHECK_EQ(rule.size, 50);
	clean(&rule, 1);
	CHECK_EQ(rule.size, 55);
	clean(&rule, 500);
	CHECK_EQ(rule.size, 100);
}

TEST(growth_approaches_a_failing_size_by_bisection)
{
	struct wan_batch_rule rule = rule_of(1, 128);
	uint32_t sizes = 0, last = 0, largest_of_six = 0;
	for (int i = 0; i < 60; i++) { /* 100 items fit, 101 do not */
		sizes += rule.size != last;
		last = rule.size;
		if (rule.size > 100) {
			wan_batch_rule_failed(&rule, rule.size);
			continue;
		}
		if (sizes <= 6)
			largest_of_six = WAN_MAX(largest_of_six, rule.size);
		wan_batch_rule_clean(&rule, rule.size, true);
	}
	CHECK(largest_of_six >= 90);
	CHECK_EQ(rule.size, 100);
	CHECK_EQ(rule.failed, 101);
}

/* The largest size that went well among the first six that were tried. */
static uint32_t best_of_six(uint32_t maximum, uint32_t fits)
{
	struct wan_batch_rule rule = rule_of(1, maximum);
	uint32_t tried[6], count = 0, best = 0;
	for (int i = 0; i < 200; i++) {
		uint32_t size = rule.size;
		bool known = false;
		for (uint32_t k = 0; k < count; k++)
			known = known || tried[k] == size;
		if (!known && count == 6)
			break;
		if (!known)
			tried[count++] = size;
		if (size > fits) {
			wan_batch_rule_failed(&rule, size);
			continue;
		}
		best = WAN_MAX(best, size);
		clean(&rule, WAN_BATCH_CLEAN_TO_GROW);
	}
	return best;
}

TEST(six_sizes_find_nine_tenths_of_the_largest_that_fits)
{
	uint32_t failures = 0, cases = 0;
	double worst = 1;
	for (uint32_t maximum = 4; maximum <= 256; maximum++)
		for (uint32_t fits = (maximum + 9) / 10; fits <= maximum; fits++) {
			uint32_t best = best_of_six(maximum, fits);
			bool quarter = fits * 4 >= maximum;
			cases += quarter;
			failures += quarter && best < fits * 9 / 10;
			worst = quarter ? worst : WAN_MIN(worst, (double)best / fits);
			CHECK(best <= fits);
		}
	printf("# %u cases; down to a tenth of the maximum at least %.0f %%\n", cases, worst * 100);
	CHECK_EQ(failures, 0);
	CHECK(worst >= 0.75);
}

TEST(a_failing_size_is_tried_again_after_a_long_calm)
{
	struct wan_batch_rule rule = rule_of(1, 10);
	wan_batch_rule_failed(&rule, 2);
	CHECK_EQ(rule.size, 1);
	clean(&rule, 20);
	CHECK_EQ(rule.size, 1);
	clean(&rule, 100);
	CHECK(rule.size > 2);
}

TEST(no_growth_while_memory_is_not_calm)
{
	struct wan_batch_rule rule = rule_of(1, 100);
	wan_batch_rule_scale(&rule, 0.5);
	for (int i = 0; i < 50; i++)
		wan_batch_rule_clean(&rule, 50, false);
	CHECK_EQ(rule.size, 50);
}

TEST(the_gpu_threshold_itself_is_not_too_much)
{
	struct wan_batch_rule rule = rule_of(1, 64);
	wan_batch_rule_gpu(&rule, 80, 80);
	CHECK_EQ(rule.size, 64);
	wan_batch_rule_gpu(&rule, 80.0001, 80);
	CHECK_EQ(rule.size, 32);
}

TEST(the_gpu_halves_once_until_something_was_tried)
{
	struct wan_batch_rule rule = rule_of(1, 64);
	for (int i = 0; i < 10; i++)
		wan_batch_rule_gpu(&rule, 90, 80);
	CHECK_EQ(rule.size, 32);
	wan_batch_rule_clean(&rule, 32, false);
	wan_batch_rule_gpu(&rule, 90, 80);
	CHECK_EQ(rule.size, 16);
}

TEST(sizes_stay_within_minimum_and_maximum)
{
	struct wan_batch_rule rule = rule_of(5, 9);
	wan_batch_rule_scale(&rule, 0);
	CHECK_EQ(rule.size, 5);
	wan_batch_rule_failed(&rule, 5);
	CHECK_EQ(rule.size, 5);
	rule.failed = 0;
	clean(&rule, 1000);
	CHECK_EQ(rule.size, 9);
	wan_batch_rule_scale(&rule, 4);
	CHECK_EQ(rule.size, 9);
}

static struct wan_batch *new_batch(struct wan_memory *memory, uint32_t maximum, bool on_gpu)
{
	struct wan_batch_options options;
	struct wan_batch *batch = NULL;
	wan_batch_options_init(&options);
	options.maximum = maximum;
	options.on_gpu = on_gpu;
	return wan_batch_create(memory, &options, &batch) == 0 ? batch : NULL;
}

TEST(gpu_at_81_percent_reduces_the_batch)
{
	fake_reset(10);
	fake.gpu = true;
	fake.gpu_total = 100;
	fake.gpu_used = 80;
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE(memory);
	struct wan_batch *gpu = new_batch(memory, 64, true), *host = new_batch(memory, 64, false);
	REQUIRE(gpu && host);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(gpu), 64);
	fake.gpu_used = 81;
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(gpu), 32);
	CHECK_EQ(wan_batch_next(host), 64);
	CHECK_STR(fake_last_action()->what, "batch");
	CHECK_STR(fake_last_action()->reason, "gpu at 81.0 % (limit 80 %)");
	CHECK_EQ(fake_last_action()->batch_before, 64);
	CHECK_EQ(fake_last_action()->batch_after, 32);
	/* Grown back only below 65 %. */
	fake.gpu_used = 70;
	wan_memory_tick(memory);
	for (int i = 0; i < 20; i++)
		wan_batch_report(gpu, wan_batch_next(gpu), false);
	CHECK_EQ(wan_batch_next(gpu), 32);
	fake.gpu_used = 50;
	wan_memory_tick(memory);
	for (int i = 0; i < 200; i++)
		wan_batch_report(gpu, wan_batch_next(gpu), false);
	CHECK_EQ(wan_batch_next(gpu), 64);
	wan_batch_destroy(gpu);
	wan_batch_destroy(host);
	wan_batch_destroy(NULL);
	wan_memory_destroy(memory);
}

struct items {
	uint64_t done_bytes, asked;
};

static uint64_t release_done(void *context, uint64_t want)
{
	struct items *items = context;
	uint64_t freed = WAN_MIN(items->done_bytes, want);
	items->asked = want;
	items->done_bytes -= freed;
	fake.available += freed;
	return freed;
}

TEST(a_batch_gives_memory_through_the_same_plan_as_caches)
{
	fake_reset(70);
	struct wan_memory *memory = fake_manager(NULL);
	struct items items = {.done_bytes = 30 * WAN_MIB};
	struct wan_batch_options options;
	struct wan_batch *batch;
	wan_batch_options_init(&options);
	options.maximum = 20;
	options.item_bytes = 10 * WAN_MIB;
	options.release = release_done;
	options.context = &items;
	REQUIRE_EQ(wan_batch_create(memory, &options, &batch), 0);
	/* The line is at 730 MB, 700 are used: 20 MB are missing, and are done. */
	CHECK_EQ(wan_memory_reserve(memory, 50 * WAN_MIB, NULL), 0);
	CHECK_EQ(items.asked, 20 * WAN_MIB);
	CHECK_EQ(wan_batch_next(batch), 20);
	/* 25 MB more are missing, 10 are done: the rest is two items less next time. */
	CHECK_EQ(wan_memory_reserve(memory, 25 * WAN_MIB, NULL),
		 0); /* of the rest, above the line */
	CHECK_EQ(items.done_bytes, 0);
	CHECK_EQ(wan_batch_next(batch), 18);
	CHECK_STR(fake_last_action()->what, "batch");
	CHECK_EQ(fake_last_action()->batch_before, 20);
	CHECK_EQ(fake_last_action()->batch_after, 18);
	wan_batch_destroy(batch);
	CHECK_EQ(wan_memory_reclaim(memory, WAN_MEMORY_NORMAL, 1, INT32_MAX), 0);
	wan_memory_destroy(memory);
}

TEST(options_of_an_older_program_are_taken)
{
	fake_reset(10);
	struct wan_memory *memory = fake_manager(NULL);
	struct wan_batch_options options;
	struct wan_batch *batch;
	wan_batch_options_init(&options);
	options.struct_size = offsetof(struct wan_batch_options, device);
	options.device = 77;
	options.maximum = 7;
	REQUIRE_EQ(wan_batch_create(memory, &options, &batch), 0);
	CHECK_EQ(wan_batch_next(batch), 7);
	wan_batch_destroy(batch);
	wan_memory_destroy(memory);
}

TEST(the_gpu_is_not_asked_until_a_batch_uses_it)
{
	fake_reset(10);
	fake.gpu = true;
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE(memory);
	struct wan_batch *host = new_batch(memory, 64, false);
	wan_memory_tick(memory);
	CHECK_EQ(fake.gpu_reads, 0);
	wan_batch_destroy(host);
	wan_memory_destroy(memory);
}

TEST(batches_follow_the_levels)
{
	fake_reset(76);
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE(memory);
	struct wan_batch *batch = new_batch(memory, 100, false);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(batch), 80);
	fake_host_percent(86);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(batch), 40);
	CHECK_EQ(fake_last_action()->batch_before, 80);
	CHECK_EQ(fake_last_action()->batch_after, 40);
	fake_host_percent(96);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(batch), 1);
	wan_batch_report(batch, 1, false);
	wan_batch_destroy(batch);
	wan_memory_destroy(memory);
}

TEST(impossible_batches_are_refused)
{
	fake_reset(10);
	struct wan_memory *memory = fake_manager(NULL);
	struct wan_batch_options options;
	struct wan_batch *batch = NULL;
	wan_batch_options_init(&options);
	options.minimum = 0;
	CHECK_EQ(wan_batch_create(memory, &options, &batch), -22);
	options.minimum = 101;
	CHECK_EQ(wan_batch_create(memory, &options, &batch), -22);
	CHECK(batch == NULL);
	CHECK_EQ(wan_batch_next(NULL), 0);
	wan_batch_report(NULL, 1, true);
	wan_memory_destroy(memory);
}

TAP_MAIN
