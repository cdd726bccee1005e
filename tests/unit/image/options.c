/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "codec.h"
#include "config.h"
#include "options.h"
#include "sample.h"
#include "tap.h"

struct version2 {
	size_t struct_size;
	int a, b;
};
struct version3 {
	size_t struct_size;
	int a, b, c, d;
};

TEST(an_older_struct_leaves_the_rest_at_its_default)
{
	struct version3 full = {sizeof(full), 1, 2, 3, 4};
	struct version2 given = {sizeof(given), 10, 20};
	CHECK_EQ(wan_options_overlay(&full, sizeof(full), &given, sizeof(given)), 0);
	CHECK_EQ(full.a, 10);
	CHECK_EQ(full.b, 20);
	CHECK_EQ(full.c, 3);
	CHECK_EQ(full.struct_size, sizeof(full));
}

TEST(a_newer_struct_is_taken_only_when_its_news_are_zero)
{
	struct version2 full = {sizeof(full), 1, 2};
	struct version3 given = {sizeof(given), 10, 20, 0, 0};
	CHECK_EQ(wan_options_overlay(&full, sizeof(full), &given, sizeof(given)), 0);
	CHECK_EQ(full.b, 20);
	given.d = 1;
	CHECK_EQ(wan_options_overlay(&full, sizeof(full), &given, sizeof(given)), -EINVAL);
}

TEST(wild_sizes_are_refused)
{
	struct version2 full = {sizeof(full), 1, 2}, given = full;
	CHECK_EQ(wan_options_overlay(&full, sizeof(full), &given, 0), -EINVAL);
	CHECK_EQ(wan_options_overlay(&full, sizeof(full), &given, 7), -EINVAL);
	CHECK_EQ(wan_options_overlay(&full, sizeof(full), &given, SIZE_MAX), -EINVAL);
}

TEST(default_limits_are_those_of_the_configuration)
{
	struct wan_config *config = calloc(1, sizeof(*config));
	struct wan_decode_options options;
	REQUIRE(config != NULL);
	wan_config_defaults(config);
	wan_decode_options_init(&options);
	CHECK_EQ(options.max_pixels, config->image_max_pixels);
	CHECK_EQ(options.max_bytes, config->image_max_bytes);
	CHECK_EQ(options.max_scans, config->image_max_scans);
	CHECK_EQ(options.max_chunks, config->image_max_chunks);
	free(config);
}

TEST(decode_options_are_checked)
{
	struct wan_decode_options options;
	struct wan_image *image = NULL;
	struct wan_error error;
	wan_decode_options_init(&options);
	options.struct_size = 1;
	CHECK_EQ(wan_image_decode_memory("x", 1, &options, &image, &error), -EINVAL);
	CHECK_STR(error.object, "wan_decode_options");
	wan_decode_options_init(&options);
	options.want = (enum wan_pixel_format)77;
	CHECK_EQ(wan_image_decode_memory("x", 1, &options, &image, &error), -EINVAL);
	wan_decode_options_init(&options);
	options.alpha = (enum wan_alpha_policy)77;
	CHECK_EQ(wan_image_decode_memory("x", 1, &options, &image, &error), -EINVAL);
	CHECK_EQ(wan_image_decode_memory("x", 1, NULL, NULL, &error), -EINVAL);
	CHECK_EQ(wan_image_decode("x", NULL, NULL, &error), -EINVAL);
}

TAP_MAIN
