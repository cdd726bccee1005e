/* SPDX-License-Identifier: MIT */
/* Memory of nested operations; linked to jemalloc, whose counters it is. */
#include "peak.h"
#include "config.h"
#include "jemalloc.h"
#include "resolve.h"
#include "tap.h"

#define MB (1024 * 1024)

static struct wan_lane *lane(void)
{
	static struct wan_config config;
	static struct wan_recorder *recorder;
	if (!recorder) {
		wan_config_defaults(&config);
		if (wan_recorder_create(&config, WAN_ROLE_PRELOADED, NULL, &recorder) != 0)
			return NULL;
	}
	return wan_lane_get(recorder);
}

static const struct wan_codec codec; /* of this program's own namespace */

static void use(size_t bytes)
{
	char *volatile block = malloc(bytes);
	block[0] = 1;
	free(block);
}

static bool is_about(int64_t value, int64_t wanted)
{
	return value >= wanted && value < wanted + MB / 2;
}

TEST(peak_is_that_of_the_operation)
{
	struct wan_object object = {.lane = lane(), .codec = &codec};
	int64_t net, peak;
	if (!wan_jemalloc_active())
		SKIP("malloc is not jemalloc's here");
	use(40 * MB); /* before: not counted */
	wan_peak_begin(&object);
	use(5 * MB);
	void *volatile kept = malloc(2 * MB);
	REQUIRE(wan_peak_end(&object, &net, &peak));
	CHECK(is_about(peak, 5 * MB));
	CHECK(is_about(net, 2 * MB));
	free(kept);
	wan_peak_forget(&object);
}

TEST(inner_operation_keeps_its_own_peak_and_gives_it_to_the_outer)
{
	struct wan_object outer = {.lane = lane(), .codec = &codec},
			  inner = {.lane = lane(), .codec = &codec};
	int64_t net, peak;
	if (!wan_jemalloc_active())
		SKIP("malloc is not jemalloc's here");
	wan_peak_begin(&outer);
	use(6 * MB);
	wan_peak_begin(&inner);
	use(3 * MB);
	REQUIRE(wan_peak_end(&inner, &net, &peak));
	CHECK(is_about(peak, 3 * MB));
	wan_peak_forget(&inner);
	REQUIRE(wan_peak_end(&outer, &net, &peak));
	CHECK(is_about(peak, 6 * MB));
	wan_peak_forget(&outer);

	wan_peak_begin(&outer);
	use(1 * MB);
	wan_peak_begin(&inner);
	use(10 * MB);
	REQUIRE(wan_peak_end(&inner, &net, &peak));
	CHECK(is_about(peak, 10 * MB));
	wan_peak_forget(&inner);
	use(2 * MB);
	REQUIRE(wan_peak_end(&outer, &net, &peak));
	CHECK(is_about(peak, 10 * MB));
	wan_peak_forget(&outer);
}

TEST(overlapping_operations_end_in_any_order)
{
	struct wan_object first = {.lane = lane(), .codec = &codec},
			  second = {.lane = lane(), .codec = &codec};
	int64_t net, peak;
	if (!wan_jemalloc_active())
		SKIP("malloc is not jemalloc's here");
	wan_peak_begin(&first);
	use(2 * MB);
	wan_peak_begin(&second);
	use(4 * MB);
	REQUIRE(wan_peak_end(&first, &net, &peak));
	CHECK(is_about(peak, 4 * MB));
	wan_peak_forget(&first);
	use(7 * MB);
	REQUIRE(wan_peak_end(&second, &net, &peak));
	CHECK(is_about(peak, 7 * MB));
	wan_peak_forget(&second);
}

TEST(more_than_can_be_followed_have_no_peak)
{
	struct wan_object objects[10];
	int64_t net, peak;
	if (!wan_jemalloc_active())
		SKIP("malloc is not jemalloc's here");
	for (int i = 0; i < 10; i++) {
		objects[i] = (struct wan_object){.lane = lane(), .codec = &codec};
		wan_peak_begin(&objects[i]);
	}
	use(2 * MB);
	for (int i = 9; i >= 0; i--) {
		REQUIRE(wan_peak_end(&objects[i], &net, &peak));
		CHECK(i >= 8 ? peak == -1 : is_about(peak, 2 * MB));
		wan_peak_forget(&objects[i]);
	}
}

TAP_MAIN
