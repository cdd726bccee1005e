/* SPDX-License-Identifier: MIT */
/* Every kind of picture frozen and thawed through the operations a cache uses. */
#include <errno.h>

#include "cold.h"
#include "fault.h"
#include "sample.h"
#include "tap.h"

static const enum wan_pixel_format formats[] = {
	WAN_PIXEL_GRAY8,  WAN_PIXEL_GRAYA8,  WAN_PIXEL_RGB8,  WAN_PIXEL_RGBA8,  WAN_PIXEL_CMYK8,
	WAN_PIXEL_GRAY16, WAN_PIXEL_GRAYA16, WAN_PIXEL_RGB16, WAN_PIXEL_RGBA16,
};

enum look {
	SMOOTH,  /* as a photograph: slopes and a little noise */
	PATTERN, /* repeats to the byte, with large steps */
	NOISE,
	LOOKS
};

static uint32_t random_word(void)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static struct wan_image *make(enum wan_pixel_format format, uint32_t width, uint32_t height,
			      enum look look)
{
	struct wan_image *image = NULL;
	CHECK_EQ(wan_image_create(format, width, height, &image), 0);
	size_t stride = image->view.stride_bytes;
	for (uint32_t y = 0; y < height; y++) {
		uint8_t *row = wan_image_row(image, y);
		for (size_t i = 0; i < stride; i++) {
			uint8_t noise = (uint8_t)random_word();
			row[i] = look == NOISE    ? noise
				 : look == SMOOTH ? (uint8_t)(i / 9 + y / 3 + noise % 5)
						  : (uint8_t)((i / 3 % 5 * 50) ^ (y % 4 * 77));
		}
	}
	image->view.warnings = 3;
	return image;
}

static bool same_image(const struct wan_image *a, const struct wan_image *b)
{
	return CHECK_EQ(a->view.format, b->view.format) &&
	       CHECK_EQ(a->view.width_px, b->view.width_px) &&
	       CHECK_EQ(a->view.height_px, b->view.height_px) &&
	       CHECK_EQ(a->view.channels, b->view.channels) &&
	       CHECK_EQ(a->view.stride_bytes, b->view.stride_bytes) &&
	       CHECK_EQ(a->view.pixels_bytes, b->view.pixels_bytes) &&
	       CHECK_EQ(a->view.warnings, b->view.warnings) &&
	       CHECK_MEM(a->pixels, b->pixels, a->view.pixels_bytes);
}

/* 0 and the same pixels, or the error of freezing. */
static int round_trip(struct wan_image *image, uint64_t bytes_max, enum wan_cold_kind *ret_kind)
{
	const struct wan_cold_ops *ops = wan_image_cold_ops(image);
	struct wan_value cold = {0}, again = {0};
	int result = ops->freeze(image, bytes_max, &cold);
	if (result < 0)
		return result;
	CHECK(cold.bytes <= bytes_max);
	CHECK_EQ(cold.flags, 0);
	*ret_kind = ((struct wan_cold_image *)cold.data)->kind;
	CHECK_EQ(ops->thaw(cold.data, &again), 0);
	CHECK_EQ(again.bytes, image->view.pixels_bytes);
	CHECK(again.cold == ops);
	same_image(again.data, image);
	again.destroy(again.data);
	cold.destroy(cold.data);
	return 0;
}

TEST(pictures_of_every_format_and_size_come_back_to_the_byte)
{
	static const uint32_t sizes[][2] = {{1, 1},   {1, 400}, {400, 1},  {2, 3},     {15, 17},
					    {16, 16}, {33, 65}, {97, 131}, {640, 211}, {5000, 3}};
	unsigned kept[LOOKS] = {0};
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			for (int look = 0; look < LOOKS; look++) {
				struct wan_image *image =
					make(formats[f], sizes[s][0], sizes[s][1], (enum look)look);
				enum wan_cold_kind kind;
				int result = round_trip(image, UINT64_MAX, &kind);
				CHECK(result == 0 || result == -E2BIG);
				kept[look] += result == 0;
				wan_image_unref(image);
			}
		}
	}
	CHECK(kept[SMOOTH] > 20 && kept[PATTERN] > 40);
	CHECK_EQ(kept[NOISE], 0);
}

TEST(each_picture_takes_the_form_that_suits_it)
{
	struct wan_image *smooth = make(WAN_PIXEL_RGB8, 300, 200, SMOOTH);
	struct wan_image *pattern = make(WAN_PIXEL_RGB8, 300, 200, PATTERN);
	struct wan_image *wide = make(WAN_PIXEL_RGB16, 300, 200, PATTERN);
	enum wan_cold_kind kind;
	REQUIRE_EQ(round_trip(smooth, UINT64_MAX, &kind), 0);
	CHECK_STR(wan_cold_kind_name(kind), "packed");
	REQUIRE_EQ(round_trip(pattern, UINT64_MAX, &kind), 0);
	CHECK_STR(wan_cold_kind_name(kind), "squeezed");
	REQUIRE_EQ(round_trip(wide, UINT64_MAX, &kind), 0);
	CHECK_STR(wan_cold_kind_name(kind), "squeezed");
	wan_image_unref(smooth);
	wan_image_unref(pattern);
	wan_image_unref(wide);
}

TEST(a_bound_on_the_bytes_is_kept)
{
	struct wan_image *image = make(WAN_PIXEL_RGB8, 640, 480, SMOOTH);
	const struct wan_cold_ops *ops = wan_image_cold_ops(image);
	struct wan_value cold = {0};
	REQUIRE_EQ(ops->freeze(image, UINT64_MAX, &cold), 0);
	uint64_t bytes = cold.bytes;
	cold.destroy(cold.data);
	enum wan_cold_kind kind;
	CHECK_EQ(round_trip(image, bytes, &kind), 0);
	for (uint64_t most = 0; most < bytes; most += bytes / 13)
		CHECK_EQ(round_trip(image, most, &kind), -E2BIG);
	CHECK_EQ(round_trip(image, bytes - 1, &kind), -E2BIG);
	wan_image_unref(image);
}

TEST(noise_is_refused_before_it_is_compressed)
{
	struct wan_image *image = make(WAN_PIXEL_RGB8, 3000, 2000, NOISE);
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_REALLOC, UINT64_MAX, ENOMEM, false);
	enum wan_cold_kind kind;
	CHECK_EQ(round_trip(image, UINT64_MAX, &kind), -E2BIG);
	CHECK_EQ(wan_fault_calls(WAN_FAULT_REALLOC), 0);
	CHECK_EQ(wan_fault_balance().blocks, 0);
	wan_fault_remove();
	wan_image_unref(image);
}

TEST(damaged_forms_are_refused_or_give_a_picture)
{
	for (int look = SMOOTH; look <= PATTERN; look++) {
		struct wan_image *image = make(WAN_PIXEL_RGB8, 90, 70, (enum look)look);
		const struct wan_cold_ops *ops = wan_image_cold_ops(image);
		struct wan_value cold = {0};
		REQUIRE_EQ(ops->freeze(image, UINT64_MAX, &cold), 0);
		uint8_t *bytes = (uint8_t *)cold.data + sizeof(struct wan_cold_image);
		size_t count = cold.bytes - sizeof(struct wan_cold_image);
		unsigned refused = 0;
		for (int round = 0; round < 2000; round++) {
			size_t at = round < 16 ? (size_t)round : random_word() % count;
			uint8_t before = bytes[at];
			struct wan_value again = {0};
			bytes[at] ^= (uint8_t)(1u << random_word() % 8);
			int result = ops->thaw(cold.data, &again);
			bytes[at] = before;
			refused += result < 0;
			if (result == 0)
				again.destroy(again.data);
			else
				CHECK(result == -EBADMSG || result == -ENOMEM);
		}
		CHECK(refused > 5);
		cold.destroy(cold.data);
		wan_image_unref(image);
	}
}

static void freeze_and_thaw(void *context)
{
	struct wan_image *image = context;
	enum wan_cold_kind kind;
	const struct wan_cold_ops *ops = wan_image_cold_ops(image);
	struct wan_value cold = {0}, again = {0};
	int result = ops->freeze(image, UINT64_MAX, &cold);
	CHECK(result == 0 || result == -ENOMEM);
	if (result == 0) {
		kind = ((struct wan_cold_image *)cold.data)->kind;
		CHECK(kind == WAN_COLD_PACKED || kind == WAN_COLD_SQUEEZED);
		result = ops->thaw(cold.data, &again);
		CHECK(result == 0 || result == -ENOMEM);
		if (result == 0) {
			same_image(again.data, image);
			again.destroy(again.data);
		}
		cold.destroy(cold.data);
	}
	(void)wan_pool_trim(0);
}

TEST(every_fault_is_survived)
{
	for (int look = SMOOTH; look <= PATTERN; look++) {
		struct wan_image *image = make(WAN_PIXEL_RGBA8, 120, 200, (enum look)look);
		CHECK(wan_fault_sweep(freeze_and_thaw, image) > 0);
		wan_image_unref(image);
	}
}

TEST(there_is_no_form_of_nothing)
{
	CHECK(wan_image_cold_ops(NULL) == NULL);
}

TAP_MAIN
