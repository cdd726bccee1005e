/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "files.h"
#include "sample.h"
#include "tap.h"
#include "wan/validate.h"

static const char *first_id(const struct wan_verdict *verdict)
{
	return verdict->issue_count ? verdict->issues[0].id : "nothing";
}

static void write_bytes(const char *path, const void *bytes, size_t count)
{
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file))
		abort();
}

static char path[64] = "/tmp/wan-validate-XXXXXX";

static const char *temporary(void)
{
	static bool made;
	if (!made) {
		int fd = mkstemp(path);
		if (fd < 0)
			abort();
		close(fd);
		made = true;
	}
	return path;
}

static struct wan_verdict judge(const void *bytes, size_t count, struct wan_image_info *info)
{
	struct wan_verdict verdict = {.valid = true};
	struct wan_error error = {0};
	write_bytes(temporary(), bytes, count);
	CHECK_EQ(wan_image_validate_file(temporary(), NULL, info, &verdict, &error), 0);
	return verdict;
}

static void encode(uint32_t width, uint32_t height, enum wan_file_format format)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, width, height);
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = format;
	options.overwrite = true;
	CHECK_EQ(wan_image_encode(image, temporary(), &options, NULL), 0);
	wan_image_unref(image);
}

TEST(a_good_file_is_judged_by_its_pixels)
{
	struct wan_image_info info;
	struct wan_verdict verdict;
	encode(1280, 720, WAN_FORMAT_PNG);
	REQUIRE_EQ(wan_image_validate_file(temporary(), NULL, &info, &verdict, NULL), 0);
	CHECK(verdict.valid && !verdict.preview);
	CHECK_EQ(info.width_px, 1280);
	CHECK_STR(verdict.ratio_label, "16:9 (Widescreen)");
	CHECK(verdict.blur_variance > 100);
}

TEST(a_preview_says_so_and_keeps_silent_about_sharpness)
{
	struct wan_image_info info;
	struct wan_verdict full, preview;
	struct wan_validate_options options;
	wan_validate_options_init(&options);
	options.preview = true;
	encode(2048, 1152, WAN_FORMAT_JPEG);
	REQUIRE_EQ(wan_image_validate_file(temporary(), NULL, NULL, &full, NULL), 0);
	REQUIRE_EQ(wan_image_validate_file(temporary(), &options, &info, &preview, NULL), 0);
	CHECK(preview.preview && !full.preview);
	CHECK(preview.valid);
	CHECK_EQ(info.width_px, 2048);
	CHECK_STR(preview.ratio_label, full.ratio_label);
	CHECK_NEAR(preview.brightness_mean, full.brightness_mean, 2);
	for (uint32_t i = 0; i < preview.issue_count; i++) {
		CHECK(strcmp(preview.issues[i].id, "blurry_image") != 0);
		CHECK(strcmp(preview.issues[i].id, "too_small") != 0);
	}
	/* A PNG has no smaller form: all of it is judged. */
	encode(700, 700, WAN_FORMAT_PNG);
	REQUIRE_EQ(wan_image_validate_file(temporary(), &options, NULL, &preview, NULL), 0);
	CHECK(!preview.preview);
}

TEST(damage_is_found_by_decoding)
{
	static uint8_t bytes[2 << 20];
	struct wan_image_info info;
	encode(640, 480, WAN_FORMAT_PNG);
	FILE *file = fopen(temporary(), "rb");
	size_t count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	bytes[count / 2] ^= 0x55;
	struct wan_verdict verdict = judge(bytes, count, &info);
	CHECK(!verdict.valid);
	CHECK_STR(first_id(&verdict), "corrupted_file");
	CHECK_EQ(info.width_px, 640);
	CHECK_STR(verdict.ratio_label, "4:3 (Standard)");
	bytes[count / 2] ^= 0x55;
	verdict = judge(bytes, count / 2, &info);
	CHECK(!verdict.valid && verdict.issues[0].message[0] && verdict.issues[0].suggestion[0]);
	verdict = judge(bytes, 20, &info);
	CHECK_STR(first_id(&verdict), "truncated_file");
	verdict = judge(bytes, 0, &info);
	CHECK_STR(first_id(&verdict), "truncated_file");
}

TEST(what_is_no_image_or_another_kind_is_named)
{
	struct wan_image_info info;
	struct wan_verdict verdict = judge("just text, more than a few", 26, &info);
	CHECK_STR(first_id(&verdict), "unsupported_format");
	static const uint8_t gif[] = "GIF89a\x40\x01\xf0\x00\x00\x00\x00";
	verdict = judge(gif, sizeof(gif), &info);
	CHECK_STR(first_id(&verdict), "unsupported_format");
	CHECK(strstr(verdict.issues[0].message, "is GIF") != NULL);
	CHECK(strstr(verdict.issues[0].message, "320x240") != NULL);
	CHECK_STR(verdict.ratio_label, "4:3 (Standard)");
	static const uint8_t bmp[] = "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x40\1\0\0\xf0\0\0\0";
	verdict = judge(bmp, sizeof(bmp), &info);
	CHECK_STR(first_id(&verdict), "not_decoded");
	CHECK(strstr(verdict.issues[0].message, "BMP") != NULL);
}

TEST(limits_are_a_verdict_and_missing_files_an_error)
{
	struct wan_verdict verdict = {.valid = true, .issue_count = 7};
	struct wan_error error = {0};
	CHECK_EQ(wan_image_validate_file("/no/such/file", NULL, NULL, &verdict, &error), -ENOENT);
	CHECK_EQ(error.code, -ENOENT);
	CHECK_EQ(verdict.issue_count, 7);
	CHECK_EQ(wan_image_validate_file("/tmp", NULL, NULL, &verdict, &error), -EISDIR);
	CHECK_EQ(wan_image_validate_file(NULL, NULL, NULL, &verdict, &error), -EINVAL);
	struct wan_validate_options options = {.struct_size = 1};
	CHECK_EQ(wan_image_validate_file("/tmp", &options, NULL, &verdict, &error), -EINVAL);
	error = (struct wan_error){.code = -EFBIG, .reason = "has too many"};
	CHECK_EQ(wan_verdict_of_error(&error, NULL, &verdict), 0);
	CHECK_STR(first_id(&verdict), "beyond_limits");
	CHECK_STR(verdict.issues[0].message, "it has too many");
	error.code = -ENOMEM;
	CHECK_EQ(wan_verdict_of_error(&error, NULL, &verdict), -EINVAL);
}

TEST(metadata_is_what_a_list_of_images_shows)
{
	struct wan_image_metadata metadata;
	struct wan_image_info info = {.format = WAN_FORMAT_PNG,
				      .width_px = 1080,
				      .height_px = 1920,
				      .bit_depth = 8,
				      .channels = 4,
				      .color = WAN_COLOR_RGB_ALPHA,
				      .exif_orientation = 6,
				      .has_alpha = true,
				      .file_bytes = 1538000};
	CHECK_EQ(wan_image_describe("some/where/a b.png", &info, &metadata), 0);
	CHECK_STR(metadata.filename, "a b.png");
	CHECK_STR(metadata.format, "PNG");
	CHECK_EQ(metadata.width_px, 1920);
	CHECK_EQ(metadata.height_px, 1080);
	CHECK_NEAR(metadata.file_size_mb, 1.47, 0);
	CHECK_NEAR(metadata.aspect_ratio, 1.778, 0);
	CHECK_STR(metadata.aspect_ratio_string, "16:9 (Widescreen)");
	CHECK_STR(metadata.color_mode, "RGBA");
	CHECK(metadata.has_transparency);
	CHECK_EQ(wan_image_describe(NULL, &info, &metadata), -EINVAL);
	unlink(temporary());
}

TAP_MAIN
