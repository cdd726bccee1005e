/* SPDX-License-Identifier: MIT */
/* Inputs, sizes and processes: what has to be proved before it is said, and what it would save. */
#include "findings.h"

#include "findings_support.h"
#include "macros.h"
#include "tap.h"

static void add_file(const char *name, const char *file, uint64_t identity)
{
	struct wan_recording_operation operation = fake_operation(name, 10);
	operation.file = file;
	operation.file_bytes = 1000;
	operation.width_px = operation.height_px = 64;
	fake_add(&fake, operation);
	if (identity)
		fake_detail(&fake, identity, 0, 0);
}

TEST(the_default_claims_repetition_only_for_the_same_input)
{
	begin("default");
	add_file("jpeg.decode", NULL, 0);
	add_file("jpeg.decode", NULL, 0);
	add_file("jpeg.decode", "/a.jpg", 1);
	add_file("jpeg.decode", "/b.jpg", 2);
	add_file("jpeg.decode", "/a.jpg", 3); /* rewritten meanwhile */
	add_file("jpeg.decode", "/a.jpg", 0); /* a recording that knows no identity */
	CHECK(!find("repeated-work"));
	add_file("jpeg.decode", "/a.jpg", 1);
	const struct wan_finding *advice = find("repeated-work");
	REQUIRE(advice);
	CHECK_EQ(advice->count, 1);
	CHECK_NEAR(advice->saving_ms, 10, 1e-9);
	CHECK(strstr(advice->text, "result caching"));
}

TEST(the_same_input_decoded_at_two_sizes_is_not_repeated_work)
{
	begin("default");
	add_file("jpeg.decode", "/a.jpg", 0);
	fake_detail(&fake, 7, 32, 32);
	add_file("jpeg.decode", "/a.jpg", 0);
	fake_detail(&fake, 7, 16, 16);
	CHECK(!find("repeated-work"));
}

TEST(writing_the_same_file_twice_is_not_repeated_work)
{
	begin("default");
	add_file("jpeg.encode", "/a.jpg", 1);
	add_file("jpeg.encode", "/a.jpg", 1);
	CHECK(!find("repeated-work"));
}

/* A photograph of 24 megapixels and 0.1 bytes a pixel. */
static void add_photograph(const char *name, double ms, uint32_t width, uint32_t height,
			   uint16_t flags)
{
	struct wan_recording_operation operation = fake_operation(name, ms);
	operation.width_px = width;
	operation.height_px = height;
	operation.channels = 3;
	operation.bit_depth = 8;
	operation.file_bytes = (uint64_t)(width * (double)height / 10);
	operation.flags = flags;
	fake_add(&fake, operation);
}

TEST(a_picture_decoded_whole_and_written_small_should_be_scaled_by_the_decoder)
{
	begin("default");
	add_photograph("jpeg.decode", 100, 6000, 4000, 0);
	add_photograph("jpeg.encode", 1, 300, 200, 0);
	const struct wan_finding *advice = find("full-size-thumbnail");
	REQUIRE(advice);
	CHECK_EQ(advice->count, 1);
	CHECK_NEAR(advice->value, 20, 1e-9);
	CHECK(advice->saving_ms > 35 && advice->saving_ms < 55);
	CHECK(strstr(advice->evidence, "300x200"));
}

TEST(no_proof_of_the_size_that_was_needed_is_no_finding)
{
	begin("default");
	add_photograph("jpeg.decode", 100, 6000, 4000, 0);
	CHECK(!find("full-size-thumbnail")); /* nothing written */
	add_photograph("jpeg.encode", 1, 200, 200, 0);
	CHECK(!find("full-size-thumbnail")); /* a crop */
	begin("default");
	add_photograph("jpeg.decode", 100, 6000, 4000, 0);
	add_photograph("jpeg.encode", 1, 300, 200, 0);
	add_photograph("jpeg.encode", 50, 6000, 4000, 0); /* used whole as well */
	CHECK(!find("full-size-thumbnail"));
	begin("default");
	add_photograph("jpeg.decode", 100, 6000, 4000, 0);
	add_photograph("jpeg.decode", 1, 300, 200, 0); /* another picture between */
	add_photograph("jpeg.encode", 1, 300, 200, 0);
	CHECK(!find("full-size-thumbnail"));
	begin("default");
	add_photograph("jpeg.decode", 100, 6000, 4000, WAN_FLAG_SCALED);
	fake_detail(&fake, 0, 3000, 2000);
	add_photograph("jpeg.encode", 1, 300, 200, 0);
	CHECK(!find("full-size-thumbnail")); /* scaled already */
	CHECK(!find("oversized-source"));
}

TEST(a_png_twice_as_large_as_its_use_is_oversized)
{
	begin("default");
	for (int i = 0; i < 3; i++) {
		add_photograph("png.decode", 100, 4000, 2000, 0);
		add_photograph("jpeg.encode", 1, 1000, 500, 0);
	}
	const struct wan_finding *advice = find("oversized-source");
	REQUIRE(advice);
	CHECK_NEAR(advice->value, 4, 1e-9);
	CHECK_NEAR(advice->saving_ms, 300 * (1 - 1.1 / 16), 1e-6);
}

TEST(a_source_decoded_at_an_eighth_is_oversized)
{
	begin("default");
	for (int i = 0; i < 3; i++) {
		add_photograph("jpeg.decode", 100, 8000, 4000, WAN_FLAG_SCALED);
		fake_detail(&fake, 0, 1000, 500);
	}
	const struct wan_finding *advice = find("oversized-source");
	REQUIRE(advice);
	CHECK(advice->saving_ms > 250 && advice->saving_ms < 300);
}

TEST(photographs_kept_as_png_are_told_from_drawings)
{
	begin("default");
	add_photograph("png.decode", 200, 2000, 1000, 0); /* 0.1 bytes a pixel: a drawing */
	CHECK(!find("png-photograph"));
	struct wan_recording_operation operation = fake_operation("png.decode", 200);
	operation.width_px = 2000;
	operation.height_px = 1000;
	operation.channels = 3;
	operation.bit_depth = 8;
	operation.file_bytes = 2000000;
	fake_add(&fake, operation);
	const struct wan_finding *advice = find("png-photograph");
	REQUIRE(advice);
	CHECK_EQ(advice->count, 1);
	CHECK(advice->saving_ms > 150);
}

TEST(what_streaming_would_not_hold_is_told_only_where_the_whole_image_was_held)
{
	begin("default");
	struct wan_recording_operation operation = fake_operation("jpeg.decode", 100);
	operation.width_px = operation.height_px = 5000;
	operation.channels = 3;
	operation.bit_depth = 8;
	operation.memory_bytes = 0;
	operation.peak_bytes = 72 * WAN_MIB; /* 71.5 MB are pixels */
	fake_add(&fake, operation);
	const struct wan_finding *advice = find("stream-large");
	REQUIRE(advice);
	CHECK_NEAR(advice->saving_mb, 71.3, 0.1);
	begin("default");
	operation.peak_bytes = 60 * WAN_MIB;
	fake_add(&fake, operation);
	advice = find("stream-large");
	REQUIRE(advice);
	CHECK(advice->saving_mb < 0);
}

TEST(a_progressive_source_of_known_density_has_a_prediction)
{
	begin("default");
	add_photograph("jpeg.decode", 300, 4000, 3000, WAN_FLAG_PROGRESSIVE);
	const struct wan_finding *advice = find("progressive-source");
	REQUIRE(advice);
	CHECK(advice->saving_ms > 170 && advice->saving_ms < 210);
}

TEST(progressive_files_written_have_their_own_advice)
{
	begin("default");
	add_photograph("jpeg.encode", 300, 4000, 3000, WAN_FLAG_PROGRESSIVE);
	CHECK(!find("progressive-source"));
	const struct wan_finding *advice = find("progressive-output");
	REQUIRE(advice);
	CHECK_NEAR(advice->saving_ms, 243, 1);
}

TEST(a_process_for_each_image_is_found_by_what_its_start_costs)
{
	static struct fake family[6];
	struct fake *all[6];
	begin("default");
	for (int i = 0; i < 6; i++) {
		fake_init(&family[i]);
		family[i].process.header.role = WAN_ROLE_PRELOADED;
		strcpy(family[i].process.header.program, "/usr/bin/python3.11");
		family[i].process.header.pid_start_ticks = 100; /* 1 s after boot */
		struct wan_recording_operation operation = fake_operation("jpeg.decode", 1);
		operation.start_ns = 1155000000;
		fake_add(&family[i], operation);
		all[i] = &family[i];
	}
	REQUIRE_EQ(fake_analyse(all, 6, &config, &analysis), 0);
	const struct wan_finding *advice = fake_finding(&analysis, "process-per-image");
	if (CHECK(advice)) {
		CHECK_EQ(advice->count, 6);
		CHECK_NEAR(advice->saving_ms, 5 * 150, 1e-6);
		CHECK(strstr(advice->text, "python3.11"));
	}
	wan_analysis_finish(&analysis);
	REQUIRE_EQ(fake_analyse(all, 4, &config, &analysis), 0);
	CHECK(!fake_finding(&analysis, "process-per-image"));
	wan_analysis_finish(&analysis);
}

TAP_MAIN
