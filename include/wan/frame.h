/* SPDX-License-Identifier: MIT */
/**
 * Framing: which size of frames each WAN program makes of an image, what it cuts, squeezes or
 * borders on the way, and the same done to the pixels.
 */
#ifndef WAN_FRAME_H
#define WAN_FRAME_H

#include <stdbool.h>
#include "wan/image.h"
#include "wan/validate.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a WAN program brings an image to the frames of a clip. */
enum wan_pipeline {
	WAN_PIPELINE_A14B,          /**< official image-to-video: area of target, ratio of source */
	WAN_PIPELINE_TI2V,          /**< official text-image-to-video: steps of 32 */
	WAN_PIPELINE_DIFFUSERS,     /**< documented use of the diffusers pipeline: steps of 16 */
	WAN_PIPELINE_WAN2GP_AREA,   /**< Wan2GP, fit 0: same area */
	WAN_PIPELINE_WAN2GP_INSIDE, /**< Wan2GP, fit 1: fits inside, either way up */
	WAN_PIPELINE_COMFYUI,       /**< exactly target; see wan_comfyui_crop() */
	WAN_PIPELINE_DIFFUSERS_EXACT, /**< diffusers given height and width: target, by 16 */
	WAN_PIPELINE_KIJAI,           /**< WanVideoWrapper: exactly target */
	WAN_PIPELINE_WAN2GP_CROP,     /**< Wan2GP, fit 2: exactly target, centre crop */
	WAN_PIPELINE_S2V,     /**< official speech-to-video: steps of 64, at most target's area */
	WAN_PIPELINE_ANIMATE, /**< official animate: exactly target, black borders */
	WAN_PIPELINE_DIFFUSERS_TI2V, /**< diffusers with TI2V-5B, as documented: steps of 32 */
};
#define WAN_PIPELINES 12

/** What the numbers of a pipeline's image tensor run from and to. */
enum wan_range {
	WAN_RANGE_SIGNED, /**< [-1, 1] */
	WAN_RANGE_UNIT,   /**< [0, 1]; the encoder maps it */
};

/** What is known of a pipeline; static storage. */
struct wan_pipeline_info {
	const char *name;   /**< stable, as the command line takes it: "a14b" */
	const char *title;  /**< "Wan2.2 image-to-video A14B, official code" */
	uint32_t step_px;   /**< sides of frames are multiples of this */
	bool chooses_size;  /**< from the image; else frames have the size asked for */
	bool takes_end;     /**< an end image can be given */
	bool turns_upright; /**< applies EXIF orientation when it reads a file */
	enum wan_filter filter;
	enum wan_range range;
	struct wan_size usual;        /**< the size asked for when nobody says */
	const struct wan_size *sizes; /**< sizes its authors support; NULL: any */
	uint32_t size_count;
	uint32_t frames, frames_per_s; /**< of a clip, when nobody says */
	uint32_t latent_step_px, latent_channels;
};
/**
 * The pipelines, by number; NULL for a number that is none.
 * Threads: any. Since: 0.2
 */
WAN_API const struct wan_pipeline_info *wan_pipeline_info(enum wan_pipeline pipeline);
/** The pipeline of a name ("a14b"). Returns 0, -ENOENT. Threads: any. Since: 0.2 */
WAN_API WAN_MUST_CHECK int wan_pipeline_find(const char *name, enum wan_pipeline *ret_pipeline);

/**
 * The size of the frames that a pipeline will make from an image, target being the resolution asked
 * of it (its area or box). Returns 0, -EINVAL (a zero side), -ERANGE (no usable size: the ratio is
 * too extreme). Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_output_size(enum wan_pipeline pipeline, struct wan_size source,
					   struct wan_size target, struct wan_size *ret_size);
/**
 * The part of the source that ComfyUI keeps before it scales to target (centre crop).
 * Returns 0, -EINVAL, -ERANGE (nothing is left). Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_comfyui_crop(struct wan_size source, struct wan_size target,
					    struct wan_rect *ret_rect);

/**
 * How an image becomes frames: cut, scaled, cut again or bordered, in this order, and what comes of
 * it.
 */
struct wan_framing {
	enum wan_pipeline pipeline;
	struct wan_size source; /**< as the pipeline reads it */
	struct wan_size output; /**< the frames */
	struct wan_rect crop;   /**< of the source, cut out first; the whole where nothing is */
	struct wan_size scaled; /**< to which the crop is resized */
	struct wan_rect window; /**< of scaled, the part that stays */
	uint32_t place_x_px, place_y_px; /**< where the window lies in the output; black around */
	enum wan_filter filter;
	enum wan_range range;
	/** The part of the source that is seen in the frames, in its pixels. */
	double seen_x_px, seen_y_px, seen_width_px, seen_height_px;
	double scale_x, scale_y; /**< output pixels for one of the source */
	double squeeze_pct; /**< things look so much wider (negative: narrower) than they are */
	double lost_pct;    /**< of the source's area, not seen */
	double padded_pct;  /**< of the frame's area, black */
};
/**
 * How a pipeline frames a start image, target as for wan_output_size().
 * Returns 0, -EINVAL (no such pipeline, a zero side), -ERANGE (no usable size or nothing is left).
 * Threads: any.   Cost: below 1 us, S2V some.   Since: 0.2
 * Source: wan/image2video.py, textimage2video.py, speech2video.py, animate.py (Wan-Video/Wan2.2),
 * pipeline_wan_i2v.py and image_processor.py (diffusers), comfy/utils.py (ComfyUI), nodes.py
 * (ComfyUI-WanVideoWrapper), wgp.py and shared/utils/utils.py (Wan2GP).
 */
WAN_API WAN_MUST_CHECK int wan_frame(enum wan_pipeline pipeline, struct wan_size source,
				     struct wan_size target, struct wan_framing *ret_framing);
/**
 * How it frames an end image once the start image has settled the size of the frames.
 * Returns as wan_frame(), and -EOPNOTSUPP (the pipeline takes no end image). Threads: any. Since:
 * 0.2
 */
WAN_API WAN_MUST_CHECK int wan_frame_end(enum wan_pipeline pipeline, struct wan_size source,
					 struct wan_size output, struct wan_framing *ret_framing);
/**
 * How the function for last frames in diffusers' documentation frames an image of another size than
 * the frames: it crops with width and height exchanged and never scales, and the pipeline then
 * stretches what is left. For telling: crop, scaled and window are rounded to whole pixels.
 * Returns as wan_frame(). Threads: any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_frame_documented_last(struct wan_size source, struct wan_size output,
						     struct wan_framing *ret_framing);
/** Whether two framings show their images differently: things are wider in one by more than 5 %, or
 *  the shares seen differ by more than 0.05. Threads: any. Since: 0.2 */
WAN_API bool wan_framings_differ(const struct wan_framing *a, const struct wan_framing *b);
/**
 * The size nearest to source's ratio (and, weighing a quarter, to target's area) that a pipeline
 * neither squeezes, cuts nor borders: an image of that size, for a pipeline that chooses; a size to
 * ask for, for the others. Returns 0, -EINVAL, -ERANGE (there is none).
 * Threads: any.   Cost: some ms.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_unsqueezed_size(enum wan_pipeline pipeline, struct wan_size source,
					       struct wan_size target, struct wan_size *ret_size);
/**
 * Do what a framing says: RGB8 of exactly framing->output. Alpha is dropped; convert the image
 * before for another policy. Returns 0, -EINVAL (the image has not the framing's source size, a
 * rectangle is outside, a planar image), -ENOMEM. Threads: any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_frame(const struct wan_image *image,
					   const struct wan_framing *framing,
					   struct wan_image **ret_image);

/** Which way up an image is read. */
enum wan_upright {
	WAN_UPRIGHT_AS_PIPELINE, /**< as the pipeline reads files: see turns_upright */
	WAN_UPRIGHT_ALWAYS,      /**< the camera's orientation is applied before */
	WAN_UPRIGHT_NEVER,
};
/** What becomes of a start and an end image. */
struct wan_explanation {
	enum wan_pipeline pipeline;
	struct wan_size target; /**< what was asked for */
	struct wan_framing start, end;
	bool has_end;  /**< there is an end image, and the pipeline takes it */
	bool has_last; /**< diffusers: its documented function frames the end otherwise */
	struct wan_framing last;
	struct wan_size unsqueezed; /**< wan_unsqueezed_size(); 0 x 0: there is none */
	/** The largest centre crop of the start image that has the ratio of unsqueezed. */
	struct wan_rect unsqueezed_crop;
	struct wan_verdict verdict; /**< squeezed, cut_off, framing_differs, ... */
};
/**
 * Predict what a pipeline makes of a pair from their headers (wan_image_probe()). end may be NULL.
 * target 0 x 0: the pipeline's usual size.
 * Returns 0, -EINVAL, -ERANGE (no usable size for the start image).
 * Threads: any.   Cost: some ms.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_explain(enum wan_pipeline pipeline,
				       const struct wan_image_info *start,
				       const struct wan_image_info *end, struct wan_size target,
				       enum wan_upright upright,
				       struct wan_explanation *ret_explanation);

/**
 * The frames a pipeline makes when asked for a number. Returns 0 (*ret_frames is what was asked), 1
 * (the pipeline makes *ret_frames instead), 2 (it fails with this number; *ret_frames is the
 * nearest below that works, or 1), -EINVAL (no such pipeline, asked is 0). S2V counts a part of a
 * clip, in steps of 4; the others make 4n+1. Threads: any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_frame_count(enum wan_pipeline pipeline, uint32_t asked,
					   uint32_t *ret_frames);
/** What the model works on. */
struct wan_latent {
	uint32_t channels, frames, height, width;
	uint64_t tokens; /**< length of the sequence: 2x2 cells of all frames */
};
/** Of frames of that size and a number of frames from wan_frame_count(). Returns 0, -EINVAL (below
 *  one cell). Threads: any. Since: 0.2 */
WAN_API WAN_MUST_CHECK int wan_latent_size(enum wan_pipeline pipeline, struct wan_size output,
					   uint32_t frames, struct wan_latent *ret_latent);

#ifdef __cplusplus
}
#endif
#endif
