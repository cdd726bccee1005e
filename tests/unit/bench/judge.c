/* SPDX-License-Identifier: MIT */
/* Lines become results, results a verdict, rows a table with advice. */
#include <signal.h>

#include "bench_judge.h"
#include "mode.h"
#include "report.h"
#include "tap.h"
#include "targets.h"

static struct bench_report report;
static struct bench_said said;

static void begin(const struct bench_case *of)
{
	static struct machine machine = {.logical = 4, .memory_bytes = 16 * MACHINE_GIB};
	memset(&report, 0, sizeof(report));
	report.machine = machine;
	report.complete = true;
	said = (struct bench_said){.of = of, .report = &report};
}

static void line(const char *text)
{
	char copy[1024];
	snprintf(copy, sizeof(copy), "%s", text);
	bench_take_line(&said, copy);
}

static struct bench_summary summary(void)
{
	struct bench_summary result;
	CHECK(bench_summarise(&report, &result) == 0);
	return result;
}

static void add(unsigned count, enum bench_status status, double ms)
{
	for (unsigned i = 0; i < count; i++)
		report.tests[report.test_count++] = (struct bench_test){
			.group = BENCH_GROUP_SIZE, .status = status, .ms = ms, .most_ms = ms};
}

static const struct bench_case picture = {.group = BENCH_GROUP_SIZE,
					  .name = "64x64 simple png",
					  .size = {64, 64},
					  .content = "simple",
					  .format = "png"};

/* --- lines --- */

TEST(a_test_line_becomes_a_test_of_its_case)
{
	begin(&picture);
	line("source\t64x64:simple:png:0\t512");
	line("test\tdecode\t1\t1500000\t2000000\t1000\t1250000\t1048576\t5\t");
	bench_take_end(&said, &(struct session_end){0});
	REQUIRE(report.test_count == 1);
	const struct bench_test *test = &report.tests[0];
	CHECK_STR(test->name, "decode 64x64 simple png");
	CHECK(test->ms == 1.5 && test->most_ms == 2 && test->cached_ms == 0.001);
	CHECK(test->cpu_ms == 1.25);
	CHECK(test->memory_mb == 1 && test->times == 5 && test->status == BENCH_PASSED);
	CHECK(bench_bits_per_pixel(&report, "simple", "png") == 1);
	CHECK(bench_bits_per_pixel(&report, "simple", "jpeg") == 0);
}

TEST(lines_that_are_cut_or_foreign_are_passed_over)
{
	static const char *const foreign[] = {
		"",
		"\t\t\t",
		"test",
		"test\tdecode\t1",
		"at\tx\ty",
		"sample\t",
		"frames\t1\t2",
		"stress\t\t\t\t",
		"source\tnonsense\t5",
		"a\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\tr\ts"};
	begin(&picture);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		line(foreign[i]);
	CHECK_EQ(report.test_count, 0);
	CHECK_EQ(report.source_count, 0);
	bench_take_end(&said, &(struct session_end){0});
	REQUIRE(report.test_count == 1);
	CHECK(report.tests[0].status == BENCH_FAILED);
	CHECK(strstr(report.tests[0].reason, "nothing") != NULL);
}

TEST(a_process_that_is_killed_or_late_fails_its_case_with_the_reason)
{
	begin(&picture);
	bench_take_end(&said, &(struct session_end){.signal = SIGKILL});
	bench_take_end(&said, &(struct session_end){.timed_out = true, .signal = SIGKILL});
	bench_take_end(&said, &(struct session_end){.status = 66, .said = "no such picture"});
	REQUIRE(report.test_count == 3);
	CHECK(strstr(report.tests[0].reason, "signal 9") != NULL);
	CHECK(strstr(report.tests[1].reason, "did not end") != NULL);
	CHECK(strstr(report.tests[2].reason, "no such picture") != NULL);
	for (int i = 0; i < 3; i++)
		CHECK(report.tests[i].status == BENCH_FAILED);
}

TEST(a_case_that_must_be_ended_fails_when_it_ends_by_itself)
{
	const struct bench_case hang = {.group = BENCH_GROUP_ERRORS, .must_time_out = true};
	begin(&hang);
	bench_take_end(&said, &(struct session_end){.timed_out = true, .signal = SIGKILL});
	bench_take_end(&said, &(struct session_end){0});
	CHECK(report.tests[0].status == BENCH_PASSED);
	CHECK(report.tests[1].status == BENCH_FAILED);
}

TEST(what_was_interrupted_is_no_test)
{
	begin(&picture);
	bench_take_end(&said, &(struct session_end){.interrupted = true, .signal = SIGKILL});
	CHECK_EQ(report.test_count, 0);
}

/* --- leaks --- */

static const struct bench_case leak = {.group = BENCH_GROUP_LEAK, .name = "50 repeats"};

static void repeat(unsigned long long each)
{
	char text[64];
	begin(&leak);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "sample\t%llu", 5000000 + i * each + i % 3 * 100);
		line(text);
	}
	line("test\trepeats\t1\t1000\t0\t0\t900\t1000\t50\t");
	bench_take_end(&said, &(struct session_end){0});
}

TEST(a_megabyte_each_repeat_is_a_leak_and_fails_the_benchmark)
{
	repeat(1 << 20);
	CHECK(report.leak_known && report.leak.verdict == WAN_LEAK_FOUND);
	CHECK(report.tests[0].status == BENCH_FAILED);
	CHECK_EQ(summary().exit_status, 1);
	struct bench_advice advice[BENCH_ADVICE_MAX];
	REQUIRE(bench_advise(&report, advice) == 1);
	CHECK_STR(advice[0].id, "leak");
}

TEST(memory_that_stays_is_no_leak)
{
	repeat(0);
	CHECK(report.leak_known && report.leak.verdict == WAN_LEAK_NONE);
	CHECK(report.tests[0].status == BENCH_PASSED);
	CHECK_EQ(summary().exit_status, 0);
}

/* --- stress --- */

static const struct bench_case calm = {.group = BENCH_GROUP_STRESS, .name = "undisturbed"};
static const struct bench_case pressed = {
	.group = BENCH_GROUP_STRESS,
	.name = "memory at 95 %",
	.injection = {.memory_percent = 95, .memory_limit_mb = 512}};

TEST(a_disturbance_is_told_with_its_share_of_the_undisturbed_rate)
{
	begin(&calm);
	line("stress\t1000\t0\t0\t0\t0\t350\thost\t0\t100663296\t100663296\t0\t1000000000\t");
	bench_take_end(&said, &(struct session_end){0});
	said.of = &pressed;
	said.told = false;
	line("stress\t250\t3\t0\t0\t3\t9740\tcgroup /a\t4\t100663296\t33554432\t508559360\t"
	     "1000000000\t");
	bench_take_end(&said, &(struct session_end){0});
	REQUIRE(report.stress_count == 2);
	const struct bench_stress *stress = &report.stress[1];
	CHECK(stress->status == BENCH_PASSED && stress->survived && stress->right);
	CHECK(stress->share == 0.25 && stress->percent == 97.4 && stress->level == 3);
	CHECK(stress->cache_least_mb == 32 && stress->actions == 4 && stress->refused == 3);
	CHECK(strstr(stress->injected, "95 % of a memory cgroup") != NULL);
	CHECK_EQ(summary().exit_status, 0);
}

TEST(wrong_pixels_or_a_death_under_stress_fail_whatever_else_passes)
{
	begin(&calm);
	add(50, BENCH_PASSED, 1);
	line("stress\t1000\t0\t1\t0\t0\t350\thost\t0\t0\t0\t0\t1000000000\t");
	bench_take_end(&said, &(struct session_end){0});
	CHECK(report.stress[0].status == BENCH_FAILED && !report.stress[0].right);
	CHECK_EQ(summary().exit_status, 1);
	begin(&pressed);
	add(50, BENCH_PASSED, 1);
	bench_take_end(&said, &(struct session_end){.signal = SIGKILL});
	CHECK(report.stress[0].status == BENCH_FAILED && !report.stress[0].survived);
	CHECK_EQ(summary().exit_status, 1);
}

TEST(what_cannot_be_injected_is_inconclusive_and_never_a_pass)
{
	begin(&pressed);
	bench_take_end(&said, &(struct session_end){.status = SESSION_NOT_INJECTED,
						    .said = "this user may not mount"});
	CHECK(report.stress[0].status == BENCH_INCONCLUSIVE);
	CHECK(strstr(report.stress[0].reason, "may not mount") != NULL);
	CHECK_EQ(summary().exit_status, 3);
	begin(&pressed); /* the level was not reached: nothing was measured */
	line("stress\t0\t0\t0\t0\t0\t350\thost\t0\t0\t0\t0\t0\tthe level was not reached");
	bench_take_end(&said, &(struct session_end){0});
	CHECK(report.stress[0].status == BENCH_INCONCLUSIVE);
	CHECK_EQ(summary().inconclusive, 1);
	CHECK_EQ(summary().passed, 0);
}

/* --- the verdict --- */

TEST(the_rates_are_those_of_the_gate)
{
	begin(&picture);
	add(48, BENCH_PASSED, 10);
	add(2, BENCH_FAILED, 0);
	CHECK(summary().success_rate == 96);
	CHECK(summary().compliance_rate == 96);
	CHECK_EQ(summary().exit_status, 0);
	add(10, BENCH_FAILED, 0); /* 80 %, which is enough; but so much complies only */
	CHECK(summary().success_rate == 80);
	CHECK_EQ(summary().exit_status, 2);
	add(1, BENCH_FAILED, 0);
	CHECK_EQ(summary().exit_status, 1);
	CHECK(summary().reason_count >= 1);
}

TEST(many_at_once_are_held_against_their_longest_and_another_target)
{
	begin(&picture);
	add(4, BENCH_PASSED, 10);
	for (int i = 0; i < 4; i++) {
		report.tests[i].threads = 4;
		report.tests[i].most_ms = 4999;
	}
	CHECK_EQ(summary().exit_status, 0);
	report.tests[0].most_ms = 5001;
	CHECK_EQ(summary().exit_status, 2);
	report.tests[0].threads = 1; /* alone: 2000 ms, of its median */
	CHECK_EQ(summary().exit_status, 0);
	report.tests[0].ms = 2001;
	CHECK_EQ(summary().exit_status, 2);
}

TEST(memory_has_a_target_for_an_image_and_one_for_a_batch)
{
	begin(&picture);
	add(3, BENCH_PASSED, 10);
	report.tests[0].memory_mb = 1023;
	report.tests[1].memory_mb = 4095;
	report.tests[1].images = 8;
	report.tests[1].ms = 60000; /* a batch has no time of its own */
	CHECK_EQ(summary().exit_status, 0);
	report.tests[0].memory_mb = 1025;
	CHECK_EQ(summary().exit_status, 2);
}

TEST(the_targets_that_are_shown_are_those_of_the_gate)
{
	static const struct {
		enum target_subject subject;
		enum target_metric metric;
		double limit;
	} shown[] = {{TARGET_OPERATION, TARGET_time_ms, BENCH_REAL_TIME_MS},
		     {TARGET_CONCURRENT, TARGET_time_ms, BENCH_CONCURRENT_MS},
		     {TARGET_OPERATION, TARGET_memory_mb, BENCH_MEMORY_MB},
		     {TARGET_BATCH, TARGET_memory_mb, BENCH_BATCH_MEMORY_MB},
		     {TARGET_ALL, TARGET_success_percent, BENCH_SUCCESS_RATE},
		     {TARGET_ALL, TARGET_compliance_percent, BENCH_COMPLIANCE_RATE}};
	struct targets targets;
	REQUIRE(targets_init(&targets) == 0);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const struct target *target =
			targets_find(&targets, shown[i].subject, shown[i].metric, "x", NULL, NULL);
		REQUIRE(target != NULL);
		CHECK(target->high == shown[i].limit || target->low == shown[i].limit);
	}
	targets_finish(&targets);
}

TEST(an_empty_or_cut_off_benchmark_is_inconclusive)
{
	begin(&picture);
	CHECK_EQ(summary().exit_status, 3);
	add(5, BENCH_PASSED, 10);
	CHECK_EQ(summary().exit_status, 0);
	report.complete = false;
	CHECK_EQ(summary().exit_status, 3);
}

/* --- the matrix: rows measured for the requirements --- */

#define ROW(name_, mode_, seconds_, fps_, gb_)                                                     \
	{                                                                                          \
		.config = {.name = name_, .filter = "lanczos"}, .mode = mode_, .success = true,    \
		.seconds = seconds_, .fps = fps_, .frames = 120, .memory_mb = (gb_)*1024           \
	}

static const struct bench_row high_end[] = {ROW("CPU", "cpu_only", 45.3, 2.6, 1.8),
					    ROW("GPU + parallel", "gpu_parallel", 8.2, 14.6, 4.2),
					    ROW("CPU + parallel", "cpu_parallel", 28.5, 4.2, 2.1),
					    ROW("GPU", "gpu_only", 12.1, 9.9, 3.8)};
static const struct bench_row mid_range[] = {ROW("GPU", "gpu_only", 22.4, 5.4, 2.8),
					     ROW("CPU", "cpu_only", 78.6, 1.5, 1.6),
					     ROW("GPU + parallel", "gpu_parallel", 15.8, 7.6, 3.1),
					     ROW("CPU + parallel", "cpu_parallel", 52.1, 2.3, 1.9)};
static const struct bench_row budget[] = {ROW("CPU + parallel", "cpu_parallel", 95.4, 1.3, 1.4),
					  ROW("CPU", "cpu_only", 142.7, 0.8, 1.2),
					  ROW("GPU + parallel", "gpu_parallel", 38.2, 3.1, 2.4)};

static void check_order(const struct bench_row *measured, size_t count, const char *const *names)
{
	struct bench_row rows[4];
	memcpy(rows, measured, count * sizeof(rows[0]));
	bench_sort_rows(rows, count);
	for (size_t i = 0; i < count; i++) {
		CHECK_STR(rows[i].config.name, names[i]);
		CHECK(fabs((double)rows[i].frames / rows[i].seconds - rows[i].fps) < 0.06);
	}
	CHECK_STR(bench_best_row(rows, count)->mode, "gpu_parallel");
}

TEST(measured_machines_are_listed_by_falling_fps)
{
	static const char *const order[] = {"GPU + parallel", "GPU", "CPU + parallel", "CPU"};
	static const char *const without_gpu_row[] = {"GPU + parallel", "CPU + parallel", "CPU"};
	check_order(high_end, 4, order);
	check_order(mid_range, 4, order);
	check_order(budget, 3, without_gpu_row);
}

static size_t advise(const struct bench_row *measured, double ram_gb, struct bench_advice *advice)
{
	struct bench_row rows[1] = {*measured};
	return bench_matrix_advice(rows, 1, ram_gb, advice);
}

TEST(advice_follows_memory_mode_and_fps_and_their_bounds_give_none)
{
	struct bench_advice advice[BENCH_ADVICE_MAX];
	struct bench_row row = ROW("x", "gpu_parallel", 60, 2.0, 1);
	CHECK_EQ(advise(&row, 8.0, advice), 0);
	CHECK_EQ(advise(&row, 0, advice), 0); /* not known */
	REQUIRE(advise(&row, 7.9, advice) == 1);
	CHECK_STR(advice[0].id, "little_memory");
	CHECK(strstr(advice[0].text, "7.9 GB") && strstr(advice[0].text, "16 GB"));
	row.fps = 1.9;
	REQUIRE(advise(&row, 16, advice) == 1);
	CHECK_STR(advice[0].id, "low_fps");
	CHECK(strstr(advice[0].text, "1.9 frames") != NULL);
	row.mode = "cpu_only";
	REQUIRE(advise(&row, 4, advice) == 3);
	CHECK_STR(advice[1].id, "best_without_gpu");
	CHECK(strstr(advice[1].text, "GPU") != NULL);
	row.mode = "cpu_parallel";
	row.fps = 2.0;
	CHECK_EQ(advise(&row, 16, advice), 0);
	row.success = false;
	CHECK_EQ(advise(&row, 16, advice), 0);
}

static void text_of(const struct bench_row *rows, size_t count, char *to, size_t bytes)
{
	FILE *file = fmemopen(to, bytes, "w");
	bench_matrix_text(file, rows, count, 16);
	fclose(file);
}

TEST(a_failing_configuration_is_listed_last_with_its_reason_and_the_others_stand)
{
	char text[4096];
	struct bench_row rows[4];
	memcpy(rows, high_end, sizeof(rows));
	rows[1].success = false; /* the fastest */
	snprintf(rows[1].error, sizeof(rows[1].error), "out of memory\033[31m");
	bench_sort_rows(rows, 4);
	CHECK_STR(rows[0].config.name, "GPU");
	CHECK_STR(rows[3].config.name, "GPU + parallel");
	text_of(rows, 4, text, sizeof(text));
	CHECK(strstr(text, "failed: out of memory\\x1b") != NULL);
	CHECK(strstr(text, "best: GPU, 9.9 fps, 12.1 s") != NULL);
	CHECK(!strchr(text, '\033'));
}

TEST(no_rows_and_no_successes_are_each_said_in_one_line)
{
	char text[4096];
	struct bench_row rows[1] = {high_end[0]};
	text_of(rows, 0, text, sizeof(text));
	CHECK_STR(text, "\nNothing was run.\n");
	rows[0].success = false;
	text_of(rows, 1, text, sizeof(text));
	CHECK(strstr(text, "No configuration succeeded.\n") != NULL);
	CHECK(!strstr(text, "best"));
}

TEST(of_several_passes_the_fastest_stands_unless_one_failed)
{
	const struct bench_case first = {.group = BENCH_GROUP_MATRIX,
					 .config = {.name = "reference", .threads = 1}};
	begin(&first);
	static const char *const passes[] = {"frames\t1\t2000000000\t1\t1\t100\t3700\t17\t1024\t",
					     "frames\t1\t1000000000\t1\t1\t100\t3700\t17\t1024\t",
					     "frames\t1\t4000000000\t1\t1\t100\t3700\t17\t1024\t"};
	for (int i = 0; i < 3; i++) {
		said = (struct bench_said){.of = &first, .report = &report};
		line(passes[i]);
		bench_take_end(&said, &(struct session_end){0});
	}
	REQUIRE(report.row_count == 1);
	CHECK(report.rows[0].fps == 100 && report.rows[0].psnr_db == 37);
	CHECK_STR(report.rows[0].mode, "cpu_only");
	said = (struct bench_said){.of = &first, .report = &report};
	bench_take_end(&said, &(struct session_end){.signal = SIGSEGV});
	REQUIRE(report.row_count == 1);
	CHECK(!report.rows[0].success && strstr(report.rows[0].error, "signal 11"));
	CHECK(report.rows[0].timestamp_ns > 0);
	bench_take_rows(&report);
	REQUIRE(report.test_count == 1);
	CHECK(report.tests[0].status == BENCH_FAILED);
}

TAP_MAIN
