/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "codec.h"
#include "tap.h"

static struct wan_header header(enum wan_file_format format, uint32_t width, uint32_t height)
{
	return (struct wan_header){.info = {.format = format,
					    .width_px = width,
					    .height_px = height,
					    .bit_depth = 8,
					    .channels = 3,
					    .color = WAN_COLOR_RGB,
					    .exif_orientation = 1,
					    .scans = 1}};
}

static struct wan_decode_options defaults(void)
{
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	return options;
}

TEST(the_output_is_priced_exactly)
{
	struct wan_header h = header(WAN_FORMAT_PNG, 1920, 1080);
	struct wan_decode_options options = defaults();
	uint64_t output, peak;
	wan_price(&h, &options, &output, &peak);
	CHECK_EQ(output, 1920 * 1080 * 3);
	CHECK(peak > output && peak < output + 512 * 1024);
	options.want = WAN_PIXEL_RGBA16;
	wan_price(&h, &options, &output, &peak);
	CHECK_EQ(output, 1920 * 1080 * 8);
}

TEST(a_converted_interlaced_png_needs_a_second_image)
{
	struct wan_header h = header(WAN_FORMAT_PNG, 1000, 1000);
	struct wan_decode_options options = defaults();
	uint64_t output, straight, peak;
	h.info.interlaced = true;
	wan_price(&h, &options, &output, &straight);
	options.want = WAN_PIXEL_RGBA8;
	wan_price(&h, &options, &output, &peak);
	CHECK_EQ(peak - straight, 1000000 + 3000000);
	options = defaults();
	h.info.exif_orientation = 6;
	wan_price(&h, &options, &output, &peak);
	CHECK_EQ(peak - straight, 3000000);
}

TEST(what_a_probe_gave_is_enough_to_price_other_options)
{
	static const enum wan_pixel_format wants[] = {0, WAN_PIXEL_GRAY8, WAN_PIXEL_RGB8,
						      WAN_PIXEL_RGBA16};
	unsigned differ = 0;
	for (unsigned i = 0; i < 4096; i++) {
		struct wan_header h = header(i & 1 ? WAN_FORMAT_PNG : WAN_FORMAT_JPEG,
					     1 + i * 37 % 3001, 1 + i * 91 % 2003);
		h.info.interlaced = h.multi_scan = i & 2;
		h.coefficient_bytes = h.multi_scan ? 777777 : 0;
		h.info.exif_orientation = (uint8_t)(1 + (i >> 2) % 8);
		h.info.channels = (uint8_t)(i & 1 ? 1 + (i >> 5) % 4 : 3);
		h.info.bit_depth = i & 1 && i & 128 ? 16 : 8;
		struct wan_decode_options options = defaults();
		wan_price(&h, &options, &h.info.output_bytes, &h.info.peak_bytes);
		options.want = wants[(i >> 8) % 4];
		options.alpha = (i >> 10) % 4;
		options.apply_orientation = i & 16;
		options.min_width_px = i % 5 * 100;
		uint64_t output, peak, output_of_info, peak_of_info;
		wan_price(&h, &options, &output, &peak);
		wan_price_of_info(&h.info, &options, &output_of_info, &peak_of_info);
		differ += output != output_of_info || peak != peak_of_info;
	}
	CHECK_EQ(differ, 0);
}

TEST(prices_saturate_instead_of_wrapping)
{
	struct wan_header h = header(WAN_FORMAT_PNG, UINT32_MAX, UINT32_MAX);
	struct wan_decode_options options = defaults();
	uint64_t output, peak;
	h.info.channels = 4;
	h.info.bit_depth = 16;
	h.info.interlaced = true;
	options.want = WAN_PIXEL_RGBA8;
	wan_price(&h, &options, &output, &peak);
	CHECK(output == UINT64_MAX && peak == UINT64_MAX);
	CHECK_EQ(wan_limits_check("x", &h, &options, NULL), -EFBIG);
}

TEST(limits_are_exact)
{
	struct wan_header h = header(WAN_FORMAT_PNG, 1000, 1000);
	struct wan_decode_options options = defaults();
	struct wan_error error;
	uint64_t output, peak;
	options.max_pixels = 1000000;
	CHECK_EQ(wan_limits_check("x", &h, &options, NULL), 0);
	options.max_pixels = 999999;
	CHECK_EQ(wan_limits_check("x", &h, &options, &error), -EFBIG);
	CHECK_STR(error.object, "x");
	CHECK(strstr(error.reason, "image.max_pixels (999999)") != NULL);
	options = defaults();
	wan_price(&h, &options, &output, &peak);
	options.max_bytes = peak;
	CHECK_EQ(wan_limits_check("x", &h, &options, NULL), 0);
	options.max_bytes = peak - 1;
	CHECK_EQ(wan_limits_check("x", &h, &options, &error), -EFBIG);
	CHECK(strstr(error.reason, "image.max_bytes") != NULL);
	options.max_bytes = peak;
	h.info.file_bytes = peak + 1;
	CHECK_EQ(wan_limits_check("x", &h, &options, NULL), -EFBIG);
}

TEST(large_images_may_have_fewer_scans)
{
	struct wan_decode_options options = defaults();
	CHECK_EQ(wan_scan_limit(1, &options), 100);
	CHECK_EQ(wan_scan_limit(options.max_pixels / 10, &options), 100);
	CHECK_EQ(wan_scan_limit(options.max_pixels / 5, &options), 50);
	CHECK_EQ(wan_scan_limit(options.max_pixels, &options), 10);
	options.max_scans = 3;
	CHECK_EQ(wan_scan_limit(1, &options), 3);
	struct wan_header h = header(WAN_FORMAT_JPEG, 100, 100);
	h.info.scans = 3;
	CHECK_EQ(wan_limits_check("x", &h, &options, NULL), 0);
	h.info.scans = 4;
	CHECK_EQ(wan_limits_check("x", &h, &options, NULL), -EFBIG);
}

TEST(a_file_needs_some_bytes_for_its_pixels)
{
	struct wan_header png = header(WAN_FORMAT_PNG, 1032, 1000);
	png.info.file_bytes = 3000;
	CHECK(wan_bytes_suffice(&png));
	png.info.file_bytes = 2999;
	CHECK(!wan_bytes_suffice(&png));
	png.info.color = WAN_COLOR_PALETTE; /* a third of the raw bytes */
	CHECK(wan_bytes_suffice(&png));
	struct wan_header jpeg = header(WAN_FORMAT_JPEG, 1000, 1000);
	jpeg.smallest_blocks = 8000;
	jpeg.info.file_bytes = 1000;
	CHECK(wan_bytes_suffice(&jpeg));
	jpeg.info.file_bytes = 999;
	CHECK(!wan_bytes_suffice(&jpeg));
	jpeg.arithmetic = true;
	CHECK(wan_bytes_suffice(&jpeg));
	jpeg.smallest_blocks = 512 * 1000;
	CHECK(!wan_bytes_suffice(&jpeg));
}

TEST(the_target_format_follows_the_policies)
{
	static const struct {
		enum wan_pixel_format natural, want;
		enum wan_alpha_policy alpha;
		int result;
		enum wan_pixel_format target;
	} cases[] = {
		{WAN_PIXEL_RGBA8, 0, WAN_ALPHA_KEEP, 0, WAN_PIXEL_RGBA8},
		{WAN_PIXEL_RGBA8, 0, WAN_ALPHA_DROP, 0, WAN_PIXEL_RGB8},
		{WAN_PIXEL_GRAYA16, 0, WAN_ALPHA_WHITE, 0, WAN_PIXEL_GRAY16},
		{WAN_PIXEL_RGBA8, 0, WAN_ALPHA_REFUSE, -EPROTONOSUPPORT, 0},
		{WAN_PIXEL_RGBA8, WAN_PIXEL_RGB8, WAN_ALPHA_REFUSE, -EPROTONOSUPPORT, 0},
		{WAN_PIXEL_RGBA8, WAN_PIXEL_RGB8, WAN_ALPHA_KEEP, 0, WAN_PIXEL_RGB8},
		{WAN_PIXEL_RGB8, WAN_PIXEL_GRAY8, WAN_ALPHA_REFUSE, 0, WAN_PIXEL_GRAY8},
		{WAN_PIXEL_RGBA8, WAN_PIXEL_GRAYA8, WAN_ALPHA_REFUSE, 0, WAN_PIXEL_GRAYA8},
		{WAN_PIXEL_CMYK8, 0, WAN_ALPHA_DROP, 0, WAN_PIXEL_CMYK8},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum wan_pixel_format target = 0;
		CHECK_EQ(
			wan_target_format(cases[i].natural, cases[i].want, cases[i].alpha, &target),
			cases[i].result);
		CHECK_EQ(target, cases[i].target);
	}
}

TAP_MAIN
