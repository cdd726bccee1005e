/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "codec.h"
#include "files.h"
#include "sample.h"
#include "tap.h"

static const struct {
	int color, depth;
} kinds[] = {
	{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
	{3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16},
};

/* What a pixel has to be, from the samples that were written. */
static void expected_pixel(const struct png_kind *kind, uint32_t x, uint32_t y, uint32_t *out)
{
	unsigned samples = png_samples(kind->color), most = (1u << kind->depth) - 1;
	uint32_t raw[4];
	bool is_key = kind->transparent && kind->color != 3;
	for (unsigned c = 0; c < samples; c++) {
		raw[c] = png_sample(x, y, c, kind->depth);
		is_key = is_key && raw[c] == png_sample(1, 1, c, kind->depth);
		out[c] = kind->depth < 8 ? raw[c] * 255 / most : raw[c];
	}
	if (kind->color == 3) {
		out[0] = (uint8_t)(raw[0] * 5);
		out[1] = 255 - raw[0];
		out[2] = raw[0] ^ 90;
		out[3] = raw[0] < (most + 2) / 2 ? (uint8_t)(raw[0] * 70) : 255;
	} else if (kind->transparent) {
		out[samples] = is_key ? 0 : kind->depth == 16 ? 65535 : 255;
	}
}

static bool has_expected_pixels(const struct wan_image *image, const struct png_kind *kind)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	for (uint32_t y = 0; y < kind->height; y++) {
		const uint8_t *row = (const uint8_t *)view.pixels + y * view.stride_bytes;
		for (uint32_t x = 0; x < kind->width; x++) {
			uint32_t wanted[5];
			expected_pixel(kind, x, y, wanted);
			for (uint32_t c = 0; c < view.channels; c++) {
				size_t at = (size_t)x * view.channels + c;
				uint32_t got = kind->depth == 16
						       ? ((const uint16_t *)(const void *)row)[at]
						       : row[at];
				if (got != wanted[c]) {
					printf("# (%u, %u) sample %u: %u, not %u\n", x, y, c, got,
					       wanted[c]);
					return false;
				}
			}
		}
	}
	return true;
}

static enum wan_pixel_format expected_format(const struct png_kind *kind)
{
	static const enum wan_pixel_format formats[2][4] = {
		{WAN_PIXEL_GRAY8, WAN_PIXEL_GRAYA8, WAN_PIXEL_RGB8, WAN_PIXEL_RGBA8},
		{WAN_PIXEL_GRAY16, WAN_PIXEL_GRAYA16, WAN_PIXEL_RGB16, WAN_PIXEL_RGBA16},
	};
	unsigned channels = (kind->color == 3 ? 3 : png_samples(kind->color)) + kind->transparent;
	return formats[kind->depth == 16][channels - 1];
}

static struct wan_image *decode(const struct bytes *file, const struct wan_decode_options *options,
				int expected)
{
	struct wan_image *image = NULL;
	struct wan_error error = {.code = 0};
	int result = wan_image_decode_memory(file->at, file->count, options, &image, &error);
	CHECK_EQ(result, expected);
	if (result != expected)
		printf("# %s; %s\n", error.reason, error.hint);
	return image;
}

static bool decodes_right(const struct png_kind *kind)
{
	struct bytes file = make_png(kind);
	struct wan_image_info info;
	struct wan_image *image = decode(&file, NULL, 0);
	struct wan_image_view view;
	wan_image_view(image, &view);
	bool right =
		image && CHECK_EQ(view.format, expected_format(kind)) &&
		CHECK_EQ(view.width_px, kind->width) && CHECK_EQ(view.height_px, kind->height) &&
		CHECK_EQ(view.warnings, 0) && CHECK(has_expected_pixels(image, kind)) &&
		CHECK_EQ(wan_image_probe_memory(file.at, file.count, &info, NULL), 0) &&
		CHECK_EQ(info.output_bytes, view.pixels_bytes) &&
		CHECK_EQ(info.has_transparency_key, kind->transparent) &&
		CHECK_EQ(info.channels, view.channels) && CHECK_EQ(info.bit_depth, kind->depth) &&
		CHECK(info.peak_bytes > view.pixels_bytes);
	wan_image_unref(image);
	bytes_free(&file);
	return right;
}

TEST(every_kind_of_png_decodes_to_the_samples_written)
{
	static const uint32_t sizes[][2] = {{1, 1}, {3, 2}, {8, 8}, {37, 29}, {65, 5}};
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (int variant = 0; variant < 4; variant++) {
			for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
				struct png_kind kind = {sizes[s][0],
							sizes[s][1],
							kinds[k].depth,
							kinds[k].color,
							variant & 1,
							variant & 2,
							0};
				if (kind.transparent && kind.color >= 4)
					continue;
				if (!decodes_right(&kind)) {
					printf("# colour %d, depth %d, %ux%u, variant %d\n",
					       kind.color, kind.depth, kind.width, kind.height,
					       variant);
					return;
				}
			}
		}
	}
}

/* Decoding to a format equals decoding and then converting. */
TEST(wanted_formats_equal_a_conversion_afterwards)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (int want = WAN_PIXEL_GRAY8; want <= WAN_PIXEL_RGBA16; want++) {
			for (int alpha = WAN_ALPHA_DROP; alpha <= WAN_ALPHA_BLACK; alpha++) {
				struct png_kind kind = {19,
							11,
							kinds[k].depth,
							kinds[k].color,
							alpha & 1,
							kinds[k].color < 4,
							0};
				struct bytes file = make_png(&kind);
				struct wan_decode_options options;
				wan_decode_options_init(&options);
				options.want = (enum wan_pixel_format)want;
				options.alpha = (enum wan_alpha_policy)alpha;
				struct wan_image *natural = decode(&file, NULL, 0), *after = NULL;
				struct wan_image *direct = decode(&file, &options, 0);
				CHECK_EQ(wan_image_convert(natural, options.want, options.alpha,
							   &after),
					 0);
				CHECK_EQ(crc32_image(direct), crc32_image(after));
				wan_image_unref(natural);
				wan_image_unref(direct);
				wan_image_unref(after);
				bytes_free(&file);
			}
		}
	}
}

TEST(alpha_is_dropped_or_refused_as_asked)
{
	struct png_kind kind = {9, 9, 8, 6, false, false, 0};
	struct bytes file = make_png(&kind);
	struct wan_decode_options options;
	struct wan_image_view view;
	wan_decode_options_init(&options);
	options.alpha = WAN_ALPHA_DROP;
	struct wan_image *image = decode(&file, &options, 0);
	wan_image_view(image, &view);
	CHECK_EQ(view.format, WAN_PIXEL_RGB8);
	wan_image_unref(image);
	options.alpha = WAN_ALPHA_REFUSE;
	CHECK(decode(&file, &options, -EPROTONOSUPPORT) == NULL);
	options.want = WAN_PIXEL_RGBA8;
	image = decode(&file, &options, 0);
	wan_image_unref(image);
	bytes_free(&file);
}

TEST(an_orientation_behind_the_pixels_is_applied)
{
	for (int interlaced = 0; interlaced < 2; interlaced++) {
		struct png_kind plain = {13, 7, 8, 2, interlaced, false, 0};
		struct bytes straight = make_png(&plain);
		struct wan_image *stored = decode(&straight, NULL, 0);
		struct wan_image_view from, to;
		wan_image_view(stored, &from);
		for (uint8_t turn = 1; turn <= 8; turn++) {
			struct png_kind kind = plain;
			kind.orientation = turn;
			struct bytes file = make_png(&kind);
			struct wan_image *image = decode(&file, NULL, 0);
			wan_image_view(image, &to);
			CHECK_EQ(to.width_px, turn >= 5 ? 7 : 13);
			bool same = true;
			for (uint32_t y = 0; y < 7; y++) {
				for (uint32_t x = 0; x < 13; x++) {
					uint32_t tx = x, ty = y;
					switch (turn) {
					case 2:
						tx = 12 - x;
						break;
					case 3:
						tx = 12 - x;
						ty = 6 - y;
						break;
					case 4:
						ty = 6 - y;
						break;
					case 5:
						tx = y;
						ty = x;
						break;
					case 6:
						tx = 6 - y;
						ty = x;
						break;
					case 7:
						tx = 6 - y;
						ty = 12 - x;
						break;
					case 8:
						tx = y;
						ty = 12 - x;
						break;
					}
					same = same && memcmp((const char *)from.pixels +
								      y * from.stride_bytes + 3 * x,
							      (const char *)to.pixels +
								      ty * to.stride_bytes + 3 * tx,
							      3) == 0;
				}
			}
			CHECK(same);
			wan_image_unref(image);
			bytes_free(&file);
		}
		wan_image_unref(stored);
		bytes_free(&straight);
	}
}

static void check_cut(const struct png_kind *kind)
{
	struct bytes file = make_png(kind);
	/* Without IEND (12 bytes) the pixels are complete. */
	for (size_t count = 1; count < file.count - 12; count += count < 100 ? 1 : 11) {
		struct bytes part = bytes_exact(file.at, count);
		struct wan_image *image = NULL;
		struct wan_error error = {.code = 0};
		int result = wan_image_decode_memory(part.at, part.count, NULL, &image, &error);
		if (result != -EBADMSG && result != -ENODATA) {
			printf("# cut to %zu of %zu: %d\n", count, file.count, result);
			CHECK(false);
			count = file.count;
		}
		wan_image_unref(image);
		bytes_free(&part);
	}
	bytes_free(&file);
}

TEST(a_file_cut_off_anywhere_is_an_error)
{
	check_cut(&(struct png_kind){37, 29, 8, 6, false, false, 0});
	check_cut(&(struct png_kind){37, 29, 16, 2, true, false, 0});
	check_cut(&(struct png_kind){37, 29, 4, 3, false, true, 0});
}

TEST(the_row_where_a_file_breaks_off_is_named)
{
	struct png_kind kind = {64, 100, 8, 2, false, false, 0};
	struct bytes file = make_png(&kind);
	struct wan_image *image = NULL;
	struct wan_error error;
	CHECK_EQ(wan_image_decode_memory(file.at, file.count / 2, NULL, &image, &error), -EBADMSG);
	CHECK(strncmp(error.reason, "is cut off after row ", 21) == 0);
	int row = atoi(error.reason + 21);
	CHECK(row > 20 && row < 80);
	bytes_free(&file);
}

TEST(a_cut_file_gives_what_is_there_when_allowed)
{
	for (int interlaced = 0; interlaced < 2; interlaced++) {
		struct png_kind kind = {64, 100, 8, 2, interlaced, false, 0};
		struct bytes file = make_png(&kind);
		struct wan_decode_options options;
		struct wan_image_view view;
		wan_decode_options_init(&options);
		options.allow_truncated = true;
		options.want = WAN_PIXEL_RGBA8;
		file.count /= 2;
		struct wan_image *image = decode(&file, &options, 0);
		wan_image_view(image, &view);
		CHECK_EQ(view.height_px, 100);
		CHECK(view.warnings > 0);
		CHECK_EQ(((const uint8_t *)view.pixels)[0], png_sample(0, 0, 0, 8));
		/* Behind the cut there is nothing, not what a recycled buffer held before. */
		CHECK_EQ(((const uint8_t *)view.pixels)[view.pixels_bytes - 4], 0);
		wan_image_unref(image);
		bytes_free(&file);
	}
}

TEST(a_missing_end_is_accepted_unless_strict)
{
	struct png_kind kind = {20, 20, 8, 2, false, false, 0};
	struct bytes file = make_png(&kind);
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	file.count -= 12;
	struct wan_image *image = decode(&file, NULL, 0);
	wan_image_unref(image);
	options.strict = true;
	CHECK(decode(&file, &options, -EBADMSG) == NULL);
	bytes_free(&file);
}

TEST(every_flipped_byte_is_harmless)
{
	struct png_kind kind = {17, 13, 8, 3, true, true, 6};
	struct bytes file = make_png(&kind);
	unsigned refused = 0;
	for (size_t i = 0; i < file.count; i++) {
		struct wan_image *image = NULL;
		file.at[i] ^= 0x55;
		int result = wan_image_decode_memory(file.at, file.count, NULL, &image, NULL);
		refused += result < 0;
		CHECK(result == 0 || result == -EBADMSG || result == -ENODATA || result == -EFBIG);
		wan_image_unref(image);
		file.at[i] ^= 0x55;
	}
	CHECK(refused > file.count / 2);
	bytes_free(&file);
}

TEST(a_damaged_checksum_of_the_pixels_is_an_error)
{
	struct png_kind kind = {20, 20, 8, 2, false, false, 0};
	struct bytes file = make_png(&kind);
	file.at[file.count - 13] ^= 1;
	struct wan_image *image = NULL;
	struct wan_error error;
	CHECK_EQ(wan_image_decode_memory(file.at, file.count, NULL, &image, &error), -EBADMSG);
	CHECK(strstr(error.reason, "damaged PNG") != NULL);
	bytes_free(&file);
}

/* A header, whatever is put between, and pixels for 1 x 1 grey. */
static struct bytes with_chunks(void (*fill)(struct bytes *bytes))
{
	static const uint8_t pixel[] = {0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81};
	struct bytes file = {.at = NULL};
	png_head(&file, 1, 1, 8, 0, 0);
	fill(&file);
	png_chunk(&file, "IDAT", pixel, sizeof(pixel));
	png_chunk(&file, "IEND", NULL, 0);
	return file;
}

static void many_texts(struct bytes *bytes)
{
	for (int i = 0; i < 5000; i++)
		png_chunk(bytes, "tEXt", "Comment\0x", 9);
}

static void text_bomb(struct bytes *bytes)
{
	static uint8_t body[20000] = "Comment\0\0\x78\x9c";
	png_chunk(bytes, "zTXt", body, sizeof(body));
	png_chunk(bytes, "iCCP", body, sizeof(body));
	png_chunk(bytes, "iTXt", body, sizeof(body));
}

static void unknown_ones(struct bytes *bytes)
{
	for (int i = 0; i < 3000; i++)
		png_chunk(bytes, "abCd", "12345678", 8);
	png_chunk(bytes, "acTL", "\0\0\0\1\0\0\0\0", 8);
}

TEST(ancillary_chunks_are_skipped_unread)
{
	void (*fills[])(struct bytes *) = {many_texts, text_bomb, unknown_ones};
	for (int i = 0; i < 3; i++) {
		struct bytes file = with_chunks(fills[i]);
		struct wan_image *image = decode(&file, NULL, 0);
		struct wan_image_view view;
		wan_image_view(image, &view);
		CHECK_EQ(view.warnings, 0);
		CHECK_EQ(*(const uint8_t *)view.pixels, 0x80);
		wan_image_unref(image);
		bytes_free(&file);
	}
}

static void unknown_critical(struct bytes *bytes)
{
	png_chunk(bytes, "ABCD", "1234", 4);
}

TEST(an_unknown_critical_chunk_is_an_error)
{
	struct bytes file = with_chunks(unknown_critical);
	CHECK(decode(&file, NULL, -EBADMSG) == NULL);
	bytes_free(&file);
}

TEST(planar_output_is_not_a_decoder_format)
{
	struct png_kind kind = {20, 20, 8, 2, false, false, 0};
	struct bytes file = make_png(&kind);
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	options.want = WAN_PIXEL_RGBF32_PLANAR;
	CHECK(decode(&file, &options, -EINVAL) == NULL);
	bytes_free(&file);
}

TAP_MAIN
