/* SPDX-License-Identifier: MIT */
/**
 * Images: probe, decode, encode, thumbnails, resize, convert, normalise, validate.
 *
 * Calls that make an image hand it over by *ret_image, which then belongs to the caller, who gives
 * it back with wan_image_unref(); on failure *ret_image is untouched. Images given as arguments
 * stay the caller's. Where nothing has to be done (same size, same format) the result is the
 * argument itself with one more reference, so treat results as shared: wan_image_pixels_mut()
 * tells.
 *
 * Files are read from regular files only and never through mmap; nothing is allocated for what a
 * header merely claims.
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
	WAN_PIXEL_RGBF32_PLANAR,  /**< channels, height, width (CHW), float32 */
	WAN_PIXEL_RGBF16_PLANAR,  /**< the same in IEEE 754 half precision; since 0.2 */
	WAN_PIXEL_RGBBF16_PLANAR, /**< the same in bfloat16; since 0.2 */
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
	WAN_FORMAT_JXL, /**< this and the following: since 0.2 */
	WAN_FORMAT_JPEG2000,
	WAN_FORMAT_PSD,
	WAN_FORMAT_ICO,
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
	uint8_t bit_depth;            /**< bits per sample, 1 to 16 */
	uint8_t channels; /**< samples per pixel after palette expansion, with tRNS alpha */
	enum wan_color_type color;
	uint8_t exif_orientation; /**< 1 to 8; 1 when absent */
	bool interlaced;          /**< PNG Adam7 or progressive JPEG */
	bool has_alpha, has_icc, has_transparency_key;
	uint32_t scans;        /**< JPEG: scans counted, 1 when not; PNG: 1 or 7 passes */
	uint64_t file_bytes;   /**< 0 when unknown */
	uint64_t output_bytes; /**< pixels after decoding in the natural format */
	uint64_t peak_bytes;   /**< price: output plus the decoder's own memory */
};

/** A reference-counted block of pixels. Pixels are immutable once shared (more than one ref). */
struct wan_image;

/** Plain look at an image; pixels are borrowed until the last unref. */
struct wan_image_view {
	enum wan_pixel_format format;
	uint32_t width_px, height_px;
	uint32_t channels;
	size_t stride_bytes; /**< one row; one row of one plane when planar */
	size_t pixels_bytes; /**< whole block */
	const void *pixels;
	uint32_t warnings; /**< of the decoder; 0: clean, or not decoded */
};

/** What to do with alpha when the wanted format has none. */
enum wan_alpha_policy {
	WAN_ALPHA_KEEP, /**< kept by the natural format; dropped by a wanted format without alpha */
	WAN_ALPHA_DROP, /**< as diffusers, ComfyUI, official code do: hidden colours appear */
	WAN_ALPHA_WHITE,             /**< composite over white */
	WAN_ALPHA_BLACK,             /**< composite over black */
	WAN_ALPHA_REFUSE,            /**< -EPROTONOSUPPORT when there is alpha that would be lost */
	WAN_ALPHA_COLOR = 0x1000000, /**< the range of WAN_ALPHA_OVER(); this is over black */
	WAN_ALPHA_COLOR_LAST = 0x1ffffff,
};
/** Composite over a colour, red, green and blue 0 to 255: an enum wan_alpha_policy. Grey formats go
 *  over its luma, 16-bit ones over 257 times it. Since: 0.2 */
#define WAN_ALPHA_OVER(r, g, b)                                                                    \
	((enum wan_alpha_policy)(WAN_ALPHA_COLOR | ((r)&255) << 16 | ((g)&255) << 8 | ((b)&255)))

/**
 * How to decode; fill by wan_decode_options_init(). A shorter struct of an older version is taken
 * with the defaults for the rest.
 */
struct wan_decode_options {
	size_t struct_size;
	enum wan_pixel_format want;  /**< default 0: the natural format, which loses nothing */
	enum wan_alpha_policy alpha; /**< default KEEP */
	bool apply_orientation;      /**< turn upright as EXIF says; default true */
	bool strict;                 /**< warnings of the decoder are errors; default false */
	/** Default 0: full size; else a JPEG is decoded at 1/2, 1/4 or 1/8 as long as both upright
	 *  sides stay at least these (much faster for thumbnails). */
	uint32_t min_width_px, min_height_px;
	uint64_t max_pixels; /**< default image.max_pixels, 268435456 */
	uint64_t max_bytes;  /**< of price and file; default image.max_bytes, 2 GB */
	uint32_t max_scans;  /**< default image.max_scans, 100; fewer for images of many pixels */
	uint32_t max_chunks; /**< default image.max_chunks, 1000 */
	/** A file that is cut off gives the rows that are there, the rest black or grey, with a
	 *  warning; default false: -EBADMSG naming the row. */
	bool allow_truncated;
	/** Since 0.2, of wan_load() alone: when memory has no room for the whole, take a JPEG that
	 * is decoded at 1/2, 1/4 or 1/8 instead, down to one of this: 2, 4 or 8; default 0:
	 * -ENOMEM. */
	uint32_t accept_divisor;
};

/** A size in pixels. */
struct wan_size {
	uint32_t width_px, height_px;
};
/** A part of an image. */
struct wan_rect {
	uint32_t x_px, y_px, width_px, height_px;
};

enum wan_filter {
	WAN_FILTER_LANCZOS, /**< Pillow's, bit for bit */
	WAN_FILTER_BICUBIC,
	WAN_FILTER_BILINEAR,
	WAN_FILTER_BOX,
	WAN_FILTER_TORCH_BICUBIC,  /**< torch's interpolate(), no antialiasing, a = -0.75 */
	WAN_FILTER_TORCH_BILINEAR, /**< the same, linear: ComfyUI */
};

/** Fill in the defaults named above. Threads: any. Since: 0.1 */
WAN_API void wan_decode_options_init(struct wan_decode_options *options);

/**
 * Look at the header of a file: what it is (by content, whatever its name), its size, and what
 * decoding it would cost. Reads the header, and of small progressive files the scan markers.
 *
 * Returns 0; -ENOTSUP for a format or kind that is recognised but not decoded here (*ret_info then
 * holds what is known, and the hint the command that converts it); -EBADMSG damaged, no image, or
 * fewer bytes than such an image can have; -ENODATA empty or cut off inside the header; -EISDIR,
 * -EINVAL (a pipe or device), -ENOENT, -EACCES, -EIO and other errors of the file system.
 * Threads: any.   Cost: some microseconds, one 64 KiB buffer.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_probe(const char *path, struct wan_image_info *ret_info,
					   struct wan_error *reterr_error);
/** The same for count bytes in memory, borrowed for the call. Threads: any. Since: 0.1 */
WAN_API WAN_MUST_CHECK int wan_image_probe_memory(const void *bytes, size_t count,
						  struct wan_image_info *ret_info,
						  struct wan_error *reterr_error);
/**
 * Decode a PNG or JPEG file. options may be NULL: defaults.
 *
 * PNG of 1 to 4 bits become 8, palettes RGB or RGBA, transparency keys alpha; JPEG of four
 * components becomes CMYK8 with 255 as full ink. Colour profiles are not applied. 16 bits become 8
 * by their high byte. Decoder warnings are counted in wan_image_view.warnings.
 *
 * Returns what wan_image_probe() returns, and -EFBIG (a limit of the options, named), -ENOMEM,
 * -EPROTONOSUPPORT (alpha refused), -EINVAL (options; a planar format is wanted), -EBADMSG
 * (damaged, or cut off: the reason names the row). Threads: any.   Cost: at most info.peak_bytes;
 * rows are converted and turned while decoding. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_decode(const char *path,
					    const struct wan_decode_options *options,
					    struct wan_image **ret_image,
					    struct wan_error *reterr_error);
/** The same for count bytes in memory, borrowed for the call. Threads: any. Since: 0.1 */
WAN_API WAN_MUST_CHECK int wan_image_decode_memory(const void *bytes, size_t count,
						   const struct wan_decode_options *options,
						   struct wan_image **ret_image,
						   struct wan_error *reterr_error);

/**
 * A fresh, writable image from the pool (contents undefined), rows tightly packed.
 * Returns 0, -EINVAL (a zero side, no such format), -EOVERFLOW, -ENOMEM. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_create(enum wan_pixel_format format, uint32_t width_px,
					    uint32_t height_px, struct wan_image **ret_image);
/**
 * A copy of the caller's pixels; of the view format, sides, stride (0: packed) and pixels count.
 * Returns as wan_image_create(), and -EINVAL for a stride below one row. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_from_pixels(const struct wan_image_view *pixels,
						 struct wan_image **ret_image);
/** One more reference, for the caller to give back. Returns image; NULL is allowed.
 *  Threads: any. Since: 0.1 */
WAN_API struct wan_image *wan_image_ref(struct wan_image *image);
/** Give a reference back; the last one returns the pixels to the pool. NULL is allowed.
 *  Threads: any. Since: 0.1 */
WAN_API void wan_image_unref(struct wan_image *image);
/** What the image is; the pixels are borrowed until the caller's reference is given back. An empty
 *  view for NULL. Threads: any. Since: 0.1 */
WAN_API void wan_image_view(const struct wan_image *image, struct wan_image_view *ret_view);
/** Pixels for writing while the caller holds the only reference, else NULL.
 *  Threads: one at a time per handle. Since: 0.1 */
WAN_API void *wan_image_pixels_mut(struct wan_image *image);

/**
 * Shrink to fit within max_width x max_height, ratio kept, never enlarged: 512x512 within 150 is
 * 150x150, 1920x1080 within 256 is 256x144. Equals Pillow's thumbnail() with Lanczos bit for bit;
 * 16-bit formats become 8-bit ones.
 * Returns 0, -EINVAL (a zero side, a planar image), -ENOMEM. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_thumbnail(const struct wan_image *image, uint32_t max_width_px,
					       uint32_t max_height_px,
					       struct wan_image **ret_image);
/**
 * The thumbnail of a file: what Pillow's open() and thumbnail() with Lanczos make of it, bit for
 * bit (before version 10; later ones look at the box instead of the thumbnail for the next rule,
 * which may decode a JPEG of another ratio larger). A JPEG is decoded at 1/2, 1/4 or 1/8 as long as
 * both sides stay at least twice the thumbnail's; rows are reduced and resampled as they come, so
 * the decoded file is never in memory whole. That is not the thumbnail of the fully decoded JPEG,
 * which would take several times as long. Of a progressive JPEG at 1/8 the scans that do not show
 * are skipped, damage in them unseen.
 *
 * options as for wan_image_decode(), NULL: defaults; min_width_px and min_height_px are not used.
 * 16-bit formats become 8-bit ones. Alpha is settled before pixels are mixed. A picture is shrunk
 * as it is stored and then turned upright; max_width_px and max_height_px are of the upright one.
 * Returns as wan_image_decode(). Threads: any.
 * Cost: wan_image_thumbnail_price(); time is that of libjpeg's scaled decoding or of reading the
 * PNG. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_thumbnail_file(const char *path, uint32_t max_width_px,
						    uint32_t max_height_px,
						    const struct wan_decode_options *options,
						    struct wan_image **ret_image,
						    struct wan_error *reterr_error);
/**
 * The bytes that takes at its highest, decoder, rows and result, from what wan_image_probe() said.
 * Returns 0, -EINVAL, -EPROTONOSUPPORT (alpha refused). Threads: any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_thumbnail_price(const struct wan_image_info *info,
						     uint32_t max_width_px, uint32_t max_height_px,
						     const struct wan_decode_options *options,
						     uint64_t *ret_peak_bytes);
/**
 * Resize, ratio not kept. Equals Pillow's resize() bit for bit, with alpha as Pillow weighs it;
 * 16-bit formats become 8-bit ones. The torch filters give RGB8, alpha dropped: the nearest bytes
 * of what wan_image_resize_float() computes. Returns 0, -EINVAL (a zero side, a planar image, no
 * such filter), -ENOMEM. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_resize(const struct wan_image *image, uint32_t width_px,
					    uint32_t height_px, enum wan_filter filter,
					    struct wan_image **ret_image);
/**
 * Resize to RGBF32_PLANAR in [-1, 1]. The torch filters compute on normalised floats and do not
 * clamp what overshoots, as the official image-to-video code (bicubic) and ComfyUI (bilinear) do:
 * within 1e-4 of torch's interpolate(align_corners=False). Pillow's filters compute on bytes, which
 * are normalised after. Of a planar image only RGBF32_PLANAR keeps its values, others become bytes
 * first; alpha is dropped. Returns 0, -EINVAL (a zero side, no such filter, a planar image with a
 * filter of Pillow), -EOVERFLOW, -ENOMEM. Threads: any. Source: aten/src/ATen/native/UpSample.h
 * (positions, coefficients). Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_resize_float(const struct wan_image *image, uint32_t width_px,
						  uint32_t height_px, enum wan_filter filter,
						  struct wan_image **ret_image);
/** A copy of a part. Returns 0, -EINVAL (not inside the image, empty, planar), -ENOMEM.
 *  Threads: any. Since: 0.1 */
WAN_API WAN_MUST_CHECK int wan_image_crop(const struct wan_image *image, uint32_t x_px,
					  uint32_t y_px, uint32_t width_px, uint32_t height_px,
					  struct wan_image **ret_image);
/**
 * To another pixel format. Grey is Rec. 601 luma, CMYK is converted without a profile, 16 bits
 * become 8 by their high byte: Pillow's results. To and from the PLANAR formats through RGB8, as
 * wan_image_normalise() does; half precision and bfloat16 are float32 rounded to nearest, ties to
 * even. From one PLANAR format to another values are rounded as they are.
 * Returns 0, -EINVAL (no such format or policy), -EPROTONOSUPPORT (alpha refused), -ENOMEM.
 * Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_convert(const struct wan_image *image,
					     enum wan_pixel_format want,
					     enum wan_alpha_policy alpha,
					     struct wan_image **ret_image);
/**
 * To RGBF32_PLANAR in [-1, 1]: (p / 255 - 0.5) / 0.5 in float32, equal for all 256 values to what
 * the official code, diffusers and Wan2GP compute. Other formats become RGB8 first, alpha dropped.
 * Returns 0, -EINVAL, -ENOMEM. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_normalise(const struct wan_image *image,
					       struct wan_image **ret_image);

/** How a pipeline frames a source. */
enum wan_fit {
	WAN_FIT_STRETCH, /**< diffusers, official image-to-video: the ratio is lost */
	WAN_FIT_COVER,   /**< scale to cover, sides rounded half to even, centre crop: official TI2V
			  */
	WAN_FIT_CONTAIN, /**< scale to fit inside, sides rounded down, centred on black */
};
/**
 * Resize and crop or pad so that the result is exactly width x height, RGB8 (alpha is dropped).
 * Returns 0, -EINVAL (a zero side, no such fit or filter), -ENOMEM.
 * Threads: any.   Cost: only what stays is computed, at most a few rows beside the result.
 * Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_fit(const struct wan_image *image, uint32_t width_px,
					 uint32_t height_px, enum wan_fit fit,
					 enum wan_filter filter, struct wan_image **ret_image);
/**
 * The same from a file, row by row: the source is never in memory whole, unless EXIF turns it.
 * Equals wan_image_decode() and wan_image_fit(). Of the options' fields min_width_px, min_height_px
 * and want are not used; alpha KEEP is DROP. Returns as wan_image_decode(), and -EINVAL as
 * wan_image_fit(). Threads: any.   Cost: wan_image_fit_price(). Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_fit_file(const char *path, uint32_t width_px,
					      uint32_t height_px, enum wan_fit fit,
					      enum wan_filter filter,
					      const struct wan_decode_options *options,
					      struct wan_image **ret_image,
					      struct wan_error *reterr_error);
/**
 * The bytes that takes at its highest, from what wan_image_probe() said. *ret_row_wise (may be
 * NULL): false when the file cannot be read without holding all of it: progressive JPEG (its
 * coefficients), interlaced PNG (its pixels), a picture to be turned. Returns 0, -EINVAL. Threads:
 * any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_fit_price(const struct wan_image_info *info, uint32_t width_px,
					       uint32_t height_px, enum wan_fit fit,
					       enum wan_filter filter,
					       const struct wan_decode_options *options,
					       bool *ret_row_wise, uint64_t *ret_peak_bytes);

/** How to encode; fill by wan_encode_options_init(). */
struct wan_encode_options {
	size_t struct_size;
	enum wan_file_format format; /**< PNG (default) or JPEG */
	uint32_t jpeg_quality;       /**< 1 to 100, default 90 */
	bool jpeg_progressive;       /**< default false */
	uint32_t png_level;          /**< zlib 0 to 9, default 6; 1 is several times faster */
	bool png_interlaced;         /**< default false */
	bool overwrite;              /**< default false: an existing file is -EEXIST */
};
/** Fill in the defaults named above. Threads: any. Since: 0.1 */
WAN_API void wan_encode_options_init(struct wan_encode_options *options);
/**
 * Write an image to a file. It is written under a temporary name in the same folder and moved into
 * place when whole: on failure nothing remains, and an existing file is as it was. options may be
 * NULL: defaults. JPEG takes GRAY8, RGB8 and CMYK8; PNG all but CMYK8 and planar.
 * Returns 0, -EEXIST, -ENOENT (no such folder), -EACCES, -EROFS, -ENOSPC, -EISDIR, -EINVAL
 * (options; a device or pipe is in the place), -ENOTSUP (format), -EPROTONOSUPPORT (pixels the
 * format cannot keep), -ENOMEM. Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_encode(const struct wan_image *image, const char *path,
					    const struct wan_encode_options *options,
					    struct wan_error *reterr_error);
/**
 * The same into memory. On success the caller owns *ret_bytes and gives it back by
 * wan_encoded_free(); on failure both results are untouched. options->overwrite means nothing here.
 *
 * Returns 0, -EINVAL, -ENOTSUP, -EPROTONOSUPPORT, -ENOMEM.
 * Threads: any.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_encode_memory(const struct wan_image *image,
						   const struct wan_encode_options *options,
						   void **ret_bytes, size_t *ret_count,
						   struct wan_error *reterr_error);
/** Give back what wan_image_encode_memory() made; NULL is allowed. Threads: any. Since: 0.2 */
WAN_API void wan_encoded_free(void *bytes);
/**
 * Write the pixels as NumPy .npy version 1.0, in the same safe manner: RGBF32_PLANAR as float32
 * (3, height, width), others as uint8 or uint16 (height, width, channels).
 * Returns as wan_image_encode(). Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_write_npy(const struct wan_image *image, const char *path,
					       bool overwrite, struct wan_error *reterr_error);

/** The pixel pool of the process: buffers in whole pages straight from the kernel, recycled. */
struct wan_pool_stats {
	uint64_t mapped_bytes; /**< all that is mapped: in use and idle */
	uint64_t idle_bytes;   /**< kept for reuse, at most pool.idle */
	uint64_t in_use_bytes;
	uint64_t reused;  /**< requests served by an idle buffer */
	uint64_t fresh;   /**< requests served by the kernel */
	uint64_t trimmed; /**< buffers given back to the kernel */
};
/** Threads: any. Since: 0.1 */
WAN_API void wan_pool_stats(struct wan_pool_stats *ret_stats);
/** Give the longest idle buffers back to the kernel until at most keep_bytes are idle. Returns the
 *  bytes given back. No lock is held meanwhile. Threads: any. Since: 0.1 */
WAN_API uint64_t wan_pool_trim(uint64_t keep_bytes);
/** Idle bytes kept from now on (pool.idle, default 64 MB); the excess goes at once.
 *  Threads: any. Since: 0.1 */
WAN_API void wan_pool_set_idle_limit(uint64_t idle_bytes);

#ifdef __cplusplus
}
#endif

#include "wan/validate.h" /* verdicts were here before they had a header of their own */
#endif
