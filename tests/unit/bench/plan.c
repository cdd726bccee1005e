/* SPDX-License-Identifier: MIT */
/* Pictures by rule, and the plans made of them. */
#include "bench_plan.h"
#include "content.h"
#include "tap.h"

static struct bench_plan plan;

static const struct bench_case *make(struct bench_request request)
{
	request.cpus = request.cpus ? request.cpus : 4;
	bench_plan_make(&plan, &request);
	return plan.cases;
}

static unsigned cases_of(enum bench_group group)
{
	unsigned count = 0;
	for (size_t i = 0; i < plan.count; i++)
		count += plan.cases[i].group == group;
	return count;
}

static bool has_size(unsigned width_px, unsigned height_px, const char *content, const char *format)
{
	for (size_t i = 0; i < plan.count; i++) {
		const struct bench_case *one = &plan.cases[i];
		if (one->size.width_px == width_px && one->size.height_px == height_px &&
		    one->content && strcmp(one->content, content) == 0 &&
		    strcmp(one->format, format) == 0)
			return true;
	}
	return false;
}

TEST(pictures_are_the_same_each_time_and_differ_by_seed)
{
	uint8_t a[3 * 300], b[3 * 300];
	for (int content = 0; content < BENCH_CONTENTS; content++) {
		bench_content_row((enum bench_content)content, 300, 200, 1, 77, a);
		bench_content_row((enum bench_content)content, 300, 200, 1, 77, b);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
		bench_content_row((enum bench_content)content, 300, 200, 2, 77, b);
		CHECK(memcmp(a, b, sizeof(a)) != 0);
	}
}

TEST(complexity_can_be_measured)
{
	static const unsigned sizes[][2] = {{64, 64}, {640, 360}, {1920, 100}};
	for (size_t i = 0; i < 3; i++) {
		double detail[BENCH_CONTENTS];
		for (int k = 0; k < BENCH_CONTENTS; k++)
			detail[k] = bench_content_detail((enum bench_content)k, sizes[i][0],
							 sizes[i][1]);
		CHECK(detail[0] * 1.3 < detail[1]); /* 64x64: bands are 11 pixels wide */
		CHECK(detail[1] * 1.5 < detail[2]);
	}
}

TEST(single_pixels_and_ribbons_can_be_drawn)
{
	uint8_t row[3 * 16000];
	for (int content = 0; content < BENCH_CONTENTS; content++) {
		bench_content_row((enum bench_content)content, 1, 1, 0, 0, row);
		bench_content_row((enum bench_content)content, 16000, 1, 0, 0, row);
		bench_content_row((enum bench_content)content, 1, 16000, 0, 15999, row);
	}
	CHECK_EQ(bench_content_find("complex"), 2);
	CHECK_EQ(bench_content_find("chaos"), -1);
}

TEST(quick_covers_the_sizes_contents_and_crowds_of_the_requirements)
{
	make((struct bench_request){.mode = BENCH_MODE_QUICK});
	for (int k = 0; k < BENCH_CONTENTS; k++) {
		CHECK(has_size(64, 64, bench_content_names[k], "png"));
		CHECK(has_size(1920, 1080, bench_content_names[k], "jpeg"));
	}
	CHECK(has_size(1, 1, "medium", "png"));
	unsigned most = 0;
	for (size_t i = 0; i < plan.count; i++)
		most = plan.cases[i].threads > most ? plan.cases[i].threads : most;
	CHECK_EQ(most, 10);
	CHECK(cases_of(BENCH_GROUP_BATCH) >= 2);
	CHECK_EQ(cases_of(BENCH_GROUP_LEAK), 1);
	CHECK_EQ(cases_of(BENCH_GROUP_ERRORS), 3);
	CHECK_EQ(cases_of(BENCH_GROUP_STRESS), 0);
	CHECK_EQ(cases_of(BENCH_GROUP_MATRIX), 0);
}

TEST(comprehensive_goes_to_4k_and_stays_within_the_plan)
{
	make((struct bench_request){.mode = BENCH_MODE_COMPREHENSIVE, .matrix = true, .cpus = 32});
	CHECK(has_size(3840, 2160, "complex", "png"));
	CHECK(has_size(16000, 8, "medium", "jpeg"));
	CHECK(plan.count < BENCH_CASES_MAX);
}

TEST(repeats_are_fifty_unless_said_otherwise)
{
	make((struct bench_request){.mode = BENCH_MODE_QUICK, .groups = 1u << BENCH_GROUP_LEAK});
	CHECK_EQ(plan.count, 1);
	CHECK_STR(plan.cases[0].words[3], "50");
	make((struct bench_request){
		.mode = BENCH_MODE_QUICK, .groups = 1u << BENCH_GROUP_LEAK, .repeats = 10});
	CHECK_STR(plan.cases[0].words[3], "10");
}

TEST(stress_injects_what_the_requirements_name_after_an_undisturbed_run)
{
	const struct bench_case *cases = make((struct bench_request){.mode = BENCH_MODE_STRESS});
	double percents[3] = {0};
	unsigned count = 0, disks = 0, busy = 0, throttled = 0;
	CHECK_STR(cases[0].name, "undisturbed");
	for (size_t i = 0; i < plan.count; i++) {
		const struct bench_injection *injection = &cases[i].injection;
		if (injection->memory_percent > 0 && count < 3)
			percents[count++] = injection->memory_percent;
		disks += injection->small_disk;
		busy += injection->busy;
		throttled += injection->share > 0;
		CHECK(injection->memory_limit_mb <= 512);
	}
	CHECK(percents[0] == 75 && percents[1] == 85 && percents[2] == 95);
	CHECK(disks == 1 && busy == 8 && throttled == 1);
}

TEST(a_small_machine_is_pressed_less_or_not_at_all)
{
	const struct bench_case *cases =
		make((struct bench_request){.mode = BENCH_MODE_STRESS, .memory_mb = 200});
	for (size_t i = 0; i < plan.count; i++) {
		bool presses = cases[i].injection.memory_percent > 0;
		CHECK(!presses || cases[i].injection.memory_limit_mb == 200);
		CHECK_STR(cases[i].impossible, "");
	}
	make((struct bench_request){.mode = BENCH_MODE_STRESS, .memory_mb = 20});
	for (size_t i = 0; i < plan.count; i++)
		CHECK((cases[i].injection.memory_percent > 0) == (*cases[i].impossible != 0));
}

TEST(the_matrix_varies_threads_cache_steps_size_quality_and_filter)
{
	static const unsigned cpus[] = {1, 2, 6, 64};
	for (size_t k = 0; k < 4; k++) {
		make((struct bench_request){.matrix = true, .cpus = cpus[k]});
		unsigned threads = 0, cached = 0, overlapped = 0, scaled = 0, sizes = 0, low = 0,
			 filters = 0;
		for (size_t i = 0; i < plan.count; i++) {
			const struct bench_config *config = &plan.cases[i].config;
			threads = config->threads > threads ? config->threads : threads;
			cached += config->cached;
			overlapped += config->overlapped;
			scaled += config->scaled;
			sizes += config->width_px != 832;
			low += config->quality < 90;
			filters += strcmp(config->filter, "lanczos") != 0;
		}
		CHECK(cached && overlapped && scaled && sizes && low && filters);
		CHECK_EQ(threads, cpus[k] < 3 ? 3 : cpus[k] < 32 ? cpus[k] : 32);
		CHECK_STR(plan.cases[0].config.name, "reference");
		CHECK(plan.count / BENCH_MATRIX_PASSES <= BENCH_ROWS_MAX);
	}
}

TEST(sizes_are_read_or_refused)
{
	struct bench_size sizes[BENCH_SIZES_MAX];
	REQUIRE(bench_sizes_parse("64x48,16384x1", sizes) == 2);
	CHECK(sizes[0].width_px == 64 && sizes[0].height_px == 48 && sizes[1].width_px == 16384);
	static const char *const wrong[] = {
		"",       "x",         "64",   "0x64",        "64x0",   "16385x1",      "64x64,",
		"64x64 ", "9000x9000", "-1x5", "64x64;64x64", ",64x64", "99999999999x1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_EQ(bench_sizes_parse(wrong[i], sizes), 0);
	CHECK_EQ(
		bench_sizes_parse("1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,"
				  "1x1",
				  sizes),
		0);
	CHECK_EQ(bench_group_find("errors"), BENCH_GROUP_ERRORS);
	CHECK_EQ(bench_group_find("error"), -1);
}

TEST(a_group_that_a_mode_does_not_have_gives_an_empty_plan)
{
	make((struct bench_request){.mode = BENCH_MODE_STRESS, .groups = 1u << BENCH_GROUP_SIZE});
	CHECK_EQ(plan.count, 0);
}

TAP_MAIN
