/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "sample.h"
#include "tap.h"
#include "validate.h"

static const struct wan_issue *find(const struct wan_verdict *verdict, const char *id)
{
	for (uint32_t i = 0; i < verdict->issue_count; i++)
		if (strcmp(verdict->issues[i].id, id) == 0)
			return &verdict->issues[i];
	return NULL;
}

static bool has(const struct wan_verdict *verdict, const char *id, enum wan_severity severity)
{
	const struct wan_issue *issue = find(verdict, id);
	return issue && issue->severity == severity && issue->message[0];
}

static struct wan_verdict validate(const struct wan_image *image, const struct wan_image_info *info)
{
	struct wan_verdict verdict = {.valid = false};
	CHECK_EQ(wan_image_validate(image, info, &verdict), 0);
	return verdict;
}

/* Pixels nobody complains about. */
static struct wan_verdict validate_size(uint32_t width, uint32_t height)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, width, height);
	struct wan_verdict verdict = validate(image, NULL);
	wan_image_unref(image);
	return verdict;
}

TEST(a_good_image_has_nothing_to_be_said)
{
	struct wan_verdict verdict = validate_size(1280, 720);
	CHECK(verdict.valid);
	CHECK_EQ(verdict.issue_count, 0);
	CHECK_STR(verdict.ratio_label, "16:9 (Widescreen)");
	CHECK(verdict.blur_variance > 100);
}

TEST(sides_of_256_to_4096_are_valid)
{
	struct wan_verdict verdict = validate_size(255, 600);
	CHECK(!verdict.valid && has(&verdict, "too_small", WAN_SEVERITY_ERROR));
	CHECK_NEAR(find(&verdict, "too_small")->value, 255, 0);
	CHECK_NEAR(find(&verdict, "too_small")->limit, 256, 0);
	verdict = validate_size(600, 255);
	CHECK(!verdict.valid && has(&verdict, "too_small", WAN_SEVERITY_ERROR));
	verdict = validate_size(256, 256);
	CHECK(verdict.valid && !find(&verdict, "too_small"));
	verdict = validate_size(4096, 600);
	CHECK(verdict.valid && !find(&verdict, "too_large"));
	verdict = validate_size(4097, 600);
	CHECK(!verdict.valid && has(&verdict, "too_large", WAN_SEVERITY_ERROR));
	verdict = validate_size(600, 4097);
	CHECK(!verdict.valid && has(&verdict, "too_large", WAN_SEVERITY_ERROR));
}

TEST(below_512_a_larger_image_is_recommended)
{
	struct wan_verdict verdict = validate_size(511, 512);
	CHECK(verdict.valid && has(&verdict, "below_recommended_size", WAN_SEVERITY_WARNING));
	verdict = validate_size(512, 512);
	CHECK(!find(&verdict, "below_recommended_size"));
}

TEST(fifty_megabytes_are_the_limit)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGBA8, 600, 600);
	struct wan_image_info info = {.format = WAN_FORMAT_PNG,
				      .width_px = 600,
				      .height_px = 600,
				      .bit_depth = 8,
				      .channels = 4,
				      .color = WAN_COLOR_RGB_ALPHA,
				      .has_alpha = true,
				      .exif_orientation = 1};
	info.file_bytes = 50 << 20;
	struct wan_verdict verdict = validate(image, &info);
	CHECK(verdict.valid && !find(&verdict, "file_too_large"));
	CHECK(has(&verdict, "large_file", WAN_SEVERITY_INFO));
	info.file_bytes++;
	verdict = validate(image, &info);
	CHECK(!verdict.valid && has(&verdict, "file_too_large", WAN_SEVERITY_ERROR));
	wan_image_unref(image);

	/* 64 MB of RGBA fail, 48 MB of RGB pass. */
	image = sample_image(WAN_PIXEL_RGBA8, 4096, 4096);
	verdict = validate(image, NULL);
	CHECK(!verdict.valid && has(&verdict, "pixels_too_large", WAN_SEVERITY_ERROR));
	CHECK(!find(&verdict, "file_too_large"));
	wan_image_unref(image);
	verdict = validate_size(4096, 4096);
	CHECK(verdict.valid && !find(&verdict, "pixels_too_large"));
}

/* 600 x 600 RGB of which the first count samples have another value. */
static struct wan_verdict validate_two_values(uint8_t value, uint8_t other, size_t count)
{
	struct wan_image *image;
	if (wan_image_create(WAN_PIXEL_RGB8, 600, 600, &image) < 0)
		abort();
	uint8_t *bytes = wan_image_pixels_mut(image);
	memset(bytes, value, 600 * 600 * 3);
	memset(bytes, other, count);
	struct wan_verdict verdict = validate(image, NULL);
	wan_image_unref(image);
	return verdict;
}

TEST(brightness_of_20_to_235_passes)
{
	struct wan_verdict verdict = validate_two_values(20, 19, 1);
	CHECK(verdict.valid && has(&verdict, "too_dark", WAN_SEVERITY_WARNING));
	verdict = validate_two_values(20, 20, 0);
	CHECK(!find(&verdict, "too_dark"));
	CHECK_NEAR(verdict.brightness_mean, 20, 0);
	verdict = validate_two_values(20, 19, 108000); /* 19.9 */
	CHECK(has(&verdict, "too_dark", WAN_SEVERITY_WARNING));
	CHECK_NEAR(find(&verdict, "too_dark")->value, 19.9, 1e-9);
	verdict = validate_two_values(235, 235, 0);
	CHECK(!find(&verdict, "too_bright"));
	verdict = validate_two_values(235, 236, 1);
	CHECK(verdict.valid && has(&verdict, "too_bright", WAN_SEVERITY_WARNING));
	verdict = validate_two_values(235, 236, 108000); /* 235.1 */
	CHECK(has(&verdict, "too_bright", WAN_SEVERITY_WARNING));
}

TEST(a_deviation_of_15_passes)
{
	/* Half of the samples 15 above, half 15 below the mean. */
	struct wan_verdict verdict = validate_two_values(115, 85, 540000);
	CHECK(!find(&verdict, "low_contrast"));
	CHECK_NEAR(verdict.contrast_std, 15, 0);
	verdict = validate_two_values(115, 85, 539999);
	CHECK(has(&verdict, "low_contrast", WAN_SEVERITY_WARNING));
	verdict = validate_two_values(114, 85, 540000);
	CHECK(has(&verdict, "low_contrast", WAN_SEVERITY_WARNING));
}

TEST(contrast_is_not_asked_of_grey_images)
{
	struct wan_image *image;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_GRAY8, 600, 600, &image), 0);
	memset(wan_image_pixels_mut(image), 100, 600 * 600);
	struct wan_verdict verdict = validate(image, NULL);
	CHECK(!find(&verdict, "low_contrast"));
	CHECK(has(&verdict, "greyscale", WAN_SEVERITY_WARNING));
	CHECK(verdict.valid);
	wan_image_unref(image);
}

/* Grey columns of two values in turn: the Laplacian is +-2d everywhere, its variance 4 d^2. */
static struct wan_verdict validate_stripes(uint8_t difference)
{
	struct wan_image *image;
	if (wan_image_create(WAN_PIXEL_RGB8, 600, 600, &image) < 0)
		abort();
	uint8_t *bytes = wan_image_pixels_mut(image);
	for (int i = 0; i < 600 * 600; i++)
		memset(bytes + 3 * i, 100 + (i % 600 % 2 ? difference : 0), 3);
	struct wan_verdict verdict = validate(image, NULL);
	wan_image_unref(image);
	return verdict;
}

TEST(a_sharpness_of_100_passes)
{
	struct wan_verdict verdict = validate_stripes(5);
	CHECK_NEAR(verdict.blur_variance, 100, 0);
	CHECK(!find(&verdict, "blurry_image"));
	verdict = validate_stripes(4);
	CHECK_NEAR(verdict.blur_variance, 64, 0);
	CHECK(has(&verdict, "blurry_image", WAN_SEVERITY_WARNING));
}

TEST(ratios_near_a_preferred_one_pass)
{
	struct wan_verdict verdict = validate_size(1000, 1100); /* 0.0909 from 1:1 */
	CHECK(!find(&verdict, "unusual_ratio"));
	verdict = validate_size(1000, 1112); /* 0.1007 from 1:1 */
	CHECK(has(&verdict, "unusual_ratio", WAN_SEVERITY_WARNING));
	CHECK(verdict.valid);
	verdict = validate_size(1500, 1000);
	CHECK(has(&verdict, "unusual_ratio", WAN_SEVERITY_WARNING));
	verdict = validate_size(480, 832); /* portrait is a size of the pipelines */
	CHECK(!find(&verdict, "unusual_ratio"));
}

TEST(properties_of_the_file_are_noted)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 600, 600);
	struct wan_image_info info = {.format = WAN_FORMAT_JPEG,
				      .width_px = 600,
				      .height_px = 600,
				      .bit_depth = 16,
				      .channels = 4,
				      .color = WAN_COLOR_PALETTE,
				      .exif_orientation = 6,
				      .has_alpha = true,
				      .has_icc = true};
	struct wan_verdict verdict = validate(image, &info);
	CHECK(verdict.valid);
	CHECK(has(&verdict, "palette", WAN_SEVERITY_WARNING));
	CHECK(has(&verdict, "has_transparency", WAN_SEVERITY_INFO));
	CHECK(has(&verdict, "icc_profile_ignored", WAN_SEVERITY_INFO));
	CHECK(has(&verdict, "orientation_applied", WAN_SEVERITY_INFO));
	CHECK(has(&verdict, "depth_reduced", WAN_SEVERITY_INFO));
	CHECK_STR(find(&verdict, "depth_reduced")->message, "16 bits per sample become 8");
	info.color = WAN_COLOR_YCCK;
	info.format = WAN_FORMAT_GIF;
	verdict = validate(image, &info);
	CHECK(!verdict.valid && has(&verdict, "unsupported_format", WAN_SEVERITY_ERROR));
	CHECK(has(&verdict, "cmyk_converted", WAN_SEVERITY_INFO));
	info.format = WAN_FORMAT_BMP; /* for the table: a BMP may be submitted */
	verdict = validate(image, &info);
	CHECK(verdict.valid);
	wan_image_unref(image);
	verdict = validate_size(1921, 1080);
	CHECK(has(&verdict, "large_dimensions", WAN_SEVERITY_INFO));
}

/* 600 x 600 RGBA, opaque but for the first count pixels. */
static struct wan_verdict validate_alpha(size_t count, uint8_t alpha, bool colors)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGBA8, 600, 600);
	uint8_t *bytes = wan_image_pixels_mut(image);
	for (size_t i = 0; i < 600 * 600; i++) {
		bytes[4 * i + 3] = i < count ? alpha : 255;
		if (i < count && !colors)
			memset(bytes + 4 * i, 0, 3);
	}
	struct wan_verdict verdict = validate(image, NULL);
	wan_image_unref(image);
	return verdict;
}

TEST(colours_under_transparent_pixels_are_told)
{
	struct wan_verdict verdict = validate_alpha(0, 0, true);
	CHECK(has(&verdict, "alpha_unused", WAN_SEVERITY_INFO));
	CHECK(!find(&verdict, "has_transparency") && !find(&verdict, "hidden_colors"));
	verdict = validate_alpha(36000, 0, false);
	CHECK(has(&verdict, "has_transparency", WAN_SEVERITY_INFO));
	CHECK(!find(&verdict, "hidden_colors") && !find(&verdict, "alpha_unused"));
	CHECK_NEAR(verdict.transparent_pct, 10, 0);
	verdict = validate_alpha(36000, 0, true);
	CHECK(has(&verdict, "hidden_colors", WAN_SEVERITY_WARNING));
	CHECK_NEAR(find(&verdict, "hidden_colors")->value, 10, 0);
	verdict = validate_alpha(36000, 1, true); /* seen, if faintly */
	CHECK(!find(&verdict, "hidden_colors"));
	CHECK_NEAR(verdict.transparent_pct, 0, 0);
	CHECK_NEAR(verdict.translucent_pct, 10, 0);
}

TEST(fewer_pixels_than_the_smallest_clip_are_noted)
{
	struct wan_verdict verdict = validate_size(832, 480);
	CHECK(!find(&verdict, "below_model_size"));
	verdict = validate_size(831, 480);
	CHECK(has(&verdict, "below_model_size", WAN_SEVERITY_INFO));
}

TEST(rules_are_listed_once_each_worst_first)
{
	uint32_t count = 0;
	for (const struct wan_rule *rule; (rule = wan_rule(count)) != NULL; count++) {
		CHECK(rule->id[0] && rule->about[0]);
		CHECK(count == 0 || rule->severity <= wan_rule(count - 1)->severity);
		for (uint32_t other = 0; other < count; other++)
			CHECK(strcmp(rule->id, wan_rule(other)->id) != 0);
	}
	CHECK(count > 40);
}

TEST(every_format_can_be_judged)
{
	for (int format = WAN_PIXEL_GRAY8; format <= WAN_PIXEL_RGBA16; format++) {
		struct wan_image *image = sample_image((enum wan_pixel_format)format, 600, 600);
		struct wan_verdict verdict = validate(image, NULL);
		CHECK(verdict.valid);
		CHECK(verdict.brightness_mean > 20 && verdict.brightness_mean < 150);
		wan_image_unref(image);
	}
}

static void check_label(uint32_t width, uint32_t height, const char *expected)
{
	char label[32];
	wan_ratio_label(width, height, label, sizeof(label));
	CHECK_STR(label, expected);
}

TEST(ratios_have_labels)
{
	check_label(1778, 1000, "16:9 (Widescreen)");
	check_label(1920, 1080, "16:9 (Widescreen)");
	check_label(5625, 10000, "9:16 (Portrait)");
	check_label(4, 3, "4:3 (Standard)");
	check_label(512, 512, "1:1 (Square)");
	check_label(3, 2, "3:2 (Photo)");
	check_label(2560, 1080, "21:9 (Ultrawide)");
	check_label(1050, 1000, "1:1 (Square)");
	check_label(1051, 1000, "1051:1000 (Custom)");
	check_label(1200, 1000, "6:5 (Custom)");
	check_label(4294967295u, 4294967294u, "1:1 (Square)");
	check_label(5, 0, "1:0 (Custom)");
}

TEST(nothing_to_judge_is_an_invalid_argument)
{
	struct wan_verdict verdict;
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 5, 5);
	CHECK_EQ(wan_image_validate(NULL, NULL, &verdict), -EINVAL);
	CHECK_EQ(wan_image_validate(image, NULL, NULL), -EINVAL);
	wan_image_unref(image);
}

TAP_MAIN
