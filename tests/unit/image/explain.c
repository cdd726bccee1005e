/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "tap.h"
#include "wan/frame.h"

static struct wan_image_info info(uint32_t width, uint32_t height)
{
	return (struct wan_image_info){.format = WAN_FORMAT_PNG,
				       .width_px = width,
				       .height_px = height,
				       .channels = 3,
				       .color = WAN_COLOR_RGB,
				       .exif_orientation = 1};
}

static struct wan_explanation explain(enum wan_pipeline pipeline, const struct wan_image_info *a,
				      const struct wan_image_info *b, uint32_t w, uint32_t h)
{
	struct wan_explanation e = {.has_end = false};
	CHECK_EQ(wan_explain(pipeline, a, b, (struct wan_size){w, h}, WAN_UPRIGHT_AS_PIPELINE, &e),
		 0);
	return e;
}

static const struct wan_issue *find(const struct wan_explanation *e, const char *id)
{
	for (uint32_t i = 0; i < e->verdict.issue_count; i++)
		if (strcmp(e->verdict.issues[i].id, id) == 0)
			return &e->verdict.issues[i];
	return NULL;
}

TEST(a_native_frame_is_squeezed_by_the_official_code)
{
	struct wan_image_info a = info(832, 480);
	struct wan_explanation e = explain(WAN_PIPELINE_A14B, &a, NULL, 832, 480);
	CHECK_EQ(e.start.output.height_px, 464);
	CHECK_NEAR(e.start.squeeze_pct, 100.0 * 480 / 464 - 100, 1e-9);
	REQUIRE(find(&e, "squeezed") != NULL);
	/* What is proposed stays as it is. */
	struct wan_image_info b = info(e.unsqueezed.width_px, e.unsqueezed.height_px);
	struct wan_explanation kept = explain(WAN_PIPELINE_A14B, &b, NULL, 832, 480);
	CHECK_NEAR(kept.start.squeeze_pct, 0, 0);
	CHECK_EQ(kept.verdict.issue_count, 0);
	/* And so does the crop, but for a fraction of a percent. */
	struct wan_image_info c = info(e.unsqueezed_crop.width_px, e.unsqueezed_crop.height_px);
	kept = explain(WAN_PIPELINE_A14B, &c, NULL, 832, 480);
	CHECK_NEAR(kept.start.squeeze_pct, 0, 0.3);
	CHECK(!find(&kept, "squeezed"));
}

TEST(a_pair_of_two_ratios_is_framed_differently)
{
	struct wan_image_info a = info(1920, 1080), b = info(1440, 1080);
	struct wan_explanation e = explain(WAN_PIPELINE_KIJAI, &a, &b, 832, 480);
	CHECK(e.has_end);
	REQUIRE(find(&e, "framing_differs") != NULL);
	e = explain(WAN_PIPELINE_COMFYUI, &a, &b, 832, 480);
	CHECK(find(&e, "framing_differs") != NULL && find(&e, "cut_off") != NULL);
	b = info(960, 540);
	e = explain(WAN_PIPELINE_COMFYUI, &a, &b, 832, 480);
	CHECK(!find(&e, "framing_differs"));
}

TEST(the_documented_last_frame_is_a_trap)
{
	struct wan_image_info a = info(1280, 720), b = info(1920, 1080);
	struct wan_explanation e = explain(WAN_PIPELINE_DIFFUSERS, &a, &b, 832, 480);
	CHECK(!find(&e, "framing_differs"));
	CHECK(e.has_last && find(&e, "documented_last_frame") != NULL);
	/* 1920x1080 for 832x464: the cover size 832x468 is used as 468 wide and 832 high. */
	CHECK_EQ(e.last.crop.width_px, 468);
	CHECK_EQ(e.last.crop.height_px, 832);
	e = explain(WAN_PIPELINE_DIFFUSERS_EXACT, &a, &b, 832, 480);
	CHECK(!e.has_last);
}

TEST(official_code_takes_no_end_and_ignores_the_camera)
{
	struct wan_image_info a = info(1280, 720), b = info(1280, 720);
	a.exif_orientation = 6;
	struct wan_explanation e = explain(WAN_PIPELINE_TI2V, &a, &b, 1280, 704);
	CHECK(!e.has_end && find(&e, "end_not_taken") != NULL);
	REQUIRE(find(&e, "orientation_ignored") != NULL);
	CHECK_NEAR(find(&e, "orientation_ignored")->value, 6, 0);
	CHECK_EQ(e.start.source.width_px, 1280);
	CHECK_EQ(wan_explain(WAN_PIPELINE_TI2V, &a, NULL, (struct wan_size){0, 0},
			     WAN_UPRIGHT_ALWAYS, &e),
		 0);
	CHECK_EQ(e.start.source.width_px, 720);
	CHECK(!find(&e, "orientation_ignored"));
	CHECK_EQ(e.target.width_px, 1280);
	e = explain(WAN_PIPELINE_COMFYUI, &a, NULL, 832, 480);
	CHECK_EQ(e.start.source.width_px, 720);
}

TEST(sizes_that_are_not_to_be_had_are_told)
{
	struct wan_image_info a = info(1920, 1080);
	struct wan_explanation e = explain(WAN_PIPELINE_DIFFUSERS_EXACT, &a, NULL, 854, 480);
	REQUIRE(find(&e, "size_changed") != NULL);
	CHECK_EQ(e.start.output.width_px, 848);
	CHECK(strstr(find(&e, "size_changed")->message, "854x480 becomes 848x480") != NULL);
	e = explain(WAN_PIPELINE_A14B, &a, NULL, 640, 480);
	CHECK(find(&e, "size_unsupported") != NULL);
	e = explain(WAN_PIPELINE_A14B, &a, NULL, 480, 832);
	CHECK(!find(&e, "size_unsupported"));
}

TEST(borders_and_enlargement_are_told)
{
	struct wan_image_info a = info(400, 400);
	struct wan_explanation e = explain(WAN_PIPELINE_ANIMATE, &a, NULL, 1280, 720);
	CHECK(find(&e, "bordered") != NULL && find(&e, "enlarged") != NULL);
	CHECK_EQ(e.start.place_x_px, 280);
	CHECK_NEAR(e.start.padded_pct, 43.75, 1e-9);
}

TEST(arguments_are_looked_at)
{
	struct wan_image_info a = info(400, 400);
	struct wan_explanation e;
	struct wan_size none = {0, 0}, half = {0, 480};
	CHECK_EQ(wan_explain((enum wan_pipeline)99, &a, NULL, none, WAN_UPRIGHT_ALWAYS, &e),
		 -EINVAL);
	CHECK_EQ(wan_explain(WAN_PIPELINE_A14B, NULL, NULL, none, WAN_UPRIGHT_ALWAYS, &e), -EINVAL);
	CHECK_EQ(wan_explain(WAN_PIPELINE_A14B, &a, NULL, half, WAN_UPRIGHT_ALWAYS, &e), -EINVAL);
	a.width_px = 60000;
	a.height_px = 1;
	CHECK_EQ(wan_explain(WAN_PIPELINE_A14B, &a, NULL, none, WAN_UPRIGHT_ALWAYS, &e), -ERANGE);
	CHECK(wan_pipeline_info((enum wan_pipeline)WAN_PIPELINES) == NULL);
	enum wan_pipeline found = WAN_PIPELINE_S2V;
	CHECK_EQ(wan_pipeline_find("a14", &found), -ENOENT);
	CHECK_EQ(wan_pipeline_find("kijai", &found), 0);
	CHECK_EQ(found, WAN_PIPELINE_KIJAI);
}

TEST(latents_are_those_of_the_models)
{
	struct wan_latent latent;
	struct wan_size size = {832, 480};
	CHECK_EQ(wan_latent_size(WAN_PIPELINE_A14B, size, 81, &latent), 0);
	CHECK(latent.channels == 16 && latent.frames == 21 && latent.height == 60 &&
	      latent.width == 104);
	CHECK_EQ(latent.tokens, 21 * 60 * 104 / 4);
	size = (struct wan_size){1280, 704};
	CHECK_EQ(wan_latent_size(WAN_PIPELINE_TI2V, size, 121, &latent), 0);
	CHECK(latent.channels == 48 && latent.frames == 31 && latent.height == 44 &&
	      latent.width == 80);
	CHECK_EQ(wan_latent_size(WAN_PIPELINE_S2V, size, 80, &latent), 0);
	CHECK_EQ(latent.frames, 20);
	size.width_px = 7;
	CHECK_EQ(wan_latent_size(WAN_PIPELINE_A14B, size, 81, &latent), -EINVAL);
}

TAP_MAIN
