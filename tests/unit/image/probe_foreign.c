/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "codec.h"
#include "files.h"
#include "tap.h"

struct sample {
	const char *what;
	enum wan_file_format format;
	uint32_t width_px, height_px;
	const char *bytes;
	size_t count;
};

#define SAMPLE(what, format, width, height, bytes)                                                 \
	{                                                                                          \
		what, WAN_FORMAT_##format, width, height, bytes, sizeof(bytes) - 1                 \
	}

/* Headers as real encoders write them, cut behind what is looked at. */
static const struct sample samples[] = {
	SAMPLE("GIF", GIF, 320, 240, "GIF89a\x40\x01\xf0\x00\x00\x00\x00"),
	SAMPLE("BMP, bottom row first", BMP, 320, 240,
	       "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x40\1\0\0\xf0\0\0\0\1\0\x18\0"),
	SAMPLE("BMP, top row first", BMP, 320, 240,
	       "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x40\1\0\0\x10\xff\xff\xff\1\0\x18\0"),
	SAMPLE("WebP, lossy", WEBP, 640, 480,
	       "RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\1\0\x9d\1\x2a\x80\2\xe0\1"),
	SAMPLE("WebP, lossless", WEBP, 640, 480,
	       "RIFF\x24\0\0\0WEBPVP8L\x18\0\0\0\x2f\x7f\xc2\x77\0\0\0\0\0\0"),
	SAMPLE("WebP, extended", WEBP, 640, 480,
	       "RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x7f\2\0\xdf\1\0"),
	SAMPLE("TIFF", TIFF, 640, 480,
	       "II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\x80\2\0\0\1\1\3\0\1\0\0\0\xe0\1\0\0\0\0\0\0"),
	SAMPLE("AVIF with a tile and the image", AVIF, 1280, 720,
	       "\0\0\0\x18"
	       "ftypavif\0\0\0\0mif1avif"
	       "\0\0\0\x44meta\0\0\0\0"
	       "\0\0\0\x38iprp"
	       "\0\0\0\x30ipco"
	       "\0\0\0\x14ispe\0\0\0\0\0\0\2\0\0\0\2\0"
	       "\0\0\0\x14ispe\0\0\0\0\0\0\5\0\0\0\2\xd0"),
	SAMPLE("HEIF without properties", HEIF, 0, 0,
	       "\0\0\0\x18"
	       "ftypheic\0\0\0\0mif1heic"),
	SAMPLE("JPEG XL, small square", JXL, 64, 64, "\xff\x0a\x4f\0\0\0\0\0\0\0\0\0"),
	SAMPLE("JPEG XL, both sides", JXL, 1500, 1000,
	       /* not small; height: selector 1, 999 in 13 bits; ratio 0; width: 1, 1499 */
	       "\xff\x0a\x3a\x1f\x68\xbb\x00\0\0\0\0\0"),
	SAMPLE("JPEG XL in boxes", JXL, 64, 64,
	       "\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14"
	       "ftypjxl \0\0\0\0jxl \0\0\0\0jxlc\xff\x0a\x4f\0\0\0\0\0\0\0\0\0"),
	SAMPLE("JPEG 2000 in boxes", JPEG2000, 640, 480,
	       "\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14"
	       "ftypjp2 \0\0\0\0jp2 \0\0\0\x1ejp2h\0\0\0\x16ihdr\0\0\1\xe0\0\0\2\x80\0\3\7\7\0\0"),
	SAMPLE("JPEG 2000 code stream", JPEG2000, 640, 480,
	       "\xff\x4f\xff\x51\0\x2f\0\0\0\0\2\x90\0\0\1\xf0\0\0\0\x10\0\0\0\x10"),
	SAMPLE("PSD", PSD, 640, 480, "8BPS\0\1\0\0\0\0\0\0\0\3\0\0\1\xe0\0\0\2\x80\0\x08\0\3"),
	SAMPLE("ICO of two", ICO, 256, 256,
	       "\0\0\1\0\2\0\x20\x20\0\0\1\0\x20\0\1\0\0\0\x26\0\0\0"
	       "\0\0\0\0\1\0\x20\0\1\0\0\0\x26\0\0\0"),
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

TEST(known_formats_are_named_and_measured)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *sample = &samples[i];
		struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN};
		struct bytes exact = bytes_exact((const uint8_t *)sample->bytes, sample->count);
		bool same = CHECK_EQ(wan_probe_foreign(exact.at, exact.count, &info), 0) &
			    CHECK_EQ(info.format, sample->format) &
			    CHECK_EQ(info.width_px, sample->width_px) &
			    CHECK_EQ(info.height_px, sample->height_px);
		if (!same)
			printf("# in %s\n", sample->what);
		CHECK(strcmp(wan_format_name(info.format), "unknown") != 0);
		CHECK(strstr(wan_format_hint(info.format), "IN") != NULL);
		bytes_free(&exact);
	}
}

TEST(a_header_cut_anywhere_gives_the_same_or_less)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *sample = &samples[i];
		for (size_t count = 0; count < sample->count; count++) {
			struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN};
			struct bytes exact = bytes_exact((const uint8_t *)sample->bytes, count);
			if (wan_probe_foreign(exact.at, exact.count, &info) == 0 &&
			    info.format != sample->format) {
				CHECK_EQ(info.format, sample->format);
				printf("# %s cut at %zu\n", sample->what, count);
			}
			bytes_free(&exact);
		}
	}
}

TEST(every_byte_changed_is_read_without_harm)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		for (size_t at = 0; at < samples[i].count; at++) {
			static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
			for (size_t v = 0; v < sizeof(values); v++) {
				struct wan_image_info info;
				struct bytes exact = bytes_exact((const uint8_t *)samples[i].bytes,
								 samples[i].count);
				exact.at[at] = values[v];
				int r = wan_probe_foreign(exact.at, exact.count, &info);
				CHECK(r == 0 || r == -ENOENT);
				bytes_free(&exact);
			}
		}
	}
}

/* Writers of strips leave the directory behind the pixels. */
TEST(a_tiff_directory_is_found_wherever_it_is)
{
	static uint8_t file[100000];
	static const uint8_t directory[] = "\2\0\0\1\3\0\1\0\0\0\x80\2\0\0\1\1\3\0\1\0\0\0\xe0\1\0";
	struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN};
	struct wan_error error = {0};
	memcpy(file, "II*\0\x50\x46\1\0", 8); /* 83536 */
	memcpy(file + 83536, directory, sizeof(directory));
	CHECK_EQ(wan_image_probe_memory(file, sizeof(file), &info, &error), -ENOTSUP);
	CHECK_EQ(info.format, WAN_FORMAT_TIFF);
	CHECK_EQ(info.width_px, 640);
	CHECK_EQ(info.height_px, 480);
	CHECK(strstr(error.reason, "TIFF") != NULL);
	memcpy(file, "MM\0*\0\1\x46\x50", 8);
	static const uint8_t big[] = "\0\2\1\0\0\3\0\0\0\1\2\x80\0\0\1\1\0\3\0\0\0\1\1\xe0\0\0";
	memcpy(file + 83536, big, sizeof(big));
	CHECK_EQ(wan_image_probe_memory(file, sizeof(file), &info, NULL), -ENOTSUP);
	CHECK_EQ(info.height_px, 480);
	info.width_px = 0;
	file[4] = 0xff; /* far beyond the end */
	CHECK_EQ(wan_image_probe_memory(file, sizeof(file), &info, NULL), -ENOTSUP);
	CHECK_EQ(info.width_px, 0);
}

TAP_MAIN
