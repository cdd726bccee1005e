/* SPDX-License-Identifier: MIT */
/* What can be had of an image that memory has no room for. */
#include "stages.h"

static const char *large(const char *name, uint32_t width, uint32_t height,
			 enum wan_file_format format)
{
	const char *path = in_folder(name);
	write_picture(path, 100, width, height, format);
	wan_pool_trim(0);
	return path;
}

/* 12 megapixels: 34.3 MB of pixels. */
static const char *large_jpeg(void)
{
	return large("large.jpg", 4000, 3000, WAN_FORMAT_JPEG);
}

/* 15.6 MB of pixels. */
static const char *large_png(void)
{
	return large("large.png", 2600, 2000, WAN_FORMAT_PNG);
}

static struct wan_load_offer offer_of(struct wan_runtime *runtime, const char *path,
				      const struct wan_decode_options *options)
{
	struct wan_load_offer offer = {.struct_size = sizeof(offer)};
	struct wan_error error = {0};
	CHECK_EQ(wan_load_offer(runtime, path, options, &offer, &error), 0);
	return offer;
}

TEST(where_there_is_room_the_whole_is_offered)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	struct wan_load_offer offer = offer_of(runtime, picture(7), NULL);
	CHECK_EQ(offer.divisor, 1);
	CHECK_EQ(offer.width_px, WIDTH);
	CHECK_EQ(offer.height_px, HEIGHT);
	CHECK_EQ(offer.bytes, offer.whole_bytes);
	CHECK(offer.bytes <= offer.room_bytes);
	wan_runtime_unref(runtime);
}

TEST(a_refused_jpeg_names_the_largest_scale_that_fits)
{
	const char *path = large_jpeg();
	struct wan_runtime *runtime = make_tight_runtime(14 * WAN_MIB);
	struct wan_pin *pin = NULL;
	struct wan_error error = {0};
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, &error), -ENOMEM);
	CHECK(strstr(error.hint, "1/2 of it fits: 2000x1500") != NULL);
	CHECK(strstr(error.hint, "accept_divisor = 2") != NULL);
	struct wan_load_offer offer = offer_of(runtime, path, NULL);
	CHECK_EQ(offer.divisor, 2);
	CHECK_EQ(offer.width_px, 2000);
	CHECK_EQ(offer.height_px, 1500);
	CHECK(offer.bytes <= offer.room_bytes && offer.room_bytes < offer.whole_bytes);
	CHECK(offer.by_rows);
	CHECK_STR(offer.limiting, "process");
	wan_runtime_unref(runtime);
}

TEST(who_accepts_a_scale_gets_it_and_the_whole_is_not_confused_with_it)
{
	const char *path = large_jpeg();
	struct wan_runtime *runtime = make_tight_runtime(14 * WAN_MIB);
	struct wan_decode_options options;
	struct wan_pin *pin = NULL;
	struct wan_image_view view;
	struct wan_error error = {0};
	bool hit = true;
	wan_decode_options_init(&options);
	options.accept_divisor = 8;
	REQUIRE_EQ(wan_load(runtime, path, &options, &pin, &hit, &error), 0);
	wan_image_view(wan_pin_image(pin), &view);
	CHECK(!hit);
	CHECK_EQ(view.width_px, 2000);
	CHECK_EQ(view.height_px, 1500);
	wan_pin_release(pin);
	REQUIRE_EQ(wan_load(runtime, path, &options, &pin, &hit, &error), 0);
	CHECK(hit);
	wan_pin_release(pin);
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, &error), -ENOMEM);
	options.accept_divisor = 1;
	CHECK_EQ(wan_load(runtime, path, &options, &pin, NULL, &error), -ENOMEM);
	wan_runtime_unref(runtime);
}

TEST(a_png_is_offered_by_rows_and_judged_by_fewer_pixels)
{
	const char *path = large_png();
	struct wan_runtime *runtime = make_tight_runtime(14 * WAN_MIB);
	struct wan_pin *pin = NULL;
	struct wan_error error = {0};
	struct wan_verdict verdict;
	struct wan_image_info info;
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, &error), -ENOMEM);
	CHECK(strstr(error.hint, "by rows") != NULL);
	struct wan_load_offer offer = offer_of(runtime, path, NULL);
	CHECK_EQ(offer.divisor, 0);
	CHECK_EQ(offer.width_px, 0);
	CHECK(offer.by_rows);
	REQUIRE_EQ(wan_validate(runtime, path, &info, &verdict, NULL, &error), 0);
	CHECK(verdict.preview);
	CHECK_EQ(info.width_px, 2600);
	REQUIRE_EQ(wan_fit(runtime, path, 640, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &pin, NULL,
			   &error),
		   0);
	CHECK_EQ(first_byte(pin), 100);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

TEST(nothing_is_evicted_for_what_cannot_fit)
{
	const char *path = large_png();
	struct wan_runtime *runtime = make_tight_runtime(14 * WAN_MIB);
	CHECK_EQ(load(runtime, picture(9), NULL), 9);
	uint64_t entries = cache_stats(runtime).entries;
	struct wan_pin *pin;
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, NULL), -ENOMEM);
	CHECK_EQ(cache_stats(runtime).entries, entries);
	wan_runtime_unref(runtime);
}

TEST(impossible_questions_are_refused)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	struct wan_load_offer offer = {.struct_size = 0};
	CHECK_EQ(wan_load_offer(runtime, "x", NULL, &offer, NULL), -EINVAL);
	offer.struct_size = sizeof(offer);
	CHECK_EQ(wan_load_offer(runtime, NULL, NULL, &offer, NULL), -EINVAL);
	CHECK_EQ(wan_load_offer(runtime, "x", NULL, NULL, NULL), -EINVAL);
	CHECK_EQ(wan_load_offer(runtime, in_folder("none.png"), NULL, &offer, NULL), -ENOENT);
	wan_runtime_unref(runtime);
}

TAP_MAIN
