/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "geometry.h"
#include "tap.h"

#define AREA_480P ((struct wan_size){832, 480})
#define AREA_720P ((struct wan_size){1280, 720})
#define AREA_704  ((struct wan_size){1280, 704})

struct golden {
	struct wan_size source, a14b_480, a14b_720, ti2v, diffusers, gp_area, gp_inside;
};

/* Computed by the pipelines' own code. */
static const struct golden goldens[] = {
	{{512, 512}, {624, 624}, {960, 960}, {960, 928}, {624, 624}, {624, 624}, {480, 480}},
	{{2048, 2048}, {624, 624}, {960, 960}, {960, 928}, {624, 624}, {624, 624}, {480, 480}},
	{{1920, 1080}, {832, 464}, {1280, 720}, {1248, 704}, {832, 464}, {848, 480}, {832, 464}},
	{{1280, 720}, {832, 464}, {1280, 720}, {1248, 704}, {832, 464}, {848, 480}, {832, 464}},
	{{832, 480}, {832, 464}, {1248, 720}, {1248, 704}, {832, 480}, {832, 480}, {832, 480}},
	{{4000, 3000}, {720, 544}, {1104, 816}, {1088, 800}, {720, 544}, {736, 544}, {640, 480}},
	{{1024, 1536}, {512, 768}, {768, 1168}, {768, 1152}, {512, 768}, {512, 768}, {480, 720}},
};

static void check_size(enum wan_pipeline pipeline, struct wan_size source, struct wan_size target,
		       struct wan_size expected)
{
	struct wan_size size = {0, 0};
	CHECK_EQ(wan_output_size(pipeline, source, target, &size), 0);
	CHECK_EQ(size.width_px, expected.width_px);
	CHECK_EQ(size.height_px, expected.height_px);
}

TEST(output_sizes_are_those_of_the_pipelines)
{
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		const struct golden *g = &goldens[i];
		check_size(WAN_PIPELINE_A14B, g->source, AREA_480P, g->a14b_480);
		check_size(WAN_PIPELINE_A14B, g->source, AREA_720P, g->a14b_720);
		check_size(WAN_PIPELINE_TI2V, g->source, AREA_704, g->ti2v);
		check_size(WAN_PIPELINE_DIFFUSERS, g->source, AREA_480P, g->diffusers);
		check_size(WAN_PIPELINE_WAN2GP_AREA, g->source, AREA_480P, g->gp_area);
		check_size(WAN_PIPELINE_WAN2GP_INSIDE, g->source, AREA_480P, g->gp_inside);
		check_size(WAN_PIPELINE_COMFYUI, g->source, AREA_480P, AREA_480P);
	}
}

TEST(diffusers_with_ti2v_goes_by_steps_of_32)
{
	static const struct {
		struct wan_size source, frames;
	} cases[] = {
		{{512, 512}, {928, 928}},    {{2048, 2048}, {928, 928}},
		{{1920, 1080}, {1248, 704}}, {{1280, 720}, {1248, 704}},
		{{832, 480}, {1248, 704}},   {{4000, 3000}, {1088, 800}},
		{{1024, 1536}, {768, 1152}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_size(WAN_PIPELINE_DIFFUSERS_TI2V, cases[i].source, AREA_704, cases[i].frames);
}

TEST(wan2gp_brings_the_size_asked_for_down_to_its_steps_first)
{
	struct wan_size off = {847, 495}, source = {4000, 3000}, none;
	check_size(WAN_PIPELINE_WAN2GP_AREA, source, off, (struct wan_size){736, 544});
	check_size(WAN_PIPELINE_WAN2GP_INSIDE, source, off, (struct wan_size){640, 480});
	check_size(WAN_PIPELINE_WAN2GP_CROP, source, off, AREA_480P);
	CHECK_EQ(wan_output_size(WAN_PIPELINE_WAN2GP_AREA, source, (struct wan_size){15, 480},
				 &none),
		 -ERANGE);
}

TEST(comfyui_crops_the_centre_of_the_source)
{
	static const struct {
		struct wan_size source;
		struct wan_rect kept;
	} cases[] = {
		{{512, 512}, {0, 108, 512, 296}},    {{2048, 2048}, {0, 433, 2048, 1182}},
		{{1920, 1080}, {24, 0, 1872, 1080}}, {{1280, 720}, {16, 0, 1248, 720}},
		{{832, 480}, {0, 0, 832, 480}},      {{4000, 3000}, {0, 346, 4000, 2308}},
		{{1024, 1536}, {0, 473, 1024, 590}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wan_rect rect = {9, 9, 9, 9};
		CHECK_EQ(wan_comfyui_crop(cases[i].source, AREA_480P, &rect), 0);
		CHECK_MEM(&rect, &cases[i].kept, sizeof(rect));
	}
}

TEST(sizes_without_an_answer_are_refused)
{
	struct wan_size size = {7, 7};
	CHECK_EQ(wan_output_size(WAN_PIPELINE_A14B, (struct wan_size){0, 5}, AREA_480P, &size),
		 -EINVAL);
	CHECK_EQ(wan_output_size(WAN_PIPELINE_A14B, (struct wan_size){5, 5},
				 (struct wan_size){0, 0}, &size),
		 -EINVAL);
	CHECK_EQ(wan_output_size((enum wan_pipeline)99, AREA_480P, AREA_480P, &size), -EINVAL);
	for (int pipeline = WAN_PIPELINE_A14B; pipeline < WAN_PIPELINE_COMFYUI; pipeline++)
		CHECK_EQ(wan_output_size((enum wan_pipeline)pipeline,
					 (struct wan_size){4000000000u, 1}, AREA_480P, &size),
			 -ERANGE);
	CHECK_EQ(size.width_px, 7);
	struct wan_rect rect = {7, 7, 7, 7};
	CHECK_EQ(wan_comfyui_crop((struct wan_size){1, 4000000000u}, AREA_480P, &rect), -ERANGE);
	CHECK_EQ(rect.x_px, 7);
}

static void check_thumbnail(uint32_t width, uint32_t height, uint32_t most_width,
			    uint32_t most_height, uint32_t to_width, uint32_t to_height)
{
	struct wan_size size = wan_size_thumbnail(width, height, most_width, most_height);
	CHECK_EQ(size.width_px, to_width);
	CHECK_EQ(size.height_px, to_height);
}

TEST(thumbnails_keep_the_ratio_and_never_enlarge)
{
	check_thumbnail(512, 512, 150, 150, 150, 150);
	check_thumbnail(1000, 300, 150, 150, 150, 45);
	check_thumbnail(1920, 1080, 256, 256, 256, 144);
	check_thumbnail(100, 50, 150, 150, 100, 50);
	check_thumbnail(150, 150, 150, 150, 150, 150);
	check_thumbnail(10000, 3, 100, 100, 100, 1);
	check_thumbnail(3, 10000, 100, 100, 1, 100);
	check_thumbnail(640, 480, 1000, 100, 133, 100);
}

TEST(cover_covers_and_contain_fits_inside)
{
	for (uint32_t w = 1; w < 3000; w += 97) {
		for (uint32_t h = 1; h < 3000; h += 89) {
			struct wan_size cover = wan_size_cover(w, h, 832, 480);
			struct wan_size inside = wan_size_contain(w, h, 832, 480);
			if (cover.width_px < 832 || cover.height_px < 480 ||
			    (cover.width_px > 832 && cover.height_px > 480) ||
			    inside.width_px > 832 || inside.height_px > 480 ||
			    inside.width_px == 0 || inside.height_px == 0 ||
			    (inside.width_px < 832 && inside.height_px < 480)) {
				printf("# %u x %u\n", w, h);
				CHECK(false);
				return;
			}
		}
	}
	struct wan_size size = wan_size_cover(1000, 600, 1216, 736);
	CHECK_EQ(size.width_px, 1227);
	CHECK_EQ(size.height_px, 736);
}

TAP_MAIN
