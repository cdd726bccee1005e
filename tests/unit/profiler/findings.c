/* SPDX-License-Identifier: MIT */
#include "findings.h"

#include "macros.h"
#include "findings_support.h"
#include "tap.h"

TEST(an_operation_at_the_limit_is_not_slow_and_one_above_is)
{
	static const char *const rules[] = {"classic", "default"};
	for (int i = 0; i < 2; i++) {
		begin(rules[i]);
		add("jpeg.decode", 500);
		CHECK(!find("slow-operation"));
		add("jpeg.decode", 500.000001);
		const struct wan_finding *slow = find("slow-operation");
		REQUIRE(slow);
		CHECK(strstr(slow->text, "Slow operations"));
		CHECK_EQ(slow->count, 1);
		CHECK_NEAR(slow->value, 500.000001, 1e-6);
		CHECK_NEAR(slow->limit, 500, 0);
		CHECK_STR(slow->unit, "ms");
		CHECK(slow->saving_ms < 0);
	}
}

TEST(time_inside_the_library_is_judged_not_the_span)
{
	begin("default");
	struct wan_recording_operation operation = fake_operation("jpeg.decode", 900);
	operation.inside_ns = 100000000;
	fake_add(&fake, operation);
	CHECK(!find("slow-operation"));
}

TEST(limits_come_from_the_configuration)
{
	begin("default");
	add("jpeg.decode", 20);
	CHECK_EQ(wan_config_set(&config, "profile.slow", "10ms", NULL), 0);
	CHECK(find("slow-operation"));
}

TEST(far_above_the_limit_is_more_severe)
{
	begin("default");
	add("jpeg.decode", 1000.5);
	const struct wan_finding *slow = find("slow-operation");
	REQUIRE(slow);
	CHECK_EQ(slow->severity, WAN_FINDING_HIGH);
}

static void add_memory(int64_t net, uint64_t peak)
{
	struct wan_recording_operation operation = fake_operation("png.decode", 10);
	operation.memory_bytes = net;
	operation.peak_bytes = peak;
	fake_add(&fake, operation);
}

TEST(memory_that_stayed_or_peaked_above_the_limit_is_found)
{
	static const char *const rules[] = {"classic", "default"};
	for (int i = 0; i < 2; i++) {
		begin(rules[i]);
		add_memory(100 * (int64_t)WAN_MIB, 100 * WAN_MIB);
		CHECK(!find("memory-intensive"));
		CHECK(find("stream-large"));
		add_memory(0, 150 * WAN_MIB);
		const struct wan_finding *heavy = find("memory-intensive");
		REQUIRE(heavy);
		CHECK(strstr(heavy->text, "Memory-intensive operations"));
		CHECK_NEAR(heavy->value, 150, 1e-9);
	}
}

TEST(unknown_memory_is_no_finding)
{
	begin("classic");
	add_memory(INT64_MIN, UINT64_MAX);
	CHECK(!find("memory-intensive"));
	CHECK(!find("stream-large"));
}

static void add_cpu(double ms, double share)
{
	struct wan_recording_operation operation = fake_operation("jpeg.decode", ms);
	operation.cpu_ns = (uint64_t)(ms * 1e6 * share);
	fake_add(&fake, operation);
}

TEST(classic_calls_every_operation_above_80_percent_cpu_intensive)
{
	begin("classic");
	add_cpu(10, 0.8);
	CHECK(!find("cpu-intensive"));
	add_cpu(10, 0.81);
	const struct wan_finding *busy = find("cpu-intensive");
	REQUIRE(busy);
	CHECK(strstr(busy->text, "CPU-intensive operations"));
	CHECK_EQ(busy->count, 1);
}

TEST(the_default_wants_half_a_second_of_cpu_or_a_share_of_the_run)
{
	begin("default");
	add_cpu(400, 0.99);
	CHECK(!find("cpu-intensive"));
	add_cpu(600, 0.99); /* 594 ms of CPU in one operation */
	CHECK(find("cpu-intensive"));
	begin("default");
	for (int i = 0; i < 60; i++)
		add_cpu(10, 0.99); /* 594 ms in all of a run of ten seconds: 5.9 % */
	CHECK(find("cpu-intensive"));
	begin("default");
	fake.process.end_ns = 1000000000000u;
	for (int i = 0; i < 60; i++)
		add_cpu(10, 0.99); /* 0.06 % of the run */
	CHECK(!find("cpu-intensive"));
}

TEST(cpu_between_the_calls_is_the_callers_own_and_not_judged)
{
	begin("default");
	struct wan_recording_operation operation = fake_operation("op", 1000);
	operation.cpu_ns = 990000000;
	operation.inside_ns = operation.span_ns / 10;
	fake_add(&fake, operation);
	CHECK(!find("cpu-intensive")); /* 99 ms of it are the operation's */
	operation.inside_ns = operation.span_ns * 6 / 10;
	fake_add(&fake, operation);
	CHECK(find("cpu-intensive"));
}

static void add_sized(const char *name, double ms, uint32_t width, uint32_t height)
{
	struct wan_recording_operation operation = fake_operation(name, ms);
	operation.width_px = width;
	operation.height_px = height;
	fake_add(&fake, operation);
}

TEST(classic_compares_large_images_with_small_ones)
{
	begin("classic");
	add_sized("a", 10, 512, 512);
	add_sized("b", 30, 3840, 2160);
	CHECK(!find("poor-scaling"));
	add_sized("b", 31, 3840, 2160);
	const struct wan_finding *poor = find("poor-scaling");
	REQUIRE(poor);
	CHECK(strstr(poor->text, "Poor scaling"));
	CHECK_NEAR(poor->value, 3.05, 1e-9);
}

TEST(exactly_full_hd_is_not_large)
{
	begin("classic");
	add_sized("a", 1, 512, 512);
	add_sized("b", 100, 1920, 1080);
	CHECK(!find("poor-scaling"));
}

TEST(the_default_fits_the_exponent)
{
	begin("default");
	for (uint32_t side = 500; side <= 4000; side += 500)
		for (int i = 0; i < 3; i++) {
			double mpx = side * (double)side / 1e6;
			add_sized("resize", 10 * mpx * mpx, side, side);
			add_sized("decode", 10 * mpx, side, side);
		}
	const struct wan_finding *poor = find("poor-scaling");
	REQUIRE(poor);
	CHECK_STR(poor->operation, "resize");
	CHECK_NEAR(poor->value, 2, 1e-6);
	CHECK_STR(poor->confidence, "95 %");
}

TEST(two_validations_are_worth_caching_in_classic)
{
	begin("classic");
	add("image_validation", 1);
	CHECK(!find("cache-validation"));
	add("image_validation", 1);
	const struct wan_finding *advice = find("cache-validation");
	REQUIRE(advice);
	CHECK(strstr(advice->text, "caching"));
	CHECK_EQ(advice->advice->kind, WAN_ADVICE_RECOMMENDATION);
}

TEST(classic_takes_the_same_name_size_and_file_size_for_the_same_work)
{
	begin("classic");
	add_sized("jpeg.decode", 1, 640, 480);
	add_sized("jpeg.decode", 1, 640, 481);
	CHECK(!find("repeated-work"));
	add_sized("jpeg.decode", 1, 640, 480);
	const struct wan_finding *advice = find("repeated-work");
	REQUIRE(advice);
	CHECK(strstr(advice->text, "result caching"));
	CHECK_EQ(advice->count, 1);
}

TEST(slow_thumbnails_want_faster_resampling)
{
	static const char *const rules[] = {"classic", "default"};
	for (int i = 0; i < 2; i++) {
		begin(rules[i]);
		add("thumbnail_256x256", 90);
		add("thumbnail_128x128", 110);
		if (i == 0)
			CHECK(!find("faster-thumbnails"));
		add("thumbnail_128x128", 110.6);
		const struct wan_finding *advice = find("faster-thumbnails");
		REQUIRE(advice);
		CHECK(strstr(advice->text, "faster resampling"));
	}
}

TEST(failures_and_warnings_are_named_by_the_default_rules)
{
	begin("default");
	struct wan_recording_operation operation = fake_operation("png.decode", 1);
	operation.status = WAN_OP_FAILED;
	operation.file = "/tmp/broken.png";
	fake_add(&fake, operation);
	operation.status = WAN_OP_WARNED;
	fake_add(&fake, operation);
	const struct wan_finding *failed = find("failed-operations");
	REQUIRE(failed);
	CHECK(strstr(failed->evidence, "broken.png"));
	CHECK_EQ(failed->severity, WAN_FINDING_HIGH);
	CHECK(find("warned-operations"));
}

TEST(progressive_sources_are_counted_apart)
{
	begin("default");
	add("jpeg.decode", 300);
	add("jpeg.decode", 90);
	fake.aggregates[1].flags = WAN_FLAG_PROGRESSIVE;
	CHECK(!find("progressive-source")); /* below 100 ms in all */
	add("jpeg.decode", 90);
	fake.aggregates[2].flags = WAN_FLAG_PROGRESSIVE;
	const struct wan_finding *advice = find("progressive-source");
	REQUIRE(advice);
	CHECK(advice->saving_ms < 0); /* file and size are not known */
	CHECK_EQ(advice->count, 2);
	CHECK_STR(advice->evidence, "2 of 3 took 180.0 ms");
}

TEST(nested_operations_are_not_judged)
{
	static const char *const rules[] = {"classic", "default"};
	for (int i = 0; i < 2; i++) {
		begin(rules[i]);
		struct wan_recording_operation operation = fake_operation("jpeg.decode", 900);
		operation.child = true;
		fake_add(&fake, operation);
		CHECK(!find("slow-operation"));
	}
}

TEST(the_worst_comes_first)
{
	begin("default");
	add("medium", 600);
	add("worst", 5000);
	add("bad", 1500);
	struct fake *one = &fake;
	REQUIRE_EQ(fake_analyse(&one, 1, &config, &analysis), 0);
	REQUIRE_EQ(analysis.findings.count, 3);
	CHECK_STR(analysis.findings.items[0].operation, "worst");
	CHECK_STR(analysis.findings.items[1].operation, "bad");
	CHECK_STR(analysis.findings.items[2].operation, "medium");
	wan_analysis_finish(&analysis);
}

TEST(ids_are_unique_and_every_text_is_there)
{
	for (int i = 0; i < WAN_ADVICE_COUNT; i++) {
		const struct wan_advice *advice = wan_advice((enum wan_advice_id)i);
		CHECK(advice->id[0] && advice->title[0] && advice->action[0]);
		CHECK(!advice->key[0] || wan_key_find(advice->key, NULL));
		for (int j = 0; j < i; j++)
			CHECK(strcmp(advice->id, wan_advice((enum wan_advice_id)j)->id) != 0);
	}
}

TEST(nothing_recorded_is_nothing_found)
{
	static const char *const rules[] = {"classic", "default"};
	for (int i = 0; i < 2; i++) {
		begin(rules[i]);
		struct fake *one = &fake;
		REQUIRE_EQ(fake_analyse(&one, 1, &config, &analysis), 0);
		CHECK_EQ(analysis.findings.count, 0);
		wan_analysis_finish(&analysis);
	}
}

TAP_MAIN
