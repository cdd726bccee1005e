/* SPDX-License-Identifier: MIT */
/* Files: what they are, what is wrong with those that give no pixels, and how they are listed. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "buffer.h"
#include "cleanup.h"
#include "codec.h"
#include "log.h"
#include "options.h"
#include "rules.h"
#include "str.h"
#include "validate.h"

/* Sides that a preview keeps at least: enough for the sums, and the shortest that is valid. */
#define PREVIEW_SIDE 256

void wan_validate_options_init(struct wan_validate_options *options)
{
	*options = (struct wan_validate_options){.struct_size = sizeof(*options)};
}

static int rule_of_error(int code, const struct wan_image_info *info)
{
	switch (code) {
	case -ENOTSUP:
		return info && info->format > WAN_FORMAT_BMP ? WAN_RULE_unsupported_format
							     : WAN_RULE_not_decoded;
	case -EBADMSG:
		return info && info->format != WAN_FORMAT_UNKNOWN ? WAN_RULE_corrupted_file
								  : WAN_RULE_unsupported_format;
	case -ENODATA:
		return WAN_RULE_truncated_file;
	case -EFBIG:
		return WAN_RULE_beyond_limits;
	default:
		return -EINVAL;
	}
}

int wan_verdict_of_error(const struct wan_error *error, const struct wan_image_info *info,
			 struct wan_verdict *ret_verdict)
{
	if (!error || !ret_verdict)
		return -EINVAL;
	int rule = rule_of_error(error->code, info);
	if (rule < 0)
		return rule;
	struct wan_verdict verdict;
	wan_verdict_init(&verdict);
	struct wan_issue *issue = wan_verdict_add(&verdict, (enum wan_rule_number)rule, 0);
	/* The reason names what and where; the rule only the kind. */
	(void)wan_str_format(issue->message, sizeof(issue->message), "it %s", error->reason);
	if (error->hint[0])
		(void)wan_str_copy(issue->suggestion, sizeof(issue->suggestion), error->hint);
	if (info && info->width_px && info->height_px) {
		struct wan_size size = wan_size_upright(info);
		wan_ratio_label(size.width_px, size.height_px, verdict.ratio_label,
				sizeof(verdict.ratio_label));
		if (rule == WAN_RULE_not_decoded || rule == WAN_RULE_unsupported_format)
			wan_issue_detail(issue, "%ux%u pixels", size.width_px, size.height_px);
	}
	*ret_verdict = verdict;
	return 0;
}

static int complete(const struct wan_validate_options *given, struct wan_validate_options *full,
		    struct wan_error *reterr_error)
{
	wan_validate_options_init(full);
	if (given && wan_options_overlay(full, sizeof(*full), given, given->struct_size) < 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_validate_options",
				     "call wan_validate_options_init() first",
				     "struct_size is not of any version");
	return 0;
}

/* Decodes; also tells how many pixels less than stored there are. */
static int decode(const char *path, const struct wan_image_info *info, bool preview,
		  struct wan_image **ret_image, bool *ret_scaled, struct wan_error *error)
{
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	if (preview)
		options.min_width_px = options.min_height_px = PREVIEW_SIDE;
	int r = wan_image_decode(path, &options, ret_image, error);
	if (r < 0)
		return r;
	struct wan_size size = wan_size_upright(info);
	*ret_scaled = (*ret_image)->view.width_px != size.width_px ||
		      (*ret_image)->view.height_px != size.height_px;
	return 0;
}

int wan_image_validate_file(const char *path, const struct wan_validate_options *options,
			    struct wan_image_info *ret_info, struct wan_verdict *ret_verdict,
			    struct wan_error *reterr_error)
{
	if (!path || !ret_verdict)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_validate_file", "",
				     "an argument is missing");
	struct wan_validate_options full;
	int r = complete(options, &full, reterr_error);
	if (r < 0)
		return r;

	struct wan_image_info info = {.exif_orientation = 1};
	struct wan_error error = {0};
	struct wan_verdict verdict;
	wan_cleanup(wan_image_unrefp) struct wan_image *image = NULL;
	bool scaled = false;
	r = wan_image_probe(path, &info, &error);
	if (r == 0)
		r = decode(path, &info, full.preview, &image, &scaled, &error);
	if (r == 0) {
		r = wan_validate_pixels(image, &info, scaled, &verdict);
		if (r < 0)
			return wan_error_set(reterr_error, r, path, "", "%s", wan_strerror(r));
	} else if (wan_verdict_of_error(&error, &info, &verdict) < 0) {
		if (reterr_error)
			*reterr_error = error;
		return r;
	}
	if (ret_info)
		*ret_info = info;
	*ret_verdict = verdict;
	return 0;
}

int wan_image_describe(const char *path, const struct wan_image_info *info,
		       struct wan_image_metadata *ret_metadata)
{
	if (!path || !info || !ret_metadata)
		return -EINVAL;
	struct wan_size size = wan_size_upright(info);
	const char *slash = strrchr(path, '/');
	struct wan_image_metadata made = {
		.format = wan_format_name(info->format),
		.width_px = size.width_px,
		.height_px = size.height_px,
		.file_size_bytes = info->file_bytes,
		.file_size_mb = nearbyint((double)info->file_bytes / 1048576 * 100) / 100,
		.aspect_ratio =
			size.height_px
				? nearbyint((double)size.width_px / size.height_px * 1000) / 1000
				: 0,
		.color_mode = wan_color_mode(info),
		.has_transparency = info->has_alpha,
	};
	(void)wan_str_copy(made.filename, sizeof(made.filename), slash ? slash + 1 : path);
	if (size.height_px)
		wan_ratio_label(size.width_px, size.height_px, made.aspect_ratio_string,
				sizeof(made.aspect_ratio_string));
	*ret_metadata = made;
	return 0;
}
