/* SPDX-License-Identifier: MIT */
/**
 * Images: probe, decode, encode, thumbnails, resize, convert, normalise, validate.
 */
#ifndef WAN_IMAGE_H
#define WAN_IMAGE_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Interleaved unless named PLANAR. 16-bit samples are in host byte order. */
enum wan_pixel_format {
	WAN_PIXEL_GRAY8 = 1,
	WAN_PIXEL_GRAYA8,
	WAN_PIXEL_RGB8,
	WAN_PIXEL_RGBA8,
	WAN_PIXEL_CMYK8,
	WAN_PIXEL_GRAY16,
	WAN_PIXEL_GRAYA16,
	WAN_PIXEL_RGB16,
	WAN_PIXEL_RGBA16,
	WAN_PIXEL_RGBF32_PLANAR, /**< channels, height, width (CHW), float32 */
};

/** What the file is, by content. */
enum wan_file_format {
	WAN_FORMAT_UNKNOWN,
	WAN_FORMAT_PNG,
	WAN_FORMAT_JPEG,
	WAN_FORMAT_WEBP, /**< this and the following: recognised, not decodable here */
	WAN_FORMAT_BMP,
	WAN_FORMAT_GIF,
	WAN_FORMAT_TIFF,
	WAN_FORMAT_HEIF,
	WAN_FORMAT_AVIF,
};

/** Colour as stored in the file. */
enum wan_color_type {
	WAN_COLOR_GRAY,
	WAN_COLOR_GRAY_ALPHA,
	WAN_COLOR_RGB,
	WAN_COLOR_RGB_ALPHA,
	WAN_COLOR_PALETTE,
	WAN_COLOR_YCBCR,
	WAN_COLOR_CMYK,
	WAN_COLOR_YCCK,
};

/** From the header alone, before any pixel is allocated. */
struct wan_image_info {
	enum wan_file_format format;
	uint32_t width_px, height_px; /**< as stored, before orientation */
	uint8_t bit_depth;	      /**< bits per sample, 1 to 16 */
	uint8_t channels;	      /**< samples per pixel after palette expansion, with tRNS alpha */
	enum wan_color_type color;
	uint8_t exif_orientation; /**< 1 to 8; 1 when absent */
	bool interlaced;	  /**< PNG Adam7 or progressive JPEG */
	bool has_alpha, has_icc, has_transparency_key;
	uint32_t scans;		   /**< JPEG: scans seen in the file; PNG: 1 or 7 */
	uint64_t file_bytes;	   /**< 0 when unknown */
	uint64_t output_bytes;	   /**< pixels after decoding in the natural format */
	uint64_t peak_bytes;	   /**< price: output plus the decoder's own memory */
};

/** A reference-counted block of pixels. Pixels are immutable once shared (more than one ref). */
struct wan_image;

/** Plain look at an image; pixels are borrowed until the last unref. */
struct wan_image_view {
	enum wan_pixel_format format;
	uint32_t width_px, height_px;
	uint32_t channels;
	size_t stride_bytes;  /**< one row; one row of one plane when planar */
	size_t pixels_bytes;  /**< whole block */
	const void *pixels;
	uint32_t warnings; /**< of the decoder; 0: clean, or not decoded */
};

/** What to do with alpha when the wanted format has none. */
enum wan_alpha_policy {
	WAN_ALPHA_KEEP,	   /**< natural format keeps it */
	WAN_ALPHA_DROP,	   /**< as diffusers, ComfyUI, official code do */
	WAN_ALPHA_WHITE,   /**< composite over white */
	WAN_ALPHA_BLACK,
	WAN_ALPHA_REFUSE,  /**< -EPROTONOSUPPORT */
};

struct wan_decode_options {
	size_t struct_size;
	enum wan_pixel_format want; /**< 0: natural format */
	enum wan_alpha_policy alpha; /**< default DROP when want has no alpha */
	bool apply_orientation;	    /**< default true */
	bool strict;		    /**< warnings are errors; default false */
	uint32_t min_width_px, min_height_px; /**< 0: full size; else JPEG may decode scaled to >= these */
	uint64_t max_pixels;	    /**< default image.max_pixels */
	uint64_t max_bytes;	    /**< price limit; default image.max_bytes */
	uint32_t max_scans;	    /**< default image.max_scans */
	uint32_t max_chunks;	    /**< default image.max_chunks */
	bool allow_truncated; /**< a file that is cut off gives what is there; default false */
};

enum wan_filter {
	WAN_FILTER_LANCZOS, /**< Pillow's, bit for bit */
	WAN_FILTER_BICUBIC,
	WAN_FILTER_BILINEAR,
	WAN_FILTER_BOX,
};

WAN_API void wan_decode_options_init(struct wan_decode_options *options);

/** Look at the header only. path or memory. -EBADMSG (damaged), -ENOTSUP (recognised, not decodable:
 *  info is still filled with format), -ENODATA (empty or truncated header), -EISDIR, -ENOENT, ... */
WAN_API WAN_MUST_CHECK int wan_image_probe(const char *path, struct wan_image_info *ret_info,
					   struct wan_error *reterr_error);
WAN_API WAN_MUST_CHECK int wan_image_probe_memory(const void *bytes, size_t count,
						  struct wan_image_info *ret_info,
						  struct wan_error *reterr_error);
WAN_API WAN_MUST_CHECK int wan_image_decode(const char *path, const struct wan_decode_options *options,
					    struct wan_image **ret_image,
					    struct wan_error *reterr_error);
WAN_API WAN_MUST_CHECK int wan_image_decode_memory(const void *bytes, size_t count,
						   const struct wan_decode_options *options,
						   struct wan_image **ret_image,
						   struct wan_error *reterr_error);

/** A fresh, writable image from the pool (contents undefined). */
WAN_API WAN_MUST_CHECK int wan_image_create(enum wan_pixel_format format, uint32_t width_px,
					    uint32_t height_px, struct wan_image **ret_image);
/** Copy of the caller's pixels. */
WAN_API WAN_MUST_CHECK int wan_image_from_pixels(const struct wan_image_view *pixels,
						 struct wan_image **ret_image);
WAN_API struct wan_image *wan_image_ref(struct wan_image *image);
WAN_API void wan_image_unref(struct wan_image *image);
WAN_API void wan_image_view(const struct wan_image *image, struct wan_image_view *ret_view);
/** Pixels for writing while the caller holds the only reference, else NULL. */
WAN_API void *wan_image_pixels_mut(struct wan_image *image);

/** Never enlarges, keeps the ratio: 512x512@150 -> 150x150, 1920x1080@256 -> 256x144. Pillow's result. */
WAN_API WAN_MUST_CHECK int wan_image_thumbnail(const struct wan_image *image, uint32_t max_width_px,
					       uint32_t max_height_px, struct wan_image **ret_image);
WAN_API WAN_MUST_CHECK int wan_image_resize(const struct wan_image *image, uint32_t width_px,
					    uint32_t height_px, enum wan_filter filter,
					    struct wan_image **ret_image);
WAN_API WAN_MUST_CHECK int wan_image_crop(const struct wan_image *image, uint32_t x_px, uint32_t y_px,
					  uint32_t width_px, uint32_t height_px,
					  struct wan_image **ret_image);
WAN_API WAN_MUST_CHECK int wan_image_convert(const struct wan_image *image, enum wan_pixel_format want,
					     enum wan_alpha_policy alpha, struct wan_image **ret_image);
/** RGB8 to RGBF32_PLANAR in [-1, 1]: (p / 255 - 0.5) / 0.5 in float32, exact for all 256 values. */
WAN_API WAN_MUST_CHECK int wan_image_normalise(const struct wan_image *image,
					       struct wan_image **ret_image);

/** How a pipeline frames a source; golden sizes are in the tests. */
enum wan_fit {
	WAN_FIT_STRETCH,     /**< diffusers, official: resize to the size, ratio lost */
	WAN_FIT_COVER,	     /**< scale to cover, centre crop (TI2V, ComfyUI) */
	WAN_FIT_CONTAIN,     /**< letterbox on black */
};
/** Resize and crop or pad so that the result is exactly width x height, RGB8. */
WAN_API WAN_MUST_CHECK int wan_image_fit(const struct wan_image *image, uint32_t width_px,
					 uint32_t height_px, enum wan_fit fit, enum wan_filter filter,
					 struct wan_image **ret_image);

/** A size in pixels. */
struct wan_size {
	uint32_t width_px, height_px;
};
/** A part of an image. */
struct wan_rect {
	uint32_t x_px, y_px, width_px, height_px;
};

/** Programs that choose the size of a clip from its start image. */
enum wan_pipeline {
	WAN_PIPELINE_A14B,	    /**< official image-to-video: area of target, ratio of source */
	WAN_PIPELINE_TI2V,	    /**< official text-image-to-video: steps of 32 */
	WAN_PIPELINE_DIFFUSERS,	    /**< documented use of the diffusers pipeline: steps of 16 */
	WAN_PIPELINE_WAN2GP_AREA,   /**< Wan2GP, fit 0: same area */
	WAN_PIPELINE_WAN2GP_INSIDE, /**< Wan2GP, fit 1: fits inside, either way up */
	WAN_PIPELINE_COMFYUI,	    /**< exactly target; see wan_comfyui_crop() */
};
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

struct wan_encode_options {
	size_t struct_size;
	enum wan_file_format format; /**< PNG or JPEG */
	uint32_t jpeg_quality;	     /**< 1 to 100, default 90 */
	bool jpeg_progressive;	     /**< default false */
	uint32_t png_level;	     /**< zlib 0 to 9, default 6 */
	bool png_interlaced;	     /**< default false */
	bool overwrite;		     /**< default false: an existing file is -EEXIST */
};
WAN_API void wan_encode_options_init(struct wan_encode_options *options);
/** Written to a temporary name in the same folder and renamed: nothing half-written remains. */
WAN_API WAN_MUST_CHECK int wan_image_encode(const struct wan_image *image, const char *path,
					    const struct wan_encode_options *options,
					    struct wan_error *reterr_error);
/** RGBF32_PLANAR (or any format, as uint8/uint16 arrays HWC) as NumPy .npy version 1.0. */
WAN_API WAN_MUST_CHECK int wan_image_write_npy(const struct wan_image *image, const char *path,
					       bool overwrite, struct wan_error *reterr_error);

enum wan_severity {
	WAN_SEVERITY_INFO,
	WAN_SEVERITY_WARNING,
	WAN_SEVERITY_ERROR,
};
struct wan_issue {
	const char *id; /**< stable, e.g. "too_dark"; static storage */
	enum wan_severity severity;
	double value, limit;
	char message[192];
	char suggestion[192];
};
#define WAN_ISSUES_MAX 24
struct wan_verdict {
	bool valid; /**< no issue of severity error */
	uint32_t issue_count;
	struct wan_issue issues[WAN_ISSUES_MAX];
	char ratio_label[32]; /**< "16:9 (Widescreen)", "7:5 (Custom)" */
	double brightness_mean, contrast_std, blur_variance;
};
WAN_API WAN_MUST_CHECK int wan_image_validate(const struct wan_image *image,
					      const struct wan_image_info *info,
					      struct wan_verdict *ret_verdict);
/** Either may be NULL (end image is optional). */
WAN_API WAN_MUST_CHECK int wan_image_validate_pair(const struct wan_image_info *start,
						   const struct wan_image_info *end,
						   struct wan_verdict *ret_verdict);

/** Pixel pool: recycled page-rounded buffers. */
struct wan_pool_stats {
	uint64_t mapped_bytes, idle_bytes, in_use_bytes;
	uint64_t reused, fresh, trimmed;
};
WAN_API void wan_pool_stats(struct wan_pool_stats *ret_stats);
/** Give idle buffers back to the kernel until at most keep_bytes are idle; returns bytes given back. */
WAN_API uint64_t wan_pool_trim(uint64_t keep_bytes);
/** Idle bytes kept from now on (pool.idle). */
WAN_API void wan_pool_set_idle_limit(uint64_t idle_bytes);

#ifdef __cplusplus
}
#endif
#endif
