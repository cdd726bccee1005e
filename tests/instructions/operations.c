/* SPDX-License-Identifier: MIT */
/*
 * KIND COUNT: so many operations, or images of so many rows, for the test beside it to count
 * instructions of. "rows" and "images" decode through the hooks when the preload library is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "clock.h"
#include "config.h"
#include "profile.h"

enum { HEIGHT = 2048 };

static struct wan_profile *profile, *stopped;
static unsigned char *jpeg;
static unsigned long jpeg_bytes;

static int prepare(void)
{
	static struct wan_config config;
	struct wan_recorder *recorder;
	/* callgrind's processor does not promise a steady counter, a real one does */
	wan_clock_uses_counter = true;
	wan_config_defaults(&config);
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder) < 0)
		return 1;
	struct wan_profile_options options = {.struct_size = sizeof(options),
					      .config = &config,
					      .recorder = recorder,
					      .active = true};
	if (wan_profile_create(&options, &profile) < 0)
		return 1;
	profile->large_ticks = UINT64_MAX / 2; /* and its counter has no known rate */
	options.active = false;
	return wan_profile_create(&options, &stopped) < 0;
}

static void begin_end(void)
{
	struct wan_op op;
	wan_op_begin(profile, &op, "counted");
	wan_op_end(&op, WAN_OP_OK);
}

static void with_image(void)
{
	struct wan_op op;
	wan_op_begin(profile, &op, "counted");
	wan_op_set_image(&op, 1280, 720, 3, 8, 123456);
	wan_op_end(&op, WAN_OP_OK);
}

static void nested(void)
{
	struct wan_op outer, inner;
	wan_op_begin(profile, &outer, "outer");
	wan_op_begin(profile, &inner, "inner");
	wan_op_end(&inner, WAN_OP_OK);
	wan_op_end(&outer, WAN_OP_OK);
}

static void off(void)
{
	struct wan_op op;
	wan_op_begin(stopped, &op, "counted");
	wan_op_end(&op, WAN_OP_OK);
}

static void nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

/* One grey column of rows: as little decoding as there can be beside the calls. */
static void make_jpeg(void)
{
	struct jpeg_compress_struct object;
	struct jpeg_error_mgr manager;
	JSAMPLE grey[8] = {0};
	JSAMPROW row = grey;
	object.err = jpeg_std_error(&manager);
	jpeg_create_compress(&object);
	jpeg_mem_dest(&object, &jpeg, &jpeg_bytes);
	object.image_width = 8;
	object.image_height = HEIGHT;
	object.input_components = 1;
	object.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&object);
	jpeg_start_compress(&object, TRUE);
	while (object.next_scanline < HEIGHT)
		jpeg_write_scanlines(&object, &row, 1);
	jpeg_finish_compress(&object);
	jpeg_destroy_compress(&object);
}

/* All rows, or only the first. */
static void decode(bool rows)
{
	struct jpeg_decompress_struct object;
	struct jpeg_error_mgr manager;
	JSAMPLE grey[8];
	JSAMPROW row = grey;
	object.err = jpeg_std_error(&manager);
	jpeg_create_decompress(&object);
	jpeg_mem_src(&object, jpeg, jpeg_bytes);
	jpeg_read_header(&object, TRUE);
	jpeg_start_decompress(&object);
	do
		jpeg_read_scanlines(&object, &row, 1);
	while (rows && object.output_scanline < object.output_height);
	jpeg_destroy_decompress(&object);
}

static void decode_rows(void)
{
	decode(true);
}

static void decode_image(void)
{
	decode(false);
}

static const struct {
	const char *name;
	void (*step)(void);
} kinds[] = {
	{"begin_end", begin_end}, {"with_image", with_image},
	{"nested", nested},       {"off", off},
	{"nothing", nothing},     {"rows", decode_rows},
	{"images", decode_image},
};

int main(int argc, char **argv)
{
	if (argc != 3 || prepare() != 0)
		return 64;
	make_jpeg();
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		for (unsigned long left = strtoul(argv[2], NULL, 10); left > 0; left--)
			kinds[i].step();
		return 0;
	}
	return 64;
}
