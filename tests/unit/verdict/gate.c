/* SPDX-License-Identifier: MIT */
/* The rules at their bounds, over measurements and values made by hand. */
#include "gate_verdict.h"

#include "alloc.h"
#include "tap.h"

static struct targets targets;
static struct gate_measurement tests[1000];
static size_t count;
static struct gate_report report;

static void begin(const char *lines)
{
	struct wan_error error = {0};
	count = 0;
	targets_finish(&targets);
	CHECK_EQ(targets_init(&targets), 0);
	if (!CHECK_EQ(targets_parse(&targets, "test", lines, strlen(lines), &error), 0))
		printf("# %s: %s\n", error.object, error.reason);
}

static void add(const char *name, size_t times, double ms, double memory_mb, bool ok)
{
	for (size_t i = 0; i < times; i++)
		tests[count++] = (struct gate_measurement){
			.name = name, .group = "job", .ms = ms, .memory_mb = memory_mb, .ok = ok};
}

static enum gate_exit judge_with(struct gate_input *input)
{
	gate_report_finish(&report);
	input->targets = &targets;
	input->measurements = tests;
	input->measurement_count = count;
	if (!CHECK_EQ(gate_judge(&report, input), 0))
		return GATE_FAILED;
	return report.verdict;
}

static enum gate_exit judge(void)
{
	static struct gate_input input;
	input = (struct gate_input){0};
	return judge_with(&input);
}

static bool says(const struct gate_texts *texts, const char *words)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strstr(texts->items[i], words))
			return true;
	for (size_t i = 0; i < texts->count; i++)
		printf("# said: %s\n", texts->items[i]);
	return false;
}

static void end(void)
{
	gate_report_finish(&report);
	targets_finish(&targets);
}

/* The one row about a figure of runs, of these facts and the shipped tiers. */
static struct gate_row row_about(enum target_metric metric, const struct run_facts *run)
{
	struct gate_row none = {NULL, 0, 0, 0, 0, NAN, NULL, GATE_MET};
	struct gate_facts facts;
	struct wan_error error = {0};
	begin("");
	CHECK_EQ(targets_load(&targets, "tiers", &error), 0);
	if (!CHECK_EQ(gate_facts_init(&facts, run, 1), 0))
		return none;
	struct gate_input input = {.values = facts.values, .value_count = facts.value_count};
	judge_with(&input);
	for (size_t i = 0; i < report.row_count; i++)
		if (report.rows[i].target->metric == metric)
			none = report.rows[i];
	none.target = NULL; /* goes with the list */
	end();
	gate_facts_finish(&facts);
	return none;
}

TEST(heat_and_use_are_judged_where_sensors_were_seen)
{
	struct run_facts run = {.machine = {.tier = "high-end", .cpus = 4, .vram_mb = NAN},
				.cpu_average_percent = 300,
				.sensors = {84.9, 83, 71, 84.9, NAN, NAN, 0, 0}};
	CHECK_EQ(row_about(TARGET_cpu_celsius, &run).met, 1);
	CHECK_EQ(row_about(TARGET_gpu_celsius, &run).above, 1);
	CHECK_EQ(row_about(TARGET_gpu_percent, &run).below, 1);
	CHECK_NEAR(row_about(TARGET_cpu_percent, &run).worst, 71, 0); /* of the machine */
	run.sensors = (struct run_sensors){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	for (int metric = TARGET_gpu_percent; metric <= TARGET_gpu_celsius; metric++) {
		struct gate_row row = row_about(metric, &run);
		CHECK(row.unknown == 1 && row.verdict == GATE_INCONCLUSIVE);
	}
	CHECK_NEAR(row_about(TARGET_cpu_percent, &run).worst, 75, 0); /* of the command */
}

TEST(operations_that_were_not_kept_count_as_their_kind_tells)
{
	static const char *const a = "a", *const b = "b";
	struct run_kind kinds[] = {{.name = b, .count = 9, .max_ms = 7, .peak_mb = NAN},
				   {.name = a, .count = 6, .failed = 2, .max_ms = 3, .peak_mb = 1}};
	struct run_operation operations[] = {{.name = a, .time_ms = 1, .status = 2},
					     {.name = a, .time_ms = 2, .start_ns = 9000000}};
	struct run_facts run = {.kinds = kinds,
				.kind_count = 2,
				.operations = operations,
				.operation_count = 2,
				.dropped_operations = 13};
	struct gate_facts facts;
	REQUIRE_EQ(gate_facts_init(&facts, &run, 1), 0);
	REQUIRE_EQ(facts.measurement_count, 5);
	const struct gate_measurement *rest = facts.measurements + 2;
	CHECK(rest[0].name == b && rest[0].count == 9 && rest[0].ok);
	CHECK(rest[1].name == a && rest[1].count == 3 && rest[1].ok);
	CHECK(rest[2].name == a && rest[2].count == 1 && !rest[2].ok);
	gate_facts_finish(&facts);
}

TEST(the_sample_of_the_requirements_passes)
{
	begin("");
	add("inference", 46, 900, 500, true);
	add("inference", 2, 2500, 500, true);
	add("inference", 2, 100, 500, false);
	CHECK_EQ(judge(), GATE_MET);
	CHECK_EQ(report.total_tests, 50);
	CHECK_NEAR(report.success_rate, 96.0, 1e-9);
	CHECK_NEAR(report.compliance_rate, 92.0, 1e-9);
	CHECK_EQ(report.operation_count, 1);
	CHECK_EQ(report.operations[0].complied, 46);
	CHECK_STR(report.groups[0].name, "job");
	end();
}

TEST(exactly_80_percent_of_success_pass_and_less_fails)
{
	begin("all * compliance_percent >= 0\n");
	add("a", 80, 1, 1, true);
	add("a", 20, 1, 1, false);
	CHECK_EQ(judge(), GATE_MET);
	tests[0].ok = false;
	CHECK_EQ(judge(), GATE_FAILED);
	CHECK(says(&report.reasons, "success rate 79.0 %"));
	end();
}

TEST(exactly_90_percent_of_compliance_pass_and_less_warns)
{
	begin("");
	add("a", 90, 1999, 1023, true);
	add("a", 10, 2000, 1, true);
	CHECK_EQ(judge(), GATE_MET);
	tests[0].memory_mb = 1024;
	CHECK_EQ(judge(), GATE_WARNING);
	CHECK(says(&report.reasons, "compliance 89.0 %"));
	end();
}

TEST(failure_goes_before_warning_and_warning_before_inconclusive)
{
	begin("");
	add("a", 50, 3000, 1, true);
	add("a", 50, NAN, NAN, true);
	CHECK_EQ(judge(), GATE_WARNING);
	for (size_t i = 0; i < 30; i++)
		tests[i].ok = false;
	CHECK_EQ(judge(), GATE_FAILED);
	end();
}

TEST(one_miss_of_a_hard_target_fails)
{
	begin("operation png.* time_ms < 300 hard\n");
	add("jpeg.decode", 500, 350, 1, true);
	add("png.decode", 400, 299, 1, true);
	CHECK_EQ(judge(), GATE_MET);
	add("png.encode", 1, 300, 1, true);
	CHECK_EQ(judge(), GATE_FAILED);
	CHECK(says(&report.reasons, "worst 300 ms of png.encode"));
	CHECK(says(&report.recommendations, "png.encode"));
	end();
}

TEST(a_target_by_name_is_not_drowned_by_the_others)
{
	begin("operation start time_ms < 300\n");
	add("frame", 990, 1, 1, true);
	add("start", 9, 1, 1, true);
	add("start", 1, 400, 1, true);
	CHECK_EQ(judge(), GATE_MET); /* 90 % of those it is for */
	tests[995].ms = 400;
	CHECK_EQ(judge(), GATE_WARNING);
	CHECK(report.compliance_rate > 99);
	end();
}

TEST(a_value_that_is_missing_is_never_a_pass)
{
	begin("");
	add("a", 100, 1, NAN, true);
	CHECK_EQ(judge(), GATE_INCONCLUSIVE);
	CHECK(says(&report.reasons, "not known of 100 of 100"));
	CHECK(says(&report.recommendations, "wanprof run"));
	end();
}

TEST(a_missing_value_that_cannot_change_the_verdict_does_not)
{
	begin("");
	add("a", 90, 1, 1, true);
	add("a", 10, NAN, 1, true);
	CHECK_EQ(judge(), GATE_MET);
	tests[0].ms = NAN;
	CHECK_EQ(judge(), GATE_INCONCLUSIVE);
	begin("operation * time_ms < 2000 hard\n");
	add("a", 99, 1, 1, true);
	add("a", 1, NAN, 1, true);
	CHECK_EQ(judge(), GATE_INCONCLUSIVE);
	end();
}

TEST(concurrent_and_batch_tests_have_limits_of_their_own)
{
	begin("");
	add("a", 20, 4999, 1023, true);
	for (size_t i = 0; i < count; i++)
		tests[i].concurrent = true;
	CHECK_EQ(judge(), GATE_MET);
	for (size_t i = 0; i < count; i++)
		tests[i].ms = 5000;
	CHECK_EQ(judge(), GATE_WARNING);
	for (size_t i = 0; i < count; i++) {
		tests[i].batch = true;
		tests[i].memory_mb = 4095;
	}
	CHECK_EQ(judge(), GATE_MET);
	for (size_t i = 0; i < count; i++)
		tests[i].memory_mb = 4096;
	CHECK_EQ(judge(), GATE_WARNING);
	end();
}

TEST(operations_known_by_their_maximum_alone_are_judged_by_it)
{
	begin("");
	add("a", 1, 1500, 10, true);
	tests[0].count = 1000;
	CHECK_EQ(judge(), GATE_MET);
	CHECK_EQ(report.total_tests, 1000);
	tests[0].ms = 2500; /* one of them; of the others nothing is known */
	CHECK_EQ(judge(), GATE_INCONCLUSIVE);
	end();
}

TEST(nothing_to_judge_is_inconclusive)
{
	begin("");
	CHECK_EQ(judge(), GATE_INCONCLUSIVE);
	CHECK(says(&report.reasons, "nothing to judge"));
	CHECK(isnan(report.success_rate));
	end();
}

TEST(a_damaged_file_is_no_pass)
{
	struct gate_input input = {.damaged = "half.wprof"};
	begin("");
	add("a", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	CHECK(says(&report.reasons, "half.wprof is damaged"));
	end();
}

TEST(values_of_runs_and_phases_have_verdicts_by_themselves)
{
	struct gate_value values[] = {
		{TARGET_RUN, TARGET_time_s, "job", 150, {{"budget", "job"}}},
		{TARGET_RUN, TARGET_cpu_percent, "job", 60, {{"budget", "job"}}},
		{TARGET_PHASE, TARGET_time_s, "model_loading", 30, {{"budget", "job"}}},
	};
	struct gate_input input = {.values = values, .value_count = 3};
	begin("run * time_s <= 150 hard\nphase model_* time_s <= 30\n");
	add("a", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_MET);
	begin("run * time_s < 150 hard\n");
	add("a", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_FAILED);
	begin("phase model_loading time_s < 30\n");
	add("a", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_WARNING);
	begin("run * cpu_percent 70..85\n");
	add("a", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_WARNING);
	CHECK(says(&report.reasons, "below"));
	values[1].value = NAN;
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	end();
}

TEST(a_target_of_which_nothing_was_recorded_is_inconclusive)
{
	struct gate_value value = {TARGET_RUN, TARGET_time_s, "job", 1, {{"budget", "job"}}};
	struct gate_input input = {.values = &value, .value_count = 1};
	begin("operation jpg.* time_ms < 300 hard\n");
	add("jpeg.decode", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	CHECK(says(&report.reasons, "nothing of that name was recorded"));
	begin("[group=other]\noperation jpg.* time_ms < 300 hard\nphase models time_s < 3\n");
	add("jpeg.decode", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_MET); /* of another job: not asked here */
	begin("[tier=high-end]\nrun * time_s < 3\n");
	add("jpeg.decode", 10, 1, 1, true);
	CHECK_EQ(judge_with(&input), GATE_MET);
	value.run.is[TARGET_FILTER_TIER] = NULL;
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	CHECK(says(&report.reasons, "targets for a tier"));
	end();
}

TEST(a_regression_fails_and_what_cannot_be_told_is_inconclusive)
{
	struct compare_row row = {.name = "jpeg.decode", .pairs = 20, .ratio = {1.05, 1.03, 1.07}};
	struct comparison comparison = {
		.rows = &row, .count = 1, .by_runs = true, .comparable = true, .limit_percent = 5};
	struct gate_input input = {.comparison = &comparison};
	begin("");
	add("a", 10, 1, 1, true);
	row.verdict = COMPARE_SLOWER;
	CHECK_EQ(judge_with(&input), GATE_FAILED);
	CHECK(says(&report.reasons, "jpeg.decode is 5.0 % slower than the baseline (3.0 to 7.0 %"));
	row.verdict = COMPARE_SAME;
	CHECK_EQ(judge_with(&input), GATE_MET);
	row.verdict = COMPARE_INCONCLUSIVE;
	row.wanted = 12;
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	CHECK(says(&report.recommendations, "record 12 more pairs"));
	row.verdict = COMPARE_TOO_FEW;
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	row.verdict = COMPARE_SLOWER;
	comparison.comparable = false;
	strcpy(comparison.reason, "the baseline is of another machine");
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	CHECK(says(&report.reasons, "another machine"));
	comparison.comparable = true;
	comparison.count = 0;
	CHECK_EQ(judge_with(&input), GATE_INCONCLUSIVE);
	end();
}

TAP_MAIN
