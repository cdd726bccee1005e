/* SPDX-License-Identifier: MIT */
/* Frames of a clip whose source has no room: row by row, with the bytes of the ordinary way. */
#include "stages.h"

#include "wan/clip.h"

/* 15.6 MB of pixels: more than the 14 MiB that memory has room for below. */
enum { LARGE_WIDTH = 2600, LARGE_HEIGHT = 2000 };
static const struct wan_size large = {LARGE_WIDTH, LARGE_HEIGHT};

/* Every row and column is its own, so that nothing lost or shifted goes unseen. */
static const char *write_large(enum wan_file_format format)
{
	const char *path = in_folder(format == WAN_FORMAT_PNG ? "large.png" : "large.jpg");
	struct wan_image *image = NULL;
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = format;
	options.overwrite = true;
	options.png_level = 1;
	if (wan_image_create(WAN_PIXEL_RGB8, LARGE_WIDTH, LARGE_HEIGHT, &image) < 0)
		abort();
	uint8_t *at = wan_image_pixels_mut(image);
	for (uint32_t y = 0; y < LARGE_HEIGHT; y++)
		for (uint32_t x = 0; x < LARGE_WIDTH; x++) {
			*at++ = (uint8_t)(x / 11 + y / 7);
			*at++ = (uint8_t)(x / 5);
			*at++ = (uint8_t)((x / 64 * y) / 97);
		}
	if (wan_image_encode(image, path, &options, NULL) < 0)
		abort();
	wan_image_unref(image);
	return path;
}

static struct wan_framing framing_of(enum wan_pipeline pipeline, uint32_t width, uint32_t height)
{
	struct wan_framing framing = {0};
	CHECK_EQ(wan_frame(pipeline, large, (struct wan_size){width, height}, &framing), 0);
	return framing;
}

static struct wan_image *ordinary(const char *path, const struct wan_framing *framing)
{
	struct wan_image *source = NULL, *framed = NULL;
	CHECK_EQ(wan_image_decode(path, NULL, &source, NULL), 0);
	CHECK_EQ(wan_image_frame(source, framing, &framed), 0);
	wan_image_unref(source);
	return framed;
}

static void check_same(const struct wan_pin *pin, const struct wan_image *expected)
{
	struct wan_image_view made, wanted;
	wan_image_view(wan_pin_image(pin), &made);
	wan_image_view(expected, &wanted);
	CHECK_EQ(made.format, WAN_PIXEL_RGB8);
	CHECK_EQ(made.width_px, wanted.width_px);
	REQUIRE_EQ(made.height_px, wanted.height_px);
	CHECK_EQ(memcmp(made.pixels, wanted.pixels, wanted.pixels_bytes), 0);
}

static const enum wan_pipeline by_rows[] = {WAN_PIPELINE_TI2V, WAN_PIPELINE_KIJAI,
					    WAN_PIPELINE_DIFFUSERS, WAN_PIPELINE_WAN2GP_INSIDE};

/* The thread sanitizer looks at each pixel; the same threads run whatever the geometry. */
#ifdef __SANITIZE_THREAD__
enum { EACH = 3 };
#else
enum { EACH = 1 };
#endif

TEST(frames_of_a_source_larger_than_the_ceiling_are_those_of_the_ordinary_way)
{
	struct wan_runtime *runtime = make_runtime("cache.limit", "8M");
	for (int format = WAN_FORMAT_PNG; format <= WAN_FORMAT_JPEG; format++) {
		const char *path = write_large((enum wan_file_format)format);
		for (size_t i = 0; i < sizeof(by_rows) / sizeof(by_rows[0]); i += EACH) {
			struct wan_framing framing = framing_of(by_rows[i], 704, 400);
			struct wan_picture start = {
				.path = path, .framing = &framing, .as_stored = i % 2};
			struct wan_image *expected = ordinary(path, &framing);
			uint64_t before = operations(runtime);
			struct wan_pin *pin = NULL;
			REQUIRE_EQ(wan_framed(runtime, &start, false, &pin, NULL, NULL), 0);
			check_same(pin, expected);
			CHECK_EQ(operations(runtime), before + 1); /* nothing was decoded whole */
			wan_pin_release(pin);
			wan_image_unref(expected);
		}
	}
	CHECK_EQ(cache_stats(runtime).passed_through, 0);
	wan_runtime_unref(runtime);
}

static void check_nothing_reserved(struct wan_runtime *runtime)
{
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(runtime->memory, &state);
	CHECK_EQ(state.reserved_bytes, 0);
}

TEST(a_source_without_room_in_memory_is_framed_row_by_row_and_made_a_tensor)
{
	const char *path = write_large(WAN_FORMAT_PNG);
	struct wan_framing framing = framing_of(WAN_PIPELINE_TI2V, 704, 400);
	struct wan_image *expected = ordinary(path, &framing);
	struct wan_picture start = {.path = path, .framing = &framing};
	struct wan_error error = {0};
	struct wan_pin *pin = NULL;
	wan_pool_trim(0);
	struct wan_runtime *runtime = make_tight_runtime(14 * WAN_MIB);
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, &error), -ENOMEM);
	error.code = 0;
	REQUIRE_EQ(wan_framed(runtime, &start, false, &pin, NULL, &error), 0);
	CHECK_EQ(error.code, 0);
	check_same(pin, expected);
	wan_pin_release(pin);
	REQUIRE_EQ(wan_framed(runtime, &start, true, &pin, NULL, &error), 0);
	wan_pin_release(pin);
	check_nothing_reserved(runtime);
	wan_image_unref(expected);
	wan_runtime_unref(runtime);
}

static void check_refused(struct wan_runtime *runtime, const struct wan_picture *picture,
			  bool tensor)
{
	struct wan_error error = {0};
	struct wan_pin *pin = NULL;
	CHECK_EQ(wan_framed(runtime, picture, tensor, &pin, NULL, &error), -ENOMEM);
	CHECK(strstr(error.reason, "process") != NULL); /* which level refused */
	CHECK_STR(error.object, picture->path);
	CHECK(pin == NULL);
}

TEST(what_cannot_be_done_by_rows_is_refused_by_the_level_that_has_no_room)
{
	const char *path = write_large(WAN_FORMAT_PNG);
	struct wan_framing cut = framing_of(WAN_PIPELINE_WAN2GP_CROP, 704, 400);
	struct wan_framing torch = framing_of(WAN_PIPELINE_A14B, 704, 400);
	struct wan_framing cover = framing_of(WAN_PIPELINE_TI2V, 704, 400);
	struct wan_picture cropped = {.path = path, .framing = &cut};
	struct wan_picture floats = {.path = path, .framing = &torch};
	struct wan_picture on_white = {.path = path, .framing = &cover, .alpha = WAN_ALPHA_WHITE};
	wan_pool_trim(0);
	struct wan_runtime *runtime = make_tight_runtime(14 * WAN_MIB);
	check_refused(runtime, &cropped, false);
	check_refused(runtime, &floats, false);
	check_refused(runtime, &floats, true);
	check_refused(runtime, &on_white, false);
	check_nothing_reserved(runtime);
	wan_runtime_unref(runtime);
}

/* The file says from now on that it stands on its head. */
static void turn(const char *path)
{
	static const unsigned char segment[] =
		"\xff\xe1\0\x22"
		"Exif\0\0"
		"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0"
		"\0\0\0";
	static unsigned char bytes[4 << 20];
	FILE *file = fopen(path, "r+b");
	size_t count = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
	if (count < 2 || count == sizeof(bytes) || fseek(file, 2, SEEK_SET) != 0 ||
	    fwrite(segment, 1, 36, file) != 36 ||
	    fwrite(bytes + 2, 1, count - 2, file) != count - 2 || fclose(file) != 0)
		abort();
}

TEST(a_turned_file_is_framed_upright_or_as_stored_without_room_for_it_too)
{
	const char *path = write_large(WAN_FORMAT_JPEG);
	struct wan_image_info info;
	turn(path);
	REQUIRE_EQ(wan_image_probe(path, &info, NULL), 0);
	REQUIRE_EQ(info.exif_orientation, 3);
	struct wan_framing framing = framing_of(WAN_PIPELINE_TI2V, 704, 400);
	struct wan_runtime *runtime = make_runtime("cache.limit", "8M");
	for (int as_stored = 0; as_stored < 2; as_stored++) {
		struct wan_picture start = {
			.path = path, .framing = &framing, .as_stored = as_stored};
		struct wan_decode_options options;
		struct wan_image *source = NULL, *expected = NULL;
		struct wan_pin *pin = NULL;
		wan_decode_options_init(&options);
		options.apply_orientation = !as_stored;
		REQUIRE_EQ(wan_image_decode(path, &options, &source, NULL), 0);
		REQUIRE_EQ(wan_image_frame(source, &framing, &expected), 0);
		REQUIRE_EQ(wan_framed(runtime, &start, false, &pin, NULL, NULL), 0);
		check_same(pin, expected);
		wan_pin_release(pin);
		wan_image_unref(source);
		wan_image_unref(expected);
	}
	wan_runtime_unref(runtime);
}

int main(int argc, char **argv)
{
	return files_main(argc, argv);
}
