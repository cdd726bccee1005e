/* SPDX-License-Identifier: MIT */
/* Whether a start and an end image go together: never an error, they can always be fitted. */
#include <errno.h>
#include <math.h>

#include "macros.h"
#include "str.h"
#include "validate.h"
#include "wan/image.h"

/* Ratios may differ by 0.05. */
#define RATIO_PARTS 20

static const char *mode_of(const struct wan_image_info *info)
{
	switch (info->color) {
	case WAN_COLOR_GRAY:
		return info->has_alpha ? "LA" : "L";
	case WAN_COLOR_GRAY_ALPHA:
		return "LA";
	case WAN_COLOR_RGB_ALPHA:
		return "RGBA";
	case WAN_COLOR_PALETTE:
		return "P";
	case WAN_COLOR_CMYK:
	case WAN_COLOR_YCCK:
		return "CMYK";
	default:
		return info->has_alpha ? "RGBA" : "RGB";
	}
}

/* As seen, not as stored. */
static struct wan_size upright(const struct wan_image_info *info)
{
	struct wan_size size = {info->width_px, info->height_px};
	if (info->exif_orientation >= 5)
		size = (struct wan_size){info->height_px, info->width_px};
	return size;
}

static struct wan_issue *add(struct wan_verdict *verdict, const char *id,
			     enum wan_severity severity, double value, double limit,
			     const char *suggestion)
{
	struct wan_issue *issue = &verdict->issues[verdict->issue_count++];
	*issue = (struct wan_issue){.id = id, .severity = severity, .value = value, .limit = limit};
	(void)wan_str_copy(issue->suggestion, sizeof(issue->suggestion), suggestion);
	return issue;
}

static void compare(const struct wan_image_info *start, const struct wan_image_info *end,
		    struct wan_verdict *verdict)
{
	struct wan_size a = upright(start), b = upright(end);
	double ratio_a = a.height_px ? (double)a.width_px / a.height_px : 0;
	double ratio_b = b.height_px ? (double)b.width_px / b.height_px : 0;
	double distance = fabs(ratio_a - ratio_b);
	struct wan_issue *issue;

	if (a.width_px != b.width_px || a.height_px != b.height_px) {
		issue = add(verdict, "dimensions_differ", WAN_SEVERITY_WARNING,
			    (double)b.width_px * b.height_px, (double)a.width_px * a.height_px,
			    "use two images of one size");
		(void)wan_str_format(issue->message, sizeof(issue->message),
				     "the sizes differ: start %ux%u, end %ux%u", a.width_px,
				     a.height_px, b.width_px, b.height_px);
	}
	if (!wan_ratio_near(a.width_px, a.height_px, b.width_px, b.height_px, RATIO_PARTS)) {
		issue = add(verdict, "aspect_ratio_mismatch", WAN_SEVERITY_WARNING, distance,
			    1.0 / RATIO_PARTS, "crop both images to one ratio");
		(void)wan_str_format(issue->message, sizeof(issue->message),
				     "the ratios differ: start %.3f, end %.3f", ratio_a, ratio_b);
	}
	if (!wan_str_equal(mode_of(start), mode_of(end))) {
		issue = add(verdict, "color_mode_mismatch", WAN_SEVERITY_WARNING, end->channels,
			    start->channels, "save both images as RGB");
		(void)wan_str_format(issue->message, sizeof(issue->message),
				     "the colour modes differ: start %s, end %s", mode_of(start),
				     mode_of(end));
	}
}

int wan_image_validate_pair(const struct wan_image_info *start, const struct wan_image_info *end,
			    struct wan_verdict *ret_verdict)
{
	if (!ret_verdict)
		return -EINVAL;

	struct wan_verdict verdict = {.valid = true};
	struct wan_issue *issue;
	if (!start) {
		issue = add(&verdict, "start_image_missing", WAN_SEVERITY_WARNING, 0, 0,
			    "choose a start image");
		(void)wan_str_copy(issue->message, sizeof(issue->message),
				   "there is no start image, which is required for a clip");
	}
	if (!end) {
		issue = add(&verdict, "end_image_missing", WAN_SEVERITY_INFO, 0, 0, "");
		(void)wan_str_copy(issue->message, sizeof(issue->message),
				   "there is no end image, which is optional");
	}
	if (start && end)
		compare(start, end, &verdict);
	*ret_verdict = verdict;
	return 0;
}
