/* SPDX-License-Identifier: MIT */
/* Runs made by hand: what noise does to the verdict is measured in tests/bench/gate_power.c. */
#include "compare.h"

#include <errno.h>

#include "run_facts_build.h"
#include "tap.h"

enum { RUNS = 40 };
static struct run_facts base[RUNS], now[RUNS];
static struct comparison comparison;
static uint32_t state;

static double noise(double spread)
{
	state = state * 1664525 + 1013904223;
	return 1 + spread * ((double)(state >> 8) / (1 << 24) - 0.5);
}

struct shape {
	double factor; /* of all times */
	double png;    /* of those of PNG besides */
	double spread;
	uint32_t width_px;
	uint64_t start_ns;
	bool no_operations;
	double png_mb, rss_mb; /* 0: not known */
};

static void add(struct facts_build *build, const char *name, double ms, uint32_t width_px,
		double peak_mb)
{
	facts_add_operation(build,
			    &(struct run_operation){.name = name,
						    .library = "lib",
						    .start_ns = build->facts.total_operations,
						    .time_ms = ms,
						    .peak_mb = peak_mb > 0 ? peak_mb : NAN,
						    .width_px = width_px,
						    .height_px = 100});
	build->facts.total_operations++;
}

static void make(struct run_facts *run, const struct shape *shape)
{
	struct facts_build build;
	REQUIRE_EQ(facts_build_begin(&build), 0);
	for (int i = 0; i < 9 && !shape->no_operations; i++) {
		add(&build, "jpeg.decode", 10 * shape->factor * noise(shape->spread),
		    shape->width_px, 0);
		add(&build, "png.decode", 5 * shape->factor * shape->png * noise(shape->spread),
		    shape->width_px, shape->png_mb);
		add(&build, "tiny", 0.01, shape->width_px, 0);
	}
	facts_add_row(&build, &(struct facts_row){.name = "jpeg.decode",
						  .library = "lib",
						  .count = 9,
						  .total_ms = 90 * shape->factor,
						  .max_ms = 10});
	build.facts.started_realtime_ns = shape->start_ns;
	build.facts.machine.cpu_model = facts_text(&build, "cpu");
	build.facts.machine.tier = facts_text(&build, "budget");
	build.facts.machine.memory_mb = 16000;
	build.facts.machine.cpus = 2;
	if (shape->rss_mb > 0)
		build.facts.rss_peak_mb = shape->rss_mb;
	CHECK_EQ(facts_build_end(&build, run), 0);
}

static void make_pairs(size_t pairs, double factor, double png, double spread, bool interleaved)
{
	state = 1;
	for (size_t i = 0; i < pairs; i++) {
		uint64_t first = interleaved ? 10 + 2 * i : 10 + i;
		uint64_t second = interleaved ? 11 + 2 * i : 1000 + i;
		make(&base[i], &(struct shape){1, 1, spread, 100, first, false, 0, 0});
		make(&now[i], &(struct shape){factor, png, spread, 100, second, false, 0, 0});
	}
}

static void finish(size_t pairs)
{
	for (size_t i = 0; i < pairs; i++) {
		run_facts_finish(&base[i]);
		run_facts_finish(&now[i]);
	}
	compare_finish(&comparison);
}

static void compare(size_t pairs)
{
	compare_finish(&comparison);
	CHECK_EQ(compare_runs(&comparison, base, pairs, now, pairs, 0), 0);
}

TEST(a_slow_down_of_five_percent_is_found_in_every_kind_that_has_it)
{
	make_pairs(12, 1.05, 1, 0.02, true);
	compare(12);
	CHECK(comparison.by_runs && comparison.interleaved && comparison.comparable);
	REQUIRE_EQ(comparison.count, 3);
	CHECK(!comparison.rows[0].name);
	CHECK_STR(comparison.rows[1].name, "jpeg.decode");
	CHECK_STR(comparison.rows[2].name, "png.decode"); /* "tiny" is not worth a row */
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(comparison.rows[i].verdict, COMPARE_SLOWER);
		CHECK_NEAR(comparison.rows[i].ratio.estimate, 1.05, 0.01);
		CHECK_EQ(comparison.rows[i].pairs, 12);
		CHECK_EQ(comparison.rows[i].wanted, 0);
	}
	CHECK_NEAR(comparison.rows[1].base_ms, 10, 0.2);
	CHECK_NEAR(comparison.rows[1].now_ms, 10.5, 0.2);
	finish(12);
}

TEST(the_same_code_is_the_same)
{
	make_pairs(12, 1, 1, 0.02, true);
	compare(12);
	for (size_t i = 0; i < comparison.count; i++)
		CHECK_EQ(comparison.rows[i].verdict, COMPARE_SAME);
	finish(12);
}

TEST(one_kind_that_got_slower_is_told_from_the_others)
{
	make_pairs(12, 1, 1.2, 0.02, true);
	compare(12);
	REQUIRE_EQ(comparison.count, 3);
	CHECK_EQ(comparison.rows[0].verdict, COMPARE_SLOWER); /* 20 % of a third */
	CHECK_EQ(comparison.rows[1].verdict, COMPARE_SAME);
	CHECK_EQ(comparison.rows[2].verdict, COMPARE_SLOWER);
	finish(12);
}

TEST(what_got_faster_is_no_regression)
{
	make_pairs(12, 0.9, 1, 0.02, true);
	compare(12);
	CHECK_EQ(comparison.rows[0].verdict, COMPARE_FASTER);
	finish(12);
}

TEST(a_proven_but_small_slow_down_passes)
{
	make_pairs(20, 1.01, 1, 0.005, true);
	compare(20);
	CHECK(comparison.rows[0].ratio.low > 1);
	CHECK_EQ(comparison.rows[0].verdict, COMPARE_SAME);
	finish(20);
}

TEST(too_few_pairs_say_how_many_more)
{
	make_pairs(5, 1.5, 1, 0.02, true);
	compare(5);
	CHECK_EQ(comparison.rows[0].verdict, COMPARE_TOO_FEW);
	CHECK_EQ(comparison.rows[0].wanted, 3);
	finish(5);
}

TEST(noise_is_inconclusive_and_asks_for_more_pairs)
{
	make_pairs(10, 1.02, 1, 1.0, true);
	compare(10);
	CHECK_EQ(comparison.rows[1].verdict, COMPARE_INCONCLUSIVE);
	CHECK(comparison.rows[1].wanted > 10);
	finish(10);
}

TEST(runs_that_were_not_interleaved_must_differ_by_more_than_the_machine_may)
{
	make_pairs(12, 1.05, 1, 0.01, false);
	compare(12);
	CHECK(!comparison.interleaved);
	CHECK_EQ(comparison.rows[1].verdict, COMPARE_INCONCLUSIVE);
	finish(12);
	make_pairs(12, 1.12, 1, 0.01, false);
	compare(12);
	CHECK_EQ(comparison.rows[1].verdict, COMPARE_SLOWER);
	finish(12);
}

TEST(one_run_of_each_side_pairs_operations)
{
	make_pairs(1, 1.3, 1, 0.05, true);
	compare(1);
	CHECK(!comparison.by_runs);
	CHECK_EQ(comparison.rows[1].pairs, 9);
	CHECK_EQ(comparison.rows[1].verdict, COMPARE_SLOWER);
	finish(1);
	make_pairs(1, 1.03, 1, 0.01, true);
	compare(1);
	CHECK_EQ(comparison.rows[1].verdict, COMPARE_SAME); /* 5 % is excluded */
	finish(1);
}

TEST(only_operations_of_one_size_are_compared)
{
	make(&base[0], &(struct shape){1, 1, 0, 100, 1, false, 0, 0});
	make(&now[0], &(struct shape){9, 1, 0, 200, 2, false, 0, 0});
	compare(1);
	CHECK_EQ(comparison.count, 0);
	CHECK(comparison.unmatched > 0);
	finish(1);
}

TEST(runs_without_single_operations_are_compared_by_their_means)
{
	for (size_t i = 0; i < 10; i++) {
		make(&base[i], &(struct shape){1, 1, 0, 100, 2 * i + 1, true, 0, 0});
		make(&now[i], &(struct shape){1.1, 1, 0, 100, 2 * i + 2, true, 0, 0});
	}
	compare(10);
	REQUIRE_EQ(comparison.count, 1);
	CHECK_STR(comparison.rows[0].name, "jpeg.decode");
	CHECK_EQ(comparison.rows[0].verdict, COMPARE_SLOWER);
	finish(10);
}

TEST(a_baseline_of_another_machine_is_said_to_be_one)
{
	make_pairs(10, 1.5, 1, 0.01, true);
	now[3].machine.tier = "high-end";
	compare(10);
	CHECK(!comparison.comparable);
	CHECK_STR(comparison.reason, "the baseline is of another hardware tier (budget, now "
				     "high-end)");
	now[3].machine.tier = NULL; /* not known: no sign of another */
	compare(10);
	CHECK(comparison.comparable);
	now[3].machine.cpu_model = "other\x1b[2J";
	compare(10);
	CHECK_STR(comparison.reason, "the baseline is of another machine (cpu, now other\\x1b[2J)");
	now[3].machine.cpu_model = "cpu";
	now[3].machine.memory_mb = 14000;
	compare(10);
	CHECK(!comparison.comparable);
	now[3].machine.memory_mb = NAN;
	base[0].cold = 1;
	now[0].cold = 0;
	compare(10);
	CHECK_STR(comparison.reason, "the baseline is of another start (cold, now warm)");
	finish(10);
}

TEST(a_side_without_runs_is_refused)
{
	CHECK_EQ(compare_runs(&comparison, base, 0, now, 1, 0), -EINVAL);
}

/* Of png.decode and of the run; spread: noise of the run's peak. */
static void compare_memory_of(size_t pairs, double png, double rss, double spread)
{
	state = 1;
	finish(RUNS);
	for (size_t i = 0; i < pairs; i++) {
		make(&base[i], &(struct shape){.factor = 1,
					       .png = 1,
					       .spread = 0.01,
					       .width_px = 100,
					       .start_ns = 10 + 2 * i,
					       .png_mb = 8,
					       .rss_mb = 200 * noise(spread)});
		make(&now[i], &(struct shape){.factor = 1,
					      .png = 1,
					      .spread = 0.01,
					      .width_px = 100,
					      .start_ns = 11 + 2 * i,
					      .png_mb = 8 * png,
					      .rss_mb = 200 * rss * noise(spread)});
	}
	compare(pairs);
	REQUIRE_EQ(comparison.count, 3);
}

static const struct compare_row *row_named(const char *name)
{
	for (size_t i = 0; i < comparison.count; i++)
		if (name ? comparison.rows[i].name && strcmp(comparison.rows[i].name, name) == 0
			 : !comparison.rows[i].name)
			return &comparison.rows[i];
	return NULL;
}

TEST(memory_that_grew_is_proven_as_a_slow_down_is)
{
	compare_memory_of(12, 1, 1, 0.1);
	CHECK_EQ(row_named("png.decode")->mb_verdict, COMPARE_SAME);
	CHECK_EQ(row_named(NULL)->mb_verdict, COMPARE_SAME);
	CHECK(isnan(row_named("jpeg.decode")->base_mb));
	CHECK_EQ(row_named("jpeg.decode")->mb_verdict, COMPARE_TOO_FEW);
	compare_memory_of(12, 1.11, 1.2, 0.1);
	CHECK_EQ(row_named("png.decode")->mb_verdict, COMPARE_SLOWER);
	CHECK_NEAR(row_named("png.decode")->now_mb, 8.88, 1e-9);
	CHECK_EQ(row_named(NULL)->mb_verdict, COMPARE_SLOWER);
	CHECK_EQ(row_named(NULL)->verdict, COMPARE_SAME); /* it is no slower */
	compare_memory_of(12, 1.04, 0.5, 0.1);
	CHECK_EQ(row_named("png.decode")->mb_verdict,
		 COMPARE_SAME); /* grown, by nothing that counts */
	CHECK_EQ(row_named(NULL)->mb_verdict, COMPARE_FASTER);
	finish(RUNS);
}

TEST(few_pairs_show_only_large_growth_of_operations)
{
	compare_memory_of(2, 1.19, 2, 0);
	CHECK_EQ(row_named("png.decode")->mb_verdict, COMPARE_TOO_FEW);
	CHECK_EQ(row_named(NULL)->mb_verdict, COMPARE_TOO_FEW);
	compare_memory_of(1, 1.2, 2, 0);
	CHECK_EQ(row_named("png.decode")->mb_verdict, COMPARE_SLOWER);
	CHECK_EQ(row_named(NULL)->mb_verdict, COMPARE_TOO_FEW);
	finish(RUNS);
}
TAP_MAIN
