/* SPDX-License-Identifier: MIT */
#include "coverage.h"

#include "support.h"
#include "tap.h"

static struct fake fake;
static struct wan_config config;
static struct wan_coverage items[WAN_COVERAGE_MAX];

static size_t cover(void)
{
	struct wan_analysis analysis;
	struct fake *one = &fake;
	wan_config_defaults(&config);
	if (!CHECK_EQ(fake_analyse(&one, 1, &config, &analysis), 0))
		return 0;
	size_t count = wan_coverage(&analysis, items);
	wan_analysis_finish(&analysis);
	return count;
}

static const struct wan_coverage *find(size_t count, const char *library)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i].library, library) == 0)
			return &items[i];
	return NULL;
}

TEST(libraries_with_operations_are_seen)
{
	fake_init(&fake);
	fake_add(&fake, fake_operation("jpeg.decode", 1));
	fake_add(&fake, fake_operation("jpeg.encode", 1));
	size_t count = cover();
	const struct wan_coverage *item = find(count, "libjpeg");
	REQUIRE(item);
	CHECK(item->seen);
	CHECK_EQ(item->operations, 2);
	CHECK(!item->objects_known);
}

TEST(calls_that_found_no_real_function_are_named)
{
	fake_init(&fake);
	fake.counters[0] = (struct wan_process_counters){
		.kind = WAN_COUNTERS_COVERAGE, .name = "libpng", .words = {3, 2, 7}};
	fake.process.counters_count = 1;
	const struct wan_coverage *item = find(cover(), "libpng");
	REQUIRE(item);
	CHECK_EQ(item->objects, 3);
	CHECK_EQ(item->unresolved, 7);
	CHECK(item->note);
}

static void set_block(const char *name, uint32_t word)
{
	fake_init(&fake);
	fake.counters[0] =
		(struct wan_process_counters){.kind = WAN_COUNTERS_COVERAGE, .name = name};
	fake.counters[0].words[word] = 1;
	fake.process.counters_count = 1;
	strcpy(fake.process.header.program, "/usr/bin/python3.11");
}

TEST(hooks_that_are_switched_off_are_named_for_python_only)
{
	set_block("pillow", WAN_COVER_SWITCHED_OFF);
	const struct wan_coverage *item = find(cover(), "pillow");
	REQUIRE(item);
	CHECK(!item->seen);
	CHECK(strstr(item->note, "--no-python-hooks"));
	strcpy(fake.process.header.program, "/usr/bin/djpeg");
	CHECK(!find(cover(), "pillow"));
}

TEST(modules_out_of_reach_are_named_with_what_to_try)
{
	set_block("imagecodecs", WAN_COVER_OUT_OF_REACH);
	const struct wan_coverage *item = find(cover(), "imagecodecs");
	REQUIRE(item);
	CHECK(!item->seen);
	CHECK(strstr(item->note, "Pillow"));
}

TEST(unknown_builds_are_named_with_what_to_try)
{
	set_block("pillow", WAN_COVER_UNRESOLVED);
	const struct wan_coverage *item = find(cover(), "pillow");
	REQUIRE(item);
	CHECK(!item->seen);
	CHECK_EQ(item->unresolved, 1);
	CHECK(strstr(item->note, "CPython"));
}

TEST(nothing_is_said_of_what_was_not_used)
{
	fake_init(&fake);
	fake.process.header.role = WAN_ROLE_PRELOADED;
	strcpy(fake.process.header.program, "/usr/bin/python3.11");
	CHECK_EQ(cover(), 0);
}

TEST(ffmpeg_that_decodes_nothing_is_told_what_to_try)
{
	fake_init(&fake);
	fake.process.header.role = WAN_ROLE_PRELOADED;
	strcpy(fake.process.header.program, "/opt/ffmpeg");
	const struct wan_coverage *item = find(cover(), "libavcodec");
	REQUIRE(item);
	CHECK(strstr(item->note, "static"));
	struct wan_recording_operation operation = fake_operation("png.decode", 1);
	operation.library = "libavcodec";
	fake_add(&fake, operation);
	item = find(cover(), "libavcodec");
	REQUIRE(item);
	CHECK(item->seen && !item->note);
}

TEST(progress_bars_are_counted_as_bars)
{
	fake_init(&fake);
	fake.counters[0] = (struct wan_process_counters){
		.kind = WAN_COUNTERS_COVERAGE, .name = "progress bars", .words = {3, 2, 1}};
	fake.process.counters_count = 1;
	const struct wan_coverage *item = find(cover(), "progress bars");
	REQUIRE(item);
	CHECK(item->seen && item->bars);
	CHECK_EQ(item->objects, 2);
	CHECK_EQ(item->operations, 0);
	CHECK(item->note && strstr(item->note, "bars"));
}

TEST(more_libraries_than_room_do_no_harm)
{
	static char names[FAKE_OPERATIONS][16];
	fake_init(&fake);
	for (int i = 0; i < 60; i++) {
		struct wan_recording_operation operation = fake_operation("a", 1);
		snprintf(names[i], sizeof(names[i]), "lib%d", i);
		operation.library = names[i];
		fake_add(&fake, operation);
	}
	CHECK_EQ(cover(), WAN_COVERAGE_MAX);
}

TAP_MAIN
