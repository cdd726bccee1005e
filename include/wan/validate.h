/* SPDX-License-Identifier: MIT */
/**
 * Verdicts: what is to be said about a start image, an end image and the two together. All of it
 * comes from one table of rules, which can be listed.
 */
#ifndef WAN_VALIDATE_H
#define WAN_VALIDATE_H

#include <stdbool.h>
#include "wan/image.h"

#ifdef __cplusplus
extern "C" {
#endif

enum wan_severity {
	WAN_SEVERITY_INFO,    /**< worth knowing */
	WAN_SEVERITY_WARNING, /**< usable, with a likely worse clip */
	WAN_SEVERITY_ERROR,   /**< not usable */
};
/** One rule; static storage. */
struct wan_rule {
	const char *id; /**< stable, e.g. "too_dark" */
	enum wan_severity severity;
	double limit;           /**< the limit itself passes; 0 where there is none */
	const char *about;      /**< when it applies, in one line */
	const char *suggestion; /**< what to do; may be empty */
};
/** The rules by number, from 0; NULL past the last. Threads: any. Since: 0.2 */
WAN_API const struct wan_rule *wan_rule(uint32_t number);

/** One thing said. */
struct wan_issue {
	const char *id; /**< of the rule; static storage */
	enum wan_severity severity;
	double value, limit; /**< what decided; the limit itself still passes */
	char message[192];
	char suggestion[192]; /**< may be empty */
};
#define WAN_ISSUES_MAX 32
/** All that is said about an image or a pair, worst kinds first. */
struct wan_verdict {
	bool valid; /**< no issue of severity error */
	uint32_t issue_count;
	struct wan_issue issues[WAN_ISSUES_MAX];
	char ratio_label[32]; /**< "16:9 (Widescreen)", "7:5 (Custom)"; empty for a pair */
	/** Mean and population deviation of all colour samples; variance of the Laplacian. */
	double brightness_mean, contrast_std, blur_variance;
	/** Of the pixels in percent: alpha 0; alpha below 255. Since: 0.2 */
	double transparent_pct, translucent_pct;
	/** Judged by a scaled decode: sums are near those of the full image, sharpness is not
	 *  judged. Since: 0.2 */
	bool preview;
};
/**
 * Judge a start or end image: sides 256 to 4096, 50 MB, brightness 20 to 235, contrast 15,
 * sharpness 100, greyscale, palette, recommended size and ratio, hidden colours, and notes on
 * alpha, profile, orientation, depth. info is what wan_image_probe() said of its file; NULL: judged
 * by pixels alone. Sums are whole numbers, so each boundary is exact. Returns 0 (see
 * ret_verdict->valid), -EINVAL, -ENOMEM. Threads: any.   Cost: one pass over the pixels, about 0.25
 * ns each with AVX2.   Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_validate(const struct wan_image *image,
					      const struct wan_image_info *info,
					      struct wan_verdict *ret_verdict);

/** How to judge a file; fill by wan_validate_options_init(). */
struct wan_validate_options {
	size_t struct_size;
	/** Default false: the whole image is decoded, which also finds damage. Else a JPEG is
	 *  decoded at 1/2 to 1/8, which may miss damage, and the verdict says so. */
	bool preview;
};
/** Fill in the defaults named above. Threads: any. Since: 0.2 */
WAN_API void wan_validate_options_init(struct wan_validate_options *options);
/**
 * Judge a file: by content, then by decoding it, then as wan_image_validate(). A file that is no
 * image, of a kind not decoded here, damaged, cut off or beyond the limits gets a verdict of that,
 * with *ret_info as far as known. options may be NULL: defaults. ret_info may be NULL.
 *
 * Returns 0 (see ret_verdict->valid); -ENOENT, -EACCES, -EISDIR, -EINVAL (a pipe, a device; options
 * of another version), -EIO and other errors of the file system; -ENOMEM.
 * Threads: any.   Cost: 1.1 times a decode.   Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_image_validate_file(const char *path,
						   const struct wan_validate_options *options,
						   struct wan_image_info *ret_info,
						   struct wan_verdict *ret_verdict,
						   struct wan_error *reterr_error);
/**
 * The verdict for a file that could not be probed or decoded with that error; info as far as known,
 * or NULL. Returns 0, -EINVAL (an error that says nothing about the image: -ENOENT, -ENOMEM, ...).
 * Threads: any. Since: 0.2
 */
WAN_API WAN_MUST_CHECK int wan_verdict_of_error(const struct wan_error *error,
						const struct wan_image_info *info,
						struct wan_verdict *ret_verdict);
/**
 * Judge whether two images go together: sizes (upright), ratios (0.05), colour modes, and which
 * pipelines would frame them differently. Always valid, with warnings. Either may be NULL: the end
 * image is optional, a clip without a start image gets a warning. Returns 0, -EINVAL.
 * Threads: any. Since: 0.1
 */
WAN_API WAN_MUST_CHECK int wan_image_validate_pair(const struct wan_image_info *start,
						   const struct wan_image_info *end,
						   struct wan_verdict *ret_verdict);

/** What one line of a list of images shows. */
struct wan_image_metadata {
	char filename[256];           /**< without folders */
	const char *format;           /**< "PNG"; static storage */
	uint32_t width_px, height_px; /**< upright */
	uint64_t file_size_bytes;
	double file_size_mb;          /**< two decimals */
	double aspect_ratio;          /**< three decimals */
	char aspect_ratio_string[32]; /**< "16:9 (Widescreen)" */
	const char *
		color_mode; /**< "RGB", "RGBA", "L", "LA", "P", "CMYK", "unknown"; static storage */
	bool has_transparency;
};
/** The metadata of a file that was probed; path is only looked at for its name. Returns 0, -EINVAL.
 *  Threads: any. Since: 0.2 */
WAN_API WAN_MUST_CHECK int wan_image_describe(const char *path, const struct wan_image_info *info,
					      struct wan_image_metadata *ret_metadata);

#ifdef __cplusplus
}
#endif
#endif
