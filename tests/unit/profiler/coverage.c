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

TEST(python_guests_are_told_what_cannot_be_seen_and_what_to_try)
{
	fake_init(&fake);
	fake.process.header.role = WAN_ROLE_PRELOADED;
	strcpy(fake.process.header.program, "/usr/bin/python3.11");
	const struct wan_coverage *item = find(cover(), "Pillow PNG");
	REQUIRE(item);
	CHECK(!item->seen);
	CHECK(strstr(item->note, "JPEG"));
	strcpy(fake.process.header.program, "/usr/bin/djpeg");
	CHECK(!find(cover(), "Pillow PNG"));
}

TEST(more_libraries_than_room_do_no_harm)
{
	static char names[FAKE_OPERATIONS][8];
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
