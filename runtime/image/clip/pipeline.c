/* SPDX-License-Identifier: MIT */
/* The pipelines: one row each. Sizes, frames and rates are those of their authors' configurations.
 */
#include <errno.h>

#include "macros.h"
#include "str.h"
#include "wan/frame.h"

static const struct wan_size a14b_sizes[] = {{720, 1280}, {1280, 720}, {480, 832}, {832, 480}};
static const struct wan_size ti2v_sizes[] = {{704, 1280}, {1280, 704}};
static const struct wan_size s2v_sizes[] = {{720, 1280}, {1280, 720}, {480, 832},
					    {832, 480},  {1024, 704}, {704, 1024}};

/* What becomes of a number of frames that is not 4n+1. */
enum frame_rule {
	REFUSES,    /* the mask cannot be folded into groups of 4 */
	NEXT_STEP,  /* floor(F / 4) * 4 + 1: 16 becomes 17 */
	STEP_BELOW, /* floor((F - 1) / 4) * 4 + 1: 16 becomes 13 */
	FOURS,      /* floor(F / 4) * 4 */
};

static const struct pipeline {
	struct wan_pipeline_info info;
	enum frame_rule frames;
} pipelines[] = {
	[WAN_PIPELINE_A14B] = {{.name = "a14b",
				.title = "Wan2.2 image-to-video A14B, official code",
				.step_px = 16,
				.chooses_size = true,
				.filter = WAN_FILTER_TORCH_BICUBIC,
				.usual = {832, 480},
				.sizes = a14b_sizes,
				.size_count = WAN_COUNT_OF(a14b_sizes),
				.frames = 81,
				.frames_per_s = 16,
				.latent_step_px = 8,
				.latent_channels = 16},
			       REFUSES},
	[WAN_PIPELINE_TI2V] = {{.name = "ti2v",
				.title = "Wan2.2 text-image-to-video 5B, official code",
				.step_px = 32,
				.chooses_size = true,
				.filter = WAN_FILTER_LANCZOS,
				.usual = {1280, 704},
				.sizes = ti2v_sizes,
				.size_count = WAN_COUNT_OF(ti2v_sizes),
				.frames = 121,
				.frames_per_s = 24,
				.latent_step_px = 16,
				.latent_channels = 48},
			       STEP_BELOW},
	[WAN_PIPELINE_DIFFUSERS] = {{.name = "diffusers",
				     .title = "diffusers, size chosen as its documentation does",
				     .step_px = 16,
				     .chooses_size = true,
				     .takes_end = true,
				     .turns_upright = true,
				     .filter = WAN_FILTER_LANCZOS,
				     .usual = {832, 480},
				     .frames = 81,
				     .frames_per_s = 16,
				     .latent_step_px = 8,
				     .latent_channels = 16},
				    NEXT_STEP},
	[WAN_PIPELINE_WAN2GP_AREA] = {{.name = "wan2gp",
				       .title = "Wan2GP, fit 0: the area asked for",
				       .step_px = 16,
				       .chooses_size = true,
				       .takes_end = true,
				       .turns_upright = true,
				       .filter = WAN_FILTER_LANCZOS,
				       .usual = {832, 480},
				       .frames = 81,
				       .frames_per_s = 16,
				       .latent_step_px = 8,
				       .latent_channels = 16},
				      STEP_BELOW},
	[WAN_PIPELINE_WAN2GP_INSIDE] = {{.name = "wan2gp-inside",
					 .title = "Wan2GP, fit 1: inside the size asked for",
					 .step_px = 16,
					 .chooses_size = true,
					 .takes_end = true,
					 .turns_upright = true,
					 .filter = WAN_FILTER_LANCZOS,
					 .usual = {832, 480},
					 .frames = 81,
					 .frames_per_s = 16,
					 .latent_step_px = 8,
					 .latent_channels = 16},
					STEP_BELOW},
	[WAN_PIPELINE_COMFYUI] = {{.name = "comfyui",
				   .title = "ComfyUI, WanImageToVideo and WanFirstLastFrameToVideo",
				   .step_px = 16,
				   .takes_end = true,
				   .turns_upright = true,
				   .filter = WAN_FILTER_TORCH_BILINEAR,
				   .range = WAN_RANGE_UNIT,
				   .usual = {832, 480},
				   .frames = 81,
				   .frames_per_s = 16,
				   .latent_step_px = 8,
				   .latent_channels = 16},
				  STEP_BELOW},
	[WAN_PIPELINE_DIFFUSERS_EXACT] = {{.name = "diffusers-exact",
					   .title = "diffusers, given height and width",
					   .step_px = 16,
					   .takes_end = true,
					   .turns_upright = true,
					   .filter = WAN_FILTER_LANCZOS,
					   .usual = {832, 480},
					   .frames = 81,
					   .frames_per_s = 16,
					   .latent_step_px = 8,
					   .latent_channels = 16},
					  NEXT_STEP},
	[WAN_PIPELINE_KIJAI] = {{.name = "kijai",
				 .title = "ComfyUI-WanVideoWrapper (kijai)",
				 .step_px = 8,
				 .takes_end = true,
				 .turns_upright = true,
				 .filter = WAN_FILTER_LANCZOS,
				 .usual = {832, 480},
				 .frames = 81,
				 .frames_per_s = 16,
				 .latent_step_px = 8,
				 .latent_channels = 16},
				STEP_BELOW},
	[WAN_PIPELINE_WAN2GP_CROP] = {{.name = "wan2gp-crop",
				       .title = "Wan2GP, fit 2: cut to the size asked for",
				       .step_px = 16,
				       .takes_end = true,
				       .turns_upright = true,
				       .filter = WAN_FILTER_LANCZOS,
				       .usual = {832, 480},
				       .frames = 81,
				       .frames_per_s = 16,
				       .latent_step_px = 8,
				       .latent_channels = 16},
				      STEP_BELOW},
	[WAN_PIPELINE_S2V] = {{.name = "s2v",
			       .title = "Wan2.2 speech-to-video 14B, official code",
			       .step_px = 64,
			       .chooses_size = true,
			       .filter = WAN_FILTER_BILINEAR,
			       .usual = {1024, 704},
			       .sizes = s2v_sizes,
			       .size_count = WAN_COUNT_OF(s2v_sizes),
			       .frames = 80,
			       .frames_per_s = 16,
			       .latent_step_px = 8,
			       .latent_channels = 16},
			      FOURS},
	[WAN_PIPELINE_ANIMATE] = {{.name = "animate",
				   .title = "Wan2.2 animate 14B, official code",
				   .step_px = 16,
				   .turns_upright = true,
				   .filter = WAN_FILTER_TORCH_BILINEAR,
				   .usual = {1280, 720},
				   .frames = 77,
				   .frames_per_s = 30,
				   .latent_step_px = 8,
				   .latent_channels = 16},
				  REFUSES},
	/* It is given an end image without complaint, and never looks at it. */
	[WAN_PIPELINE_DIFFUSERS_TI2V] = {{.name = "diffusers-ti2v",
					  .title = "diffusers with TI2V-5B, size as documented",
					  .step_px = 32,
					  .chooses_size = true,
					  .turns_upright = true,
					  .filter = WAN_FILTER_LANCZOS,
					  .usual = {1280, 704},
					  .frames = 121,
					  .frames_per_s = 24,
					  .latent_step_px = 16,
					  .latent_channels = 48},
					 NEXT_STEP},
};

_Static_assert(WAN_COUNT_OF(pipelines) == WAN_PIPELINES, "the header counts the pipelines");

const struct wan_pipeline_info *wan_pipeline_info(enum wan_pipeline pipeline)
{
	return (unsigned)pipeline < WAN_PIPELINES ? &pipelines[pipeline].info : NULL;
}

int wan_pipeline_find(const char *name, enum wan_pipeline *ret_pipeline)
{
	for (unsigned i = 0; name && ret_pipeline && i < WAN_PIPELINES; i++)
		if (wan_str_equal(pipelines[i].info.name, name)) {
			*ret_pipeline = (enum wan_pipeline)i;
			return 0;
		}
	return -ENOENT;
}

int wan_frame_count(enum wan_pipeline pipeline, uint32_t asked, uint32_t *ret_frames)
{
	if ((unsigned)pipeline >= WAN_PIPELINES || asked == 0 || asked > INT32_MAX || !ret_frames)
		return -EINVAL;
	enum frame_rule rule = pipelines[pipeline].frames;
	uint32_t frames = rule == FOURS                         ? asked / 4 * 4
			  : rule == NEXT_STEP && asked % 4 != 1 ? asked / 4 * 4 + 1
								: (asked - 1) / 4 * 4 + 1;
	*ret_frames = WAN_MAX(frames, 1u);
	if (*ret_frames == asked && frames != 0)
		return 0;
	return rule == REFUSES || frames == 0 ? 2 : 1;
}

int wan_latent_size(enum wan_pipeline pipeline, struct wan_size output, uint32_t frames,
		    struct wan_latent *ret_latent)
{
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	if (!info || !ret_latent || frames == 0 || output.width_px < info->latent_step_px ||
	    output.height_px < info->latent_step_px)
		return -EINVAL;
	bool fours = pipelines[pipeline].frames == FOURS;
	struct wan_latent latent = {
		.channels = info->latent_channels,
		.frames = fours ? WAN_MAX(frames / 4, 1u) : (frames - 1) / 4 + 1,
		.height = output.height_px / info->latent_step_px,
		.width = output.width_px / info->latent_step_px,
	};
	latent.tokens = (uint64_t)latent.frames * latent.height * latent.width / 4;
	*ret_latent = latent;
	return 0;
}
