/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "tap.h"
#include "wan/validate.h"

static struct wan_image_info info(uint32_t width, uint32_t height, enum wan_color_type color)
{
	return (struct wan_image_info){.format = WAN_FORMAT_PNG,
				       .width_px = width,
				       .height_px = height,
				       .color = color,
				       .exif_orientation = 1,
				       .has_alpha = color == WAN_COLOR_RGB_ALPHA};
}

static const struct wan_issue *find(const struct wan_verdict *verdict, const char *id)
{
	for (uint32_t i = 0; i < verdict->issue_count; i++)
		if (strcmp(verdict->issues[i].id, id) == 0)
			return &verdict->issues[i];
	return NULL;
}

static struct wan_verdict validate(const struct wan_image_info *a, const struct wan_image_info *b)
{
	struct wan_verdict verdict = {.valid = false};
	CHECK_EQ(wan_image_validate_pair(a, b, &verdict), 0);
	CHECK(verdict.valid);
	return verdict;
}

TEST(a_pair_of_one_kind_passes)
{
	struct wan_image_info a = info(1280, 720, WAN_COLOR_RGB),
			      b = info(1280, 720, WAN_COLOR_YCBCR);
	CHECK_EQ(validate(&a, &b).issue_count, 0);
}

TEST(different_sizes_and_modes_are_named)
{
	struct wan_image_info a = info(1280, 720, WAN_COLOR_RGB);
	struct wan_image_info b = info(1920, 1080, WAN_COLOR_RGB_ALPHA);
	struct wan_verdict verdict = validate(&a, &b);
	const struct wan_issue *sizes = find(&verdict, "dimensions_differ");
	const struct wan_issue *modes = find(&verdict, "color_mode_mismatch");
	REQUIRE(sizes && modes);
	CHECK_STR(sizes->message, "the sizes differ: start 1280x720, end 1920x1080");
	CHECK_STR(modes->message, "the colour modes differ: start RGB, end RGBA");
	CHECK_EQ(sizes->severity, WAN_SEVERITY_WARNING);
	CHECK_EQ(modes->severity, WAN_SEVERITY_WARNING);
	CHECK(!find(&verdict, "aspect_ratio_mismatch"));
}

TEST(a_ratio_difference_of_0_05_passes)
{
	struct wan_image_info a = info(1000, 1000, WAN_COLOR_RGB),
			      b = info(1050, 1000, WAN_COLOR_RGB);
	struct wan_verdict verdict = validate(&a, &b);
	CHECK(!find(&verdict, "aspect_ratio_mismatch"));
	b.width_px = 1051;
	verdict = validate(&a, &b);
	CHECK(find(&verdict, "aspect_ratio_mismatch") != NULL);
}

TEST(pipelines_that_frame_them_differently_are_named)
{
	struct wan_image_info a = info(1920, 1080, WAN_COLOR_RGB),
			      b = info(1280, 720, WAN_COLOR_RGB);
	struct wan_verdict verdict = validate(&a, &b);
	CHECK(!find(&verdict, "framing_differs"));
	b = info(1024, 1024, WAN_COLOR_RGB);
	verdict = validate(&a, &b);
	const struct wan_issue *issue = find(&verdict, "framing_differs");
	REQUIRE(issue != NULL);
	CHECK_STR(issue->message,
		  "start and end are framed differently: by diffusers, wan2gp, wan2gp-inside, "
		  "comfyui, diffusers-exact, kijai, wan2gp-crop");
}

TEST(sizes_are_compared_upright)
{
	struct wan_image_info a = info(1280, 720, WAN_COLOR_RGB),
			      b = info(720, 1280, WAN_COLOR_RGB);
	b.exif_orientation = 6;
	CHECK_EQ(validate(&a, &b).issue_count, 0);
}

TEST(every_colour_has_a_mode)
{
	static const struct {
		enum wan_color_type color;
		bool alpha;
		const char *mode;
	} cases[] = {
		{WAN_COLOR_GRAY, false, "L"},       {WAN_COLOR_GRAY, true, "LA"},
		{WAN_COLOR_GRAY_ALPHA, true, "LA"}, {WAN_COLOR_PALETTE, false, "P"},
		{WAN_COLOR_CMYK, false, "CMYK"},    {WAN_COLOR_YCCK, false, "CMYK"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wan_image_info a = info(5, 5, WAN_COLOR_RGB), b = info(5, 5, cases[i].color);
		char text[96];
		b.has_alpha = cases[i].alpha;
		struct wan_verdict verdict = validate(&a, &b);
		const struct wan_issue *issue = find(&verdict, "color_mode_mismatch");
		snprintf(text, sizeof(text), "the colour modes differ: start RGB, end %s",
			 cases[i].mode);
		CHECK_STR(issue ? issue->message : NULL, text);
	}
}

TEST(colours_of_a_format_that_is_not_decoded_are_not_compared)
{
	struct wan_image_info a = info(1280, 720, WAN_COLOR_RGB), b = a;
	struct wan_image_metadata about;
	b.format = WAN_FORMAT_WEBP;
	b.color = WAN_COLOR_GRAY; /* what an empty struct says */
	struct wan_verdict verdict = validate(&a, &b);
	CHECK(!find(&verdict, "color_mode_mismatch"));
	CHECK_EQ(wan_image_describe("b.webp", &b, &about), 0);
	CHECK_STR(about.color_mode, "unknown");
}

TEST(a_missing_end_is_valid_and_optional)
{
	struct wan_image_info a = info(1280, 720, WAN_COLOR_RGB);
	struct wan_verdict verdict = validate(&a, NULL);
	CHECK_EQ(verdict.issue_count, 1);
	CHECK_EQ(verdict.issues[0].severity, WAN_SEVERITY_INFO);
	CHECK(strstr(verdict.issues[0].message, "optional") != NULL);
}

TEST(a_missing_start_is_valid_but_required_for_a_clip)
{
	struct wan_image_info b = info(1280, 720, WAN_COLOR_RGB);
	struct wan_verdict verdict = validate(NULL, &b);
	CHECK_EQ(verdict.issue_count, 1);
	CHECK_EQ(verdict.issues[0].severity, WAN_SEVERITY_WARNING);
	CHECK(strstr(verdict.issues[0].message, "required") != NULL);
	CHECK_EQ(validate(NULL, NULL).issue_count, 2);
	CHECK_EQ(wan_image_validate_pair(NULL, NULL, NULL), -EINVAL);
}

TAP_MAIN
