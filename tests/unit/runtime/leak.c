/* SPDX-License-Identifier: MIT */
#include "wan/leak.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "tap.h"

enum { MIB = 1 << 20, BLOCKS = 400 };

static void *blocks[BLOCKS];
static size_t block_count;
static struct wan_leak leak;
static struct wan_leak_result result;

static void begin(struct wan_runtime *runtime, const struct wan_leak_options *options)
{
	result = (struct wan_leak_result){.struct_size = sizeof(result)};
	REQUIRE(wan_leak_begin(&leak, runtime, options, NULL) == 0);
}

/* Kept until the end of the test, and really there. */
static void keep(size_t bytes)
{
	blocks[block_count] = malloc(bytes);
	memset(blocks[block_count++], 1, bytes);
}

static void drop(void)
{
	while (block_count)
		free(blocks[--block_count]);
}

static int judge(void)
{
	int verdict = wan_leak_judge(&leak, &result);
	printf("# %s (%s; %.0f bytes each, %.0f to %.0f)\n", result.reason, result.source,
	       result.each_bytes, result.each_low_bytes, result.each_high_bytes);
	return verdict;
}

static struct wan_runtime *make_runtime(const char *cache_limit)
{
	const struct wan_setting settings[] = {
		{"cache.limit", cache_limit}, {"cache.entries", "100000"}, {"record.path", "off"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime = NULL;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = 3;
	options.ignore_files = options.no_thread = true;
	CHECK(wan_runtime_create(&options, &runtime, NULL) == 0);
	return runtime;
}

TEST(an_allocator_of_this_process_keeps_books)
{
	uint64_t before, after;
	if (wan_heap_books() == WAN_HEAP_BOOKS_NONE)
		SKIP("nobody's books can be read here");
	REQUIRE(wan_heap_process_bytes(&before));
	keep(3 * MIB);
	REQUIRE(wan_heap_process_bytes(&after));
	CHECK(after - before >= 3 * MIB && after - before < 4 * MIB);
	drop();
}

TEST(one_megabyte_per_iteration_is_found)
{
	begin(NULL, NULL);
	for (int i = 0; i < 10; i++) {
		keep(MIB);
		free(malloc(5 * MIB));
		wan_leak_iteration(&leak);
	}
	CHECK_EQ(judge(), WAN_LEAK_FOUND);
	CHECK_EQ(result.iterations, 10);
	CHECK(result.each_bytes > 0.9 * MIB && result.each_bytes < 1.2 * MIB);
	drop();
}

TEST(what_comes_once_or_goes_again_is_no_leak)
{
	begin(NULL, NULL);
	for (int i = 0; i < 20; i++) {
		if (i == 2 || i == 9)
			keep(20 * MIB);
		free(malloc(MIB * (size_t)(1 + i % 5)));
		wan_leak_iteration(&leak);
	}
	CHECK_EQ(judge(), WAN_LEAK_NONE);
	drop();
}

static struct wan_key key_of(int number)
{
	return wan_key_of(&number, sizeof(number));
}

static void unref_image(void *image)
{
	wan_image_unref(image);
}

static struct wan_image *make_image(void)
{
	struct wan_image *image = NULL;
	CHECK(wan_image_create(WAN_PIXEL_RGB8, 1024, 512, &image) == 0); /* 1.5 MB */
	return image;
}

TEST(a_cache_of_ours_that_fills_is_no_leak)
{
	struct wan_runtime *runtime = make_runtime("256M");
	REQUIRE(runtime != NULL);
	struct wan_cache *cache = wan_runtime_cache(runtime);
	begin(runtime, NULL);
	for (int i = 0; i < 30; i++) {
		struct wan_value block = {.data = malloc(MIB), .bytes = MIB, .destroy = free};
		struct wan_value image = {
			.data = make_image(), .bytes = 1536 * 1024, .destroy = unref_image};
		CHECK(wan_cache_put(cache, key_of(2 * i), &block) == 0);
		CHECK(wan_cache_put(cache, key_of(2 * i + 1), &image) == 0);
		wan_leak_iteration(&leak);
	}
	CHECK_EQ(judge(), WAN_LEAK_NONE);
	CHECK(result.growth_bytes < 2 * MIB); /* of 75 */
	wan_runtime_unref(runtime);
}

TEST(a_leak_beside_a_cache_that_fills_is_found)
{
	struct wan_runtime *runtime = make_runtime("16M");
	REQUIRE(runtime != NULL);
	struct wan_cache *cache = wan_runtime_cache(runtime);
	begin(runtime, NULL);
	for (int i = 0; i < 20; i++) {
		struct wan_value block = {.data = malloc(MIB), .bytes = MIB, .destroy = free};
		CHECK(wan_cache_put(cache, key_of(i), &block) == 0);
		keep(MIB / 2);
		wan_leak_iteration(&leak);
	}
	CHECK_EQ(judge(), WAN_LEAK_FOUND);
	CHECK(result.each_bytes > 0.4 * MIB && result.each_bytes < 0.7 * MIB);
	wan_runtime_unref(runtime);
	drop();
}

TEST(images_nobody_gives_back_are_a_leak)
{
	static struct wan_image *images[12];
	if (wan_heap_books() == WAN_HEAP_BOOKS_NONE)
		SKIP("resident memory does not show pages that were not written");
	begin(NULL, NULL);
	for (int i = 0; i < 12; i++) {
		images[i] = make_image();
		wan_image_unref(make_image());
		wan_leak_iteration(&leak);
	}
	CHECK_EQ(judge(), WAN_LEAK_FOUND);
	CHECK(result.each_bytes >= 1.5 * MIB);
	for (int i = 0; i < 12; i++)
		wan_image_unref(images[i]);
}

TEST(thousands_of_iterations_fit)
{
	begin(NULL, NULL);
	for (int i = 0; i < 3000; i++) {
		if (i % 10 == 0)
			keep(400 * 1024);
		wan_leak_iteration(&leak);
	}
	CHECK_EQ(judge(), WAN_LEAK_FOUND);
	CHECK_EQ(result.iterations, 3000);
	CHECK(result.each_bytes > 36 * 1024 && result.each_bytes < 44 * 1024);
	drop();
}

TEST(the_limit_of_the_requirements_is_exact)
{
	struct wan_leak_options options;
	for (int above = 0; above < 2; above++) {
		wan_leak_options_init(&options);
		options.classic = true;
		begin(NULL, &options);
		for (int i = 0; i < 9; i++)
			wan_leak_iteration(&leak);
		double before;
		(void)judge();
		before = result.growth_bytes;
		options.limit_bytes = (uint64_t)(2 * MIB); /* the same rule in little */
		begin(NULL, &options);
		for (int i = 0; i < 9; i++)
			wan_leak_iteration(&leak);
		keep((size_t)(2 * MIB - 65536 + above * 131072 - (int)before));
		wan_leak_iteration(&leak);
		CHECK_EQ(judge(), above ? WAN_LEAK_FOUND : WAN_LEAK_NONE);
		drop();
	}
}

TEST(few_iterations_and_wrong_calls_are_answered)
{
	struct wan_leak_options options;
	wan_leak_options_init(&options);
	begin(NULL, NULL);
	for (int i = 0; i < 9; i++)
		wan_leak_iteration(&leak);
	CHECK_EQ(judge(), WAN_LEAK_INCONCLUSIVE);
	wan_leak_iteration(&leak);
	CHECK_EQ(judge(), WAN_LEAK_NONE);
	options.iterations = 5;
	CHECK_EQ(wan_leak_begin(&leak, NULL, &options, NULL), -EINVAL);
	CHECK_EQ(wan_leak_begin(NULL, NULL, NULL, NULL), -EINVAL);
	CHECK_EQ(wan_leak_judge(NULL, &result), -EINVAL);
	struct wan_leak blank = {{0}};
	wan_leak_iteration(&blank);
	CHECK_EQ(wan_leak_judge(&blank, &result), -EINVAL);
}

TAP_MAIN
