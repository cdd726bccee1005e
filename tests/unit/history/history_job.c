/* SPDX-License-Identifier: MIT */
/* The runs of the requirements (table.runs): what must come out is recomputed from them. */
#include "history_job.h"

#include <math.h>
#include <stdio.h>

#include "tap.h"

static struct history_runs runs;
static struct history_jobs jobs;

static const struct history_job *job(const char *name)
{
	for (size_t i = 0; i < jobs.count; i++)
		if (strcmp(jobs.items[i].name, name) == 0)
			return &jobs.items[i];
	return NULL;
}

static const struct history_run *run(const char *name, const char *label)
{
	for (size_t i = 0; i < runs.count; i++)
		if (strcmp(runs.items[i].job, name) == 0 && runs.items[i].label &&
		    strcmp(runs.items[i].label, label) == 0)
			return &runs.items[i];
	return NULL;
}

/* False: the test that calls fails. */
static bool load(void)
{
	static char text[65536];
	struct wan_error error = {0};
	if (jobs.count)
		return true;
	FILE *file = fopen(getenv("WAN_TEST_TABLE"), "re");
	if (!CHECK(file != NULL))
		return false;
	size_t bytes = fread(text, 1, sizeof(text), file);
	fclose(file);
	if (!CHECK_EQ(history_parse_list(&runs, "table.runs", text, bytes, &error), 0)) {
		printf("# %s: %s\n", error.object, error.reason);
		return false;
	}
	history_runs_sort(&runs);
	return CHECK_EQ(history_jobs_init(&jobs, &runs), 0);
}

TEST(means_are_those_of_the_completed_runs)
{
	static const struct {
		const char *name;
		size_t completed;
		double mean, median, low, high, deviation;
	} rows[] = {
		{"video_fast", 4, 241.475, 228.65, 211.3, 297.3, 38.1},
		{"video_high", 1, 359.7, 359.7, 359.7, 359.7, NAN},
		{"video7b_fast_enhanced", 3, 266.867, 268.4, 259.3, 272.9, 6.9},
		{"video7b_high_enhanced", 2, 370.0, 370.0, 361.2, 378.8, 12.4},
		{"image7b_fast_enhanced", 1, 233.5, 233.5, 233.5, 233.5, NAN},
		{"sdxl_image_fast", 2, 44.05, 44.05, 29.9, 58.2, 20.0},
		{"sdxl_image_high", 2, 41.75, 41.75, 41.1, 42.4, 0.92},
	};
	REQUIRE(load());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct history_job *one = job(rows[i].name);
		REQUIRE(one != NULL);
		CHECK_EQ(one->completed, rows[i].completed);
		CHECK_NEAR(one->total_s.mean, rows[i].mean, 0.001);
		CHECK_NEAR(one->total_s.median, rows[i].median, 1e-9);
		CHECK_NEAR(one->total_s.min, rows[i].low, 1e-9);
		CHECK_NEAR(one->total_s.max, rows[i].high, 1e-9);
		if (isnan(rows[i].deviation))
			CHECK(isnan(one->total_s.deviation));
		else
			CHECK_NEAR(one->total_s.deviation, rows[i].deviation, 0.05);
	}
}

TEST(an_unfinished_run_counts_neither_for_nor_against_success)
{
	REQUIRE(load());
	const struct history_job *fast = job("video_fast");
	CHECK_EQ(fast->runs, 5);
	CHECK_EQ(fast->unfinished, 1);
	CHECK_EQ(fast->failed, 0);
	CHECK_NEAR(fast->success_percent, 100, 0);
	CHECK_STR(fast->best->label, "#9");
	CHECK_STR(fast->worst->label, "#1");
}

TEST(phase_shares_are_recomputed_and_the_rest_is_named)
{
	struct history_breakdown one;
	REQUIRE(load());
	history_break_down(run("video_fast", "#1"), &one);
	REQUIRE_EQ(one.count, 3);
	CHECK_NEAR(one.phases[0].seconds, 130, 1e-9);
	CHECK_NEAR(one.phases[0].share, 43.7, 0.05);
	CHECK_NEAR(one.phases[1].share, 50.8, 0.05);
	CHECK_NEAR(one.phases[2].share, 1.3, 0.05);
	CHECK_NEAR(one.unattributed_s, 12.3, 1e-9);
	CHECK_EQ(one.flags, HISTORY_SHARES_WRONG);
	history_break_down(run("video7b_fast_enhanced", "second"), &one);
	CHECK_NEAR(one.unattributed_s, 26.5, 1e-9);
	history_break_down(run("video7b_fast_enhanced", "#4"), &one);
	CHECK_NEAR(one.unattributed_s, 0, 1e-9);
	CHECK_EQ(one.flags & HISTORY_SUM_EXCEEDS_TOTAL, 0);
}

TEST(phases_that_exceed_the_total_are_flagged)
{
	struct history_breakdown one;
	REQUIRE(load());
	history_break_down(run("video_fast", "#3"), &one);
	CHECK_NEAR(one.phases[0].seconds, 63, 1e-9);
	CHECK_NEAR(one.phases[0].share, 27.3, 0.05);
	CHECK_NEAR(one.phases[1].share, 65.9, 0.05);
	CHECK_NEAR(one.phases[2].share, 11.3, 0.05);
	CHECK_NEAR(one.unattributed_s, -10.4, 1e-9);
	CHECK(one.flags & HISTORY_SUM_EXCEEDS_TOTAL);
	history_break_down(run("video7b_fast_enhanced", "#10"), &one);
	CHECK_NEAR(one.phases[0].seconds, 112.3, 1e-9);
	CHECK_NEAR(one.unattributed_s, -50.4, 1e-9);
	CHECK_NEAR(one.told_sum, 119, 1e-9);
	CHECK(one.flags & HISTORY_SUM_EXCEEDS_TOTAL);
	CHECK(one.flags & HISTORY_SHARES_NOT_100);
	/* 0.3 s of 233.5: within what noting phases by hand is good for */
	for (size_t i = 0; i < runs.count; i++)
		if (strcmp(runs.items[i].job, "image7b_fast_enhanced") == 0)
			history_break_down(&runs.items[i], &one);
	CHECK_NEAR(one.unattributed_s, -0.3, 1e-9);
	CHECK_EQ(one.flags & HISTORY_SUM_EXCEEDS_TOTAL, 0);
}

TEST(time_stamps_beyond_the_total_are_flagged)
{
	struct history_breakdown one;
	REQUIRE(load());
	CHECK_NEAR(run("video_fast", "#3")->span_s, 293, 0);
	CHECK_NEAR(run("video_fast", "#9")->span_s, 420, 0);
	history_break_down(run("video_fast", "#9"), &one);
	CHECK(one.flags & HISTORY_STAMPS_BEYOND);
	CHECK_NEAR(one.unattributed_s, 11.1, 1e-9);
	history_break_down(run("video_fast", "#1"), &one);
	CHECK_EQ(one.flags & HISTORY_STAMPS_BEYOND, 0);
	CHECK_EQ(job("video_fast")->flagged, 3);
}

TEST(parts_that_exceed_their_phase_are_flagged)
{
	struct history_run one;
	struct history_breakdown found;
	history_run_init(&one);
	one.total_s = 100;
	REQUIRE_EQ(history_add_phase(&one, "generation", 50, 0), 0);
	REQUIRE_EQ(history_add_phase(&one, "generation/load", 20, 0), 0);
	REQUIRE_EQ(history_add_phase(&one, "generation/making", 31, 0), 0);
	history_break_down(&one, &found);
	CHECK_EQ(found.flags, HISTORY_PARTS_EXCEED_PHASE);
	CHECK_NEAR(found.sum_s, 50, 1e-9);
	history_run_finish(&one);
}

TEST(fixed_part_of_a_generation_is_what_is_no_step)
{
	static const struct {
		const char *job, *label;
		double generation, fixed;
	} rows[] = {
		{"video_fast", "#1", 151, 18.5},
		{"video_fast", "#3", 152, 19.75},
		{"video_fast", "#9", 137, 19.25},
	};
	REQUIRE(load());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct history_run *one = run(rows[i].job, rows[i].label);
		CHECK_NEAR(history_generation_s(one), rows[i].generation, 1e-9);
		CHECK_NEAR(history_fixed_s(one), rows[i].fixed, 1e-9);
	}
	const struct history_job *fast = job("video_fast");
	CHECK_NEAR(fast->step_s.mean, (5.3 + 5.29 + 4.71) / 3, 1e-9);
	CHECK_NEAR(fast->fixed_s.mean, (18.5 + 19.75 + 19.25) / 3, 1e-9);
	CHECK(isnan(fast->steps_fit.each)); /* 25 steps in each of its runs */
}

/* The six generations of the requirements, stamps used where they are given. */
TEST(time_is_a_fixed_part_and_steps)
{
	static const double steps[] = {25, 25, 25, 25, 25, 50};
	static const double seconds[] = {151, 152, 137, 152, 136, 290};
	static const char *const names[] = {"a", "a", "a", "b", "b", "c"};
	struct history_runs six = {0};
	struct history_jobs found;
	for (unsigned i = 0; i < 6; i++) {
		struct history_run one;
		history_run_init(&one);
		one.total_s = seconds[i];
		one.succeeded = 1;
		one.steps = (uint64_t)steps[i];
		REQUIRE_EQ(history_set_text(&one.job, names[i]), 0);
		REQUIRE_EQ(history_add_phase(&one, "making", seconds[i], 0), 0);
		REQUIRE_EQ(history_runs_add(&six, &one), 0);
	}
	REQUIRE_EQ(history_jobs_init(&found, &six), 0);
	CHECK_EQ(found.steps_fit_runs, 6);
	CHECK_NEAR(found.steps_fit.each, (290 - 145.6) / 25, 1e-9);
	CHECK_NEAR(found.steps_fit.fixed, 145.6 - 25 * (290 - 145.6) / 25, 1e-9);
	history_jobs_finish(&found);
	history_runs_finish(&six);
}

TEST(cold_and_warm_are_told_by_measured_load_time)
{
	static const double prompt[] = {30.4, 2.7, 50.1, 2.9, 2.5, 53.8};
	static const double video[] = {130, 63, 61};
	int cold[6];
	CHECK(history_split_cold(prompt, 6, cold));
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(cold[i], prompt[i] > 10);
	CHECK(history_split_cold(video, 3, cold));
	CHECK_EQ(cold[0], 1);
	CHECK_EQ(cold[1], 0);
	CHECK_EQ(cold[2], 0);
	CHECK(!history_split_cold((double[]){52, 53, 52}, 3, cold)); /* never warms: cannot tell */
	CHECK_EQ(cold[0], -1);
	CHECK(!history_split_cold((double[]){0.1, 0.001}, 2, cold)); /* too short to mean a model */
	CHECK(!history_split_cold(NULL, 0, cold));
	REQUIRE(load());
	const struct history_job *seven = job("video7b_fast_enhanced");
	CHECK_EQ(seven->cold, 2); /* the one that was called cached is cold by its load */
	CHECK_EQ(seven->warm, 1);
	CHECK_EQ(job("video_fast")->cold, 1);
	CHECK_NEAR(job("video_fast")->cold_load_s.mean, 130, 1e-9);
	CHECK_NEAR(job("video_fast")->warm_load_s.mean, 62, 1e-9);
}

TEST(what_was_read_tells_cold_where_nothing_says_it_loads)
{
	struct history_run items[3];
	const struct history_run *list[3] = {&items[0], &items[1], &items[2]};
	static const double read_mb[] = {4000, 1, NAN};
	int cold[3];
	for (unsigned i = 0; i < 3; i++) {
		history_run_init(&items[i]);
		items[i].read_mb = read_mb[i];
	}
	history_tell_cold(list, 3, cold);
	CHECK_EQ(cold[0], 1);
	CHECK_EQ(cold[1], 0);
	CHECK_EQ(cold[2], -1);
	items[0].read_mb = 20; /* little to read is nothing to load */
	history_tell_cold(list, 3, cold);
	CHECK_EQ(cold[0], -1);
}

TEST(an_upload_is_no_load)
{
	CHECK(history_phase_loads("load"));
	CHECK(history_phase_loads("model_loading"));
	CHECK(history_phase_loads("enhancement/load"));
	CHECK(!history_phase_loads("upload"));
	CHECK(!history_phase_loads("files/unload"));
	CHECK(!history_phase_loads("load/t5"));
	REQUIRE(load());
	CHECK_NEAR(history_load_s(run("video_fast", "#1")), 130, 1e-9);
	CHECK_NEAR(history_load_s(run("video7b_fast_enhanced", "#4")), 80.4, 1e-9);
}

TEST(time_is_given_per_item_of_a_batch)
{
	REQUIRE(load());
	CHECK_NEAR(job("sdxl_image_fast")->items, 6, 0);
	CHECK_NEAR(job("sdxl_image_fast")->item_s, (29.9 + 58.2) / 12, 1e-9);
	CHECK_NEAR(job("sdxl_image_high")->item_generation_s, (30.2 + 13.8) / 12, 1e-9);
	CHECK(isnan(job("video_fast")->items));
}

TEST(variance_stays_blank_without_an_estimate_of_the_same_thing)
{
	static const struct {
		const char *name;
		double percent;
	} rows[] = {
		{"video_fast", 79},
		{"video_high", 28},
		{"video7b_fast_enhanced", 38},
		{"video7b_high_enhanced", 26},
		{"image7b_fast_enhanced", 168},
	};
	REQUIRE(load());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_NEAR(job(rows[i].name)->variance_percent, rows[i].percent, 0.5);
	CHECK(isnan(job("sdxl_image_fast")->variance_percent));
}

TEST(one_best_run_is_no_trend)
{
	static const double falling[] = {100, 101, 99, 100, 90, 89, 88, 87};
	static const double noisy[] = {100, 120, 90, 115, 95, 110, 98, 85};
	static const double last_only[] = {100, 101, 99, 100, 101, 99, 100, 60};
	REQUIRE(load());
	CHECK(!job("video_fast")->trend.known);
	CHECK_EQ(job("video_fast")->trend.direction, 0);
	struct history_trend trend = history_trend(falling, 8);
	CHECK(trend.known);
	CHECK_EQ(trend.direction, -1);
	CHECK(trend.confidence >= 0.95);
	CHECK_NEAR(trend.percent, 100 * (88.0 / 100 - 1), 1e-9);
	CHECK_EQ(history_trend(noisy, 8).direction, 0);
	CHECK_EQ(history_trend(last_only, 8).direction, 0);
	CHECK(!history_trend(falling, HISTORY_TREND_RUNS - 1).known);
}

TEST(job_types_without_a_run_are_listed)
{
	REQUIRE(load());
	CHECK_EQ(jobs.types, 10);
	CHECK_EQ(jobs.types_with_runs, 7);
	REQUIRE_EQ(jobs.declared_count, 3);
	CHECK_STR(jobs.declared[0]->job, "image_fast");
	CHECK_NEAR(jobs.declared[2]->estimate_s, 104, 0);
}

TEST(runs_of_two_machines_are_two_groups)
{
	struct history_runs two = {0};
	struct history_jobs found;
	char reason[160];
	REQUIRE_EQ(history_parse_line(&two, "run a total=1 status=ok machine=x", reason, 160), 0);
	REQUIRE_EQ(history_parse_line(&two, "run a total=3 status=ok machine=y", reason, 160), 0);
	REQUIRE_EQ(history_parse_line(&two, "run a total=5 status=failed machine=y", reason, 160),
		   0);
	REQUIRE_EQ(history_jobs_init(&found, &two), 0);
	REQUIRE_EQ(found.count, 2);
	CHECK_EQ(found.types, 1);
	CHECK_STR(found.items[0].machine, "y");
	CHECK_EQ(found.items[0].completed, 1);
	CHECK_NEAR(found.items[0].success_percent, 50, 0);
	CHECK_NEAR(found.items[0].total_s.mean, 3, 0);
	history_jobs_finish(&found);
	history_runs_finish(&two);
}

TEST(no_runs_make_no_figures)
{
	struct history_runs none = {0};
	struct history_jobs found;
	REQUIRE_EQ(history_jobs_init(&found, &none), 0);
	CHECK_EQ(found.count, 0);
	CHECK(isnan(found.steps_fit.each));
	history_jobs_finish(&found);
}

TEST(what_was_lent_is_given_back)
{
	history_jobs_finish(&jobs);
	history_runs_finish(&runs);
	CHECK_EQ(jobs.count, 0);
}
TAP_MAIN
