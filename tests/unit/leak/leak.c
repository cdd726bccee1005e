/* SPDX-License-Identifier: MIT */
/* What is called a leak, from made-up readings and made-up recordings: the whole is pure. */
#include "leak.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "heap.h"
#include "heap_mark.h"
#include "statistics.h"
#include "tap.h"
#include "tracker_words.h"

#define MB (1024.0 * 1024)

static const struct wan_leak_rules rules = {
	.iterations = 10, .limit_bytes = 100 * MB, .each_bytes = 32 * 1024};
static struct wan_leak_reading readings[1024];
static struct wan_leak_judgement judgement;

/* -1 to 1, the same in every run. */
static double noise(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double)(int32_t)(*state >> 32) / 2147483648.0;
}

static enum wan_leak_verdict judge(double (*held_mb)(unsigned i), unsigned iterations)
{
	char text[192];
	for (unsigned i = 0; i <= iterations; i++)
		readings[i] = (struct wan_leak_reading){i, (50 + held_mb(i)) * MB};
	size_t count = wan_leak_thin(readings, iterations + 1);
	wan_leak_judge_readings(readings, count, &rules, &judgement);
	wan_leak_explain(&judgement, &rules, text, sizeof(text));
	printf("# %s\n", text);
	return judgement.verdict;
}

static double leak_of_one(unsigned i)
{
	return i;
}
static double leak_with_a_start(unsigned i)
{
	return i ? 60 + 0.1 * i : 0;
}
static double flat(unsigned i)
{
	return i ? 5 : 0;
}
static double filling(unsigned i)
{
	return 300 * (1 - exp(-(double)i / 3));
}
static double full_after_six(unsigned i)
{
	return 40.0 * (i < 6 ? i : 6);
}
static double once_early(unsigned i)
{
	return i >= 4 ? 150 : 0;
}
static double once_in_the_middle(unsigned i)
{
	return i >= 6 ? 30 : 0;
}
static double once_late(unsigned i)
{
	return i >= 9 ? 30 : 0;
}
static double once_late_above_the_limit(unsigned i)
{
	return i >= 9 ? 101 : 0;
}
static double sawtooth(unsigned i)
{
	return 8.0 * (i % 4);
}
static double rising_sawtooth(unsigned i)
{
	return 8.0 * (i % 4) + i;
}
static double a_few_bytes(unsigned i)
{
	return i / 1000.0;
}
static double ever_less_but_much(unsigned i)
{
	return 2000 * (1 - exp(-(double)i / 8));
}
static double every_third(unsigned i)
{
	return 3 * (i / 3);
}

TEST(steady_growth_is_a_leak_whatever_comes_first)
{
	CHECK_EQ(judge(leak_of_one, 10), WAN_LEAK_FOUND);
	CHECK(fabs(judgement.each - MB) < 1);
	CHECK_EQ(judge(leak_of_one, 900), WAN_LEAK_FOUND);
	CHECK_EQ(judge(leak_with_a_start, 12), WAN_LEAK_FOUND);
	CHECK(fabs(judgement.each - 0.1 * MB) < 1);
	CHECK_EQ(judge(rising_sawtooth, 60), WAN_LEAK_FOUND);
	CHECK_EQ(judge(every_third, 30), WAN_LEAK_FOUND);
}

TEST(growth_that_ends_is_no_leak)
{
	CHECK_EQ(judge(flat, 10), WAN_LEAK_NONE);
	CHECK_EQ(judge(filling, 20), WAN_LEAK_NONE);
	CHECK_EQ(judge(filling, 10), WAN_LEAK_NONE);
	CHECK_EQ(judgement.shape, WAN_LEAK_DYING_AWAY);
	CHECK_EQ(judge(full_after_six, 12), WAN_LEAK_NONE);
	CHECK_EQ(judgement.shape, WAN_LEAK_ENDED);
	CHECK_EQ(judge(once_early, 10), WAN_LEAK_NONE);
	CHECK_EQ(judge(once_in_the_middle, 10), WAN_LEAK_NONE);
	CHECK_EQ(judge(once_late, 10), WAN_LEAK_NONE);
	CHECK_EQ(judge(sawtooth, 12), WAN_LEAK_NONE);
	CHECK_EQ(judge(a_few_bytes, 20), WAN_LEAK_NONE);
	CHECK_EQ(judgement.shape, WAN_LEAK_SLOW);
}

TEST(what_cannot_be_said_is_not_said)
{
	CHECK_EQ(judge(leak_of_one, 9), WAN_LEAK_INCONCLUSIVE);
	CHECK_EQ(judgement.shape, WAN_LEAK_TOO_FEW);
	CHECK_EQ(judge(once_late_above_the_limit, 10), WAN_LEAK_INCONCLUSIVE);
	CHECK_EQ(judge(ever_less_but_much, 12), WAN_LEAK_INCONCLUSIVE);
	wan_leak_judge_readings(readings, 0, &rules, &judgement);
	CHECK_EQ(judgement.verdict, WAN_LEAK_INCONCLUSIVE);
}

TEST(classic_rules_take_the_limit_literally)
{
	struct wan_leak_rules classic = rules;
	classic.classic = true;
	for (int above = 0; above < 2; above++) {
		for (unsigned i = 0; i <= 10; i++)
			readings[i] = (struct wan_leak_reading){
				i, i == 10 ? (above ? 100.1 : 100.0) * MB : 0};
		wan_leak_judge_readings(readings, 11, &classic, &judgement);
		CHECK_EQ(judgement.verdict, above ? WAN_LEAK_FOUND : WAN_LEAK_NONE);
	}
}

static double by_chance(unsigned i)
{
	static const double seen[] = {7.7,  27.1, 21.2, 20.2, 21.8, 31.1, 21.4,
				      33.1, 27.2, 26.2, 27.8, 37.1, 27.4};
	return seen[i];
}

TEST(growth_that_is_not_sure_is_said_with_how_many_iterations_would_tell)
{
	CHECK_EQ(judge(by_chance, 12), WAN_LEAK_INCONCLUSIVE);
	CHECK_EQ(judgement.shape, WAN_LEAK_UNSURE);
	CHECK(judgement.needed >= 18 && judgement.needed <= 30);
}

/* Share of seeds where readings that go up and down by 3 MB, and rise by each_mb, are a leak. */
static double share_unsure;
static double share_found(unsigned iterations, double each_mb)
{
	enum { SEEDS = 2000 };
	uint64_t state = 1;
	unsigned found = 0, unsure = 0;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		for (unsigned i = 0; i <= iterations; i++)
			readings[i] = (struct wan_leak_reading){
				i, (100 + each_mb * i + 3 * noise(&state)) * MB};
		wan_leak_judge_readings(readings, iterations + 1, &rules, &judgement);
		found += judgement.verdict == WAN_LEAK_FOUND;
		unsure += judgement.verdict == WAN_LEAK_INCONCLUSIVE;
	}
	share_unsure = (double)unsure / SEEDS;
	return (double)found / SEEDS;
}

TEST(noise_is_seldom_accused_and_hides_little)
{
	double clean = share_found(10, 0);
	CHECK(share_unsure < 0.15);
	printf("# of clean ones %.1f %% are not sure\n", 100 * share_unsure);
	double clean_long = share_found(50, 0);
	double leak = share_found(30, 1), strong = share_found(10, 3);
	printf("# clean %.2f %% (10), %.2f %% (50); 1 MB in 3 MB of noise %.1f %% (30), "
	       "3 MB %.1f %% (10)\n",
	       100 * clean, 100 * clean_long, 100 * leak, 100 * strong);
	CHECK(clean <= 0.01 && clean_long <= 0.01);
	CHECK(leak >= 0.95 && strong >= 0.9);
}

TEST(intervals_agree_with_the_statistics_of_the_verdicts)
{
	enum { COUNT = 24 };
	double x[COUNT], y[COUNT];
	uint64_t state = 7;
	for (unsigned i = 0; i < COUNT; i++) {
		x[i] = i;
		y[i] = (i + 4 * noise(&state)) * MB;
		readings[i] = (struct wan_leak_reading){x[i], y[i]};
	}
	wan_leak_judge_readings(readings, COUNT, &rules, &judgement);
	struct stat_interval slope = stat_slope(x, y, COUNT, 0.99);
	CHECK(fabs(judgement.each - slope.estimate) < 1);
	CHECK(fabs(judgement.low - slope.low) < 0.1 * MB);
	CHECK(fabs(judgement.high - slope.high) < 0.1 * MB);
}

static struct wan_process process;
static struct wan_process_event events[256];
static struct wan_process_aggregate aggregates[2];
static struct wan_recording_operation operations[64];
static struct wan_process_counters counters[2];
static struct leak_report report;
static struct leak_options chosen;

static void mark(enum wan_heap_mark_kind kind, const char *name, unsigned done, double held_mb)
{
	size_t i = process.event_count++;
	events[i] = (struct wan_process_event){
		.kind = WAN_RECORD_HEAP,
		.time_ns = 1000 * (i + 1),
		.name = name,
		.code = kind | WAN_HEAP_BOOKS_GLIBC << 4 | done << 8,
		.values = {(uint64_t)(held_mb * MB), (uint64_t)(100 * MB), 0, 0},
	};
}

static void start_process(void)
{
	process = (struct wan_process){.events = events,
				       .aggregates = aggregates,
				       .operations = operations,
				       .counters = counters};
	chosen = (struct leak_options){.rules = rules};
}

static enum wan_leak_verdict cut(void)
{
	struct wan_view_source source = {.process = &process, .until_ns = UINT64_MAX};
	struct wan_analysis analysis = {.view = {.sources = &source, .source_count = 1}};
	CHECK_EQ(leak_cut(&analysis, &chosen, &report), 0);
	return report.verdict;
}

TEST(steps_of_the_outermost_bar_are_the_iterations)
{
	start_process();
	counters[0] = (struct wan_process_counters){.kind = WAN_COUNTERS_TRACKER, .name = "images"};
	counters[1] = (struct wan_process_counters){.kind = WAN_COUNTERS_TRACKER, .name = "steps"};
	counters[1].words[WAN_TRACKER_LEVEL] = 1;
	process.counters_count = 2;
	for (unsigned i = 0; i <= 10; i++) {
		mark(WAN_HEAP_MARK_STEP, "images", i, 20 + 2 * i);
		for (unsigned k = 0; k < 4 && i < 10; k++)
			mark(WAN_HEAP_MARK_STEP, "steps", k, 20 + 2 * i + 8 * k);
	}
	CHECK_EQ(cut(), WAN_LEAK_FOUND);
	CHECK_STR(report.unit, "images");
	CHECK_EQ(report.seen, 10);
	CHECK(fabs(report.series[0].judgement.each - 2 * MB) < 1);
	chosen.name = "steps"; /* begun anew ten times: they go on from where they were */
	CHECK_EQ(cut(), WAN_LEAK_FOUND);
	CHECK_EQ(report.seen, 30);
}

TEST(a_bar_is_found_among_bars_that_are_named_anew_each_time)
{
	enum { OTHERS = 100 };
	static char names[OTHERS][16];
	start_process();
	mark(WAN_HEAP_MARK_STEP, "images", 0, 20);
	for (unsigned i = 0; i < OTHERS; i++) {
		snprintf(names[i], sizeof(names[i]), "epoch %u", i);
		mark(WAN_HEAP_MARK_STEP, names[i], 1, 20);
		if (i % 10 == 9)
			mark(WAN_HEAP_MARK_STEP, "images", i / 10 + 1, 20 + i / 10);
	}
	CHECK_EQ(cut(), WAN_LEAK_FOUND);
	CHECK_STR(report.unit, "images");
	for (unsigned i = 0; i <= 10; i++) /* begins when many were seen */
		mark(WAN_HEAP_MARK_STEP, "late", i, 40);
	chosen.name = "late";
	CHECK_EQ(cut(), WAN_LEAK_NONE);
	CHECK_STR(report.unit, "late");
	CHECK_EQ(report.seen, 10);
}

TEST(the_operation_repeated_least_often_cuts_a_loop_without_bars)
{
	start_process();
	aggregates[0] = (struct wan_process_aggregate){.name = "jpeg.decode", .count = 12};
	aggregates[1] = (struct wan_process_aggregate){.name = "thumbnail", .count = 36};
	process.aggregate_count = 2;
	for (unsigned i = 0; i < 12; i++) {
		for (unsigned k = 0; k < 3; k++)
			mark(WAN_HEAP_MARK_OPERATION, "thumbnail", 0, 30 + (k == 0 ? 0 : 10) + i);
		operations[process.operation_count++] = (struct wan_recording_operation){
			.name = "jpeg.decode", .start_ns = 3000 * i + 10, .span_ns = 100};
	}
	CHECK_EQ(cut(), WAN_LEAK_FOUND);
	CHECK_STR(report.unit, "jpeg.decode");
	CHECK_EQ(report.seen, 12);
	CHECK(fabs(report.series[0].judgement.each - MB) < 1);
	chosen.from = LEAK_FROM_MARKS;
	CHECK_EQ(cut(), WAN_LEAK_INCONCLUSIVE);
	CHECK_EQ(report.seen, 0);
}

TEST(the_picture_held_at_the_end_of_a_step_does_not_hide_a_leak)
{
	static const unsigned sides[] = {1000, 2400, 1700, 1300, 2000, 900};
	for (unsigned each_mb = 0; each_mb < 2; each_mb++) {
		start_process();
		mark(WAN_HEAP_MARK_STEP, "images", 0, 8);
		for (unsigned i = 0; i < 12; i++) {
			unsigned side = sides[i % 6];
			operations[process.operation_count++] =
				(struct wan_recording_operation){.name = "jpeg.decode",
								 .start_ns = 1000 * (i + 1) + 10,
								 .span_ns = 100,
								 .width_px = side,
								 .height_px = side};
			mark(WAN_HEAP_MARK_STEP, "images", i + 1,
			     8 + each_mb * (i + 1.0) + 4.0 * side * side / MB);
		}
		CHECK_EQ(cut(), each_mb ? WAN_LEAK_FOUND : WAN_LEAK_NONE);
		CHECK(strncmp(report.note, each_mb ? "" : "4.0 bytes", 9 * !each_mb) == 0);
		CHECK(report.note[0] != '\0');
	}
}

TEST(what_the_program_says_comes_before_bars_and_caches_are_taken_off)
{
	start_process();
	for (unsigned i = 0; i <= 12; i++) {
		mark(WAN_HEAP_MARK_STEP, "bar", i, 10);
		mark(WAN_HEAP_MARK_ITERATION, "decode", i, 10 + 5 * i);
		events[process.event_count - 1].values[2] = (uint64_t)(5 * i * MB);
	}
	CHECK_EQ(cut(), WAN_LEAK_NONE);
	CHECK_STR(report.unit, "decode");
	CHECK_EQ((int)report.from, LEAK_FROM_MARKS);
}

TEST(resident_memory_that_grows_alone_is_named_so)
{
	start_process();
	for (unsigned i = 0; i <= 12; i++) {
		mark(WAN_HEAP_MARK_STEP, "bar", i, 10);
		events[i].values[1] = (uint64_t)((100 + 2.0 * i) * MB);
	}
	CHECK_EQ(cut(), WAN_LEAK_FOUND);
	CHECK_STR(report.kind, "resident");
	for (unsigned i = 0; i <= 12; i++)
		events[i].values[0] = UINT64_MAX; /* nobody's books */
	CHECK_EQ(cut(), WAN_LEAK_FOUND);
	CHECK_EQ(report.books, WAN_HEAP_BOOKS_NONE);
}

TEST(runs_are_judged_by_what_they_leave)
{
	static struct leak_leftover left[11];
	char root[] = "/tmp/wan-leak-XXXXXX", path[64];
	REQUIRE(mkdtemp(root) != NULL);
	for (unsigned i = 0; i <= 10; i++)
		left[i] = (struct leak_leftover){.system_bytes = (1000 + 3 * i) * MB,
						 .shared_bytes = NAN,
						 .file_bytes = 2.0 * i * MB,
						 .files = i};
	chosen = (struct leak_options){.rules = rules};
	report = (struct leak_report){0};
	leak_leftover_judge(left, 11, &chosen, &report);
	CHECK_EQ(report.verdict, WAN_LEAK_FOUND);
	CHECK_STR(report.kind, "files");
	for (unsigned i = 0; i <= 10; i++) /* others use the machine too: 30 MB are not enough */
		left[i].file_bytes = 0;
	leak_leftover_judge(left, 11, &chosen, &report);
	CHECK_EQ(report.verdict, WAN_LEAK_NONE);
	for (unsigned i = 0; i <= 10; i++)
		left[i].system_bytes *= 10;
	leak_leftover_judge(left, 11, &chosen, &report);
	CHECK_STR(report.kind, "system");

	snprintf(path, sizeof(path), "%s/proc", root);
	CHECK_EQ(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	FILE *file = fopen(path, "w");
	REQUIRE(file != NULL);
	fprintf(file, "MemTotal: 1000 kB\nMemFree: 400 kB\nBuffers: 50 kB\nCached: 250 kB\n"
		      "Shmem: 20 kB\nSReclaimable: 10 kB\n");
	fclose(file);
	struct leak_leftover read;
	leak_leftover_read(root, root, &read);
	CHECK(read.shared_bytes == 20 * 1024 &&
	      read.system_bytes == (1000 - 400 - 250 - 50 - 10 + 20) * 1024);
	CHECK_EQ(read.files, 2);
	leak_leftover_read("/nowhere", "/nowhere", &read);
	CHECK(isnan(read.system_bytes) && read.files == 0);
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc", root);
	rmdir(path);
	rmdir(root);
}

TAP_MAIN
