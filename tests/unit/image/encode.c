/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "buffer.h"
#include "fault.h"
#include "files.h"
#include "sample.h"
#include "tap.h"

static struct wan_image *read_back(const char *path, int expected)
{
	struct wan_image *image = NULL;
	struct wan_error error = {.code = 0};
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	options.strict = true;
	int result = wan_image_decode(path, &options, &image, &error);
	CHECK_EQ(result, expected);
	if (result != expected)
		printf("# %s\n", error.reason);
	return image;
}

TEST(png_keeps_every_sample_of_every_format)
{
	const char *path = in_test_folder("out.png");
	for (int format = WAN_PIXEL_GRAY8; format <= WAN_PIXEL_RGBA16; format++) {
		if (format == WAN_PIXEL_CMYK8)
			continue;
		for (int interlaced = 0; interlaced < 2; interlaced++) {
			struct wan_image *image =
				sample_image((enum wan_pixel_format)format, 61, 43);
			struct wan_encode_options options;
			wan_encode_options_init(&options);
			options.overwrite = true;
			options.png_interlaced = interlaced;
			options.png_level = interlaced ? 1 : 9;
			CHECK_EQ(wan_image_encode(image, path, &options, NULL), 0);
			struct wan_image *back = read_back(path, 0);
			struct wan_image_view view;
			wan_image_view(back, &view);
			CHECK_EQ(view.format, format);
			CHECK_EQ(crc32_image(back), crc32_image(image));
			struct wan_image_info info;
			CHECK_EQ(wan_image_probe(path, &info, NULL), 0);
			CHECK_EQ(info.interlaced, interlaced);
			wan_image_unref(back);
			wan_image_unref(image);
		}
	}
	unlink(path);
}

static double mean_difference(const struct wan_image *a, const struct wan_image *b)
{
	struct wan_image_view x, y;
	uint64_t sum = 0;
	wan_image_view(a, &x);
	wan_image_view(b, &y);
	if (!CHECK_EQ(x.format, y.format) || !CHECK_EQ(x.pixels_bytes, y.pixels_bytes))
		return 255;
	for (size_t i = 0; i < x.pixels_bytes; i++)
		sum += (uint64_t)abs(((const uint8_t *)x.pixels)[i] -
				     ((const uint8_t *)y.pixels)[i]);
	return (double)sum / (double)x.pixels_bytes;
}

/* Soft colours, which a JPEG keeps well. */
static struct wan_image *soft(enum wan_pixel_format format)
{
	struct wan_image *image = sample_image(format, 120, 80);
	struct wan_image_view view;
	wan_image_view(image, &view);
	uint8_t *bytes = wan_image_pixels_mut(image);
	for (size_t i = 0; i < view.pixels_bytes; i++)
		bytes[i] = (uint8_t)(40 + i / view.stride_bytes + 20 * (i % view.channels));
	return image;
}

TEST(jpeg_keeps_grey_colour_and_ink_nearly)
{
	static const enum wan_pixel_format formats[] = {WAN_PIXEL_GRAY8, WAN_PIXEL_RGB8,
							WAN_PIXEL_CMYK8};
	const char *path = in_test_folder("out.jpg");
	for (int i = 0; i < 3; i++) {
		for (int progressive = 0; progressive < 2; progressive++) {
			struct wan_image *image = soft(formats[i]);
			struct wan_encode_options options;
			wan_encode_options_init(&options);
			options.format = WAN_FORMAT_JPEG;
			options.jpeg_quality = 95;
			options.jpeg_progressive = progressive;
			options.overwrite = true;
			CHECK_EQ(wan_image_encode(image, path, &options, NULL), 0);
			struct wan_image *back = read_back(path, 0);
			CHECK(mean_difference(image, back) < 1.5);
			struct wan_image_info info;
			CHECK_EQ(wan_image_probe(path, &info, NULL), 0);
			CHECK_EQ(info.interlaced, progressive);
			wan_image_unref(back);
			wan_image_unref(image);
		}
	}
	unlink(path);
}

TEST(quality_changes_the_size)
{
	const char *path = in_test_folder("q.jpg");
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 200, 200);
	struct wan_encode_options options;
	struct stat good, bad;
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_JPEG;
	options.overwrite = true;
	CHECK_EQ(wan_image_encode(image, path, &options, NULL), 0);
	stat(path, &good);
	options.jpeg_quality = 10;
	CHECK_EQ(wan_image_encode(image, path, &options, NULL), 0);
	stat(path, &bad);
	CHECK(bad.st_size < good.st_size / 2);
	wan_image_unref(image);
	unlink(path);
}

TEST(an_existing_file_is_kept_by_default)
{
	const char *path = in_test_folder("kept.png");
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 20, 20);
	struct wan_error error;
	CHECK_EQ(wan_image_encode(image, path, NULL, NULL), 0);
	CHECK_EQ(wan_image_encode(image, path, NULL, &error), -EEXIST);
	CHECK_STR(error.object, path);
	CHECK_EQ(files_in_test_folder(), 1);
	unlink(path);
	wan_image_unref(image);
}

TEST(pixels_a_format_cannot_keep_are_refused_before_a_file_is_made)
{
	static const struct {
		enum wan_pixel_format pixels;
		enum wan_file_format file;
	} cases[] = {
		{WAN_PIXEL_CMYK8, WAN_FORMAT_PNG},
		{WAN_PIXEL_RGBA8, WAN_FORMAT_JPEG},
		{WAN_PIXEL_GRAYA8, WAN_FORMAT_JPEG},
		{WAN_PIXEL_RGB16, WAN_FORMAT_JPEG},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wan_image *image = sample_image(cases[i].pixels, 20, 20);
		struct wan_encode_options options;
		struct wan_error error;
		wan_encode_options_init(&options);
		options.format = cases[i].file;
		CHECK_EQ(wan_image_encode(image, in_test_folder("no"), &options, &error),
			 -EPROTONOSUPPORT);
		CHECK_STR(error.hint, "convert it to RGB8 first");
		wan_image_unref(image);
	}
	CHECK_EQ(files_in_test_folder(), 0);
}

TEST(options_are_checked)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 20, 20);
	struct wan_encode_options options;
	const char *path = in_test_folder("no");
	wan_encode_options_init(&options);
	options.jpeg_quality = 0;
	CHECK_EQ(wan_image_encode(image, path, &options, NULL), -EINVAL);
	options.jpeg_quality = 101;
	CHECK_EQ(wan_image_encode(image, path, &options, NULL), -EINVAL);
	wan_encode_options_init(&options);
	options.png_level = 10;
	CHECK_EQ(wan_image_encode(image, path, &options, NULL), -EINVAL);
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_WEBP;
	CHECK_EQ(wan_image_encode(image, path, &options, NULL), -ENOTSUP);
	wan_encode_options_init(&options);
	options.struct_size = 3;
	CHECK_EQ(wan_image_encode(image, path, &options, NULL), -EINVAL);
	CHECK_EQ(wan_image_encode(NULL, path, NULL, NULL), -EINVAL);
	CHECK_EQ(wan_image_encode(image, NULL, NULL, NULL), -EINVAL);
	wan_image_unref(image);
}

TEST(a_jpeg_side_has_a_limit)
{
	struct wan_image *image = sample_image(WAN_PIXEL_GRAY8, 65501, 1);
	struct wan_encode_options options;
	struct wan_error error;
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_JPEG;
	CHECK_EQ(wan_image_encode(image, in_test_folder("no"), &options, &error), -EPROTONOSUPPORT);
	CHECK(strstr(error.hint, "PNG") != NULL);
	wan_image_unref(image);
}

TEST(memory_gets_the_bytes_of_the_file)
{
	const char *path = in_test_folder("same");
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 400, 300);
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	for (int jpeg = 0; jpeg < 2; jpeg++) {
		void *made = NULL;
		size_t count = 0;
		options.format = jpeg ? WAN_FORMAT_JPEG : WAN_FORMAT_PNG;
		options.png_level = 0; /* larger than the first buffer */
		REQUIRE_EQ(wan_image_encode(image, path, &options, NULL), 0);
		REQUIRE_EQ(wan_image_encode_memory(image, &options, &made, &count, NULL), 0);
		struct bytes file = bytes_read(path);
		REQUIRE_EQ(count, file.count);
		CHECK_MEM(made, file.at, count);
		bytes_free(&file);
		wan_encoded_free(made);
		unlink(path);
	}
	wan_image_unref(image);
}

TEST(memory_wants_what_a_file_wants)
{
	struct wan_image *image = sample_image(WAN_PIXEL_CMYK8, 20, 20);
	void *made = NULL;
	size_t count = 0;
	CHECK_EQ(wan_image_encode_memory(image, NULL, &made, &count, NULL), -EPROTONOSUPPORT);
	CHECK_EQ(wan_image_encode_memory(NULL, NULL, &made, &count, NULL), -EINVAL);
	CHECK_EQ(wan_image_encode_memory(image, NULL, NULL, &count, NULL), -EINVAL);
	CHECK(made == NULL);
	wan_encoded_free(NULL);
	wan_image_unref(image);
}

static void encode_to_memory(void *context)
{
	struct wan_encode_options options;
	void *made = NULL;
	size_t count;
	wan_encode_options_init(&options);
	options.png_level = 0;
	int error = wan_image_encode_memory(context, &options, &made, &count, NULL);
	CHECK(error == 0 || error == -ENOMEM);
	wan_encoded_free(made);
}

TEST(memory_that_is_out_while_encoding_is_an_error)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 300, 200);
	CHECK(wan_fault_sweep(encode_to_memory, image) > 3);
	wan_image_unref(image);
}

TAP_MAIN
