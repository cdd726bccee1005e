/* SPDX-License-Identifier: MIT */
/* Whether a start and an end image go together: never an error, they can always be fitted. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "macros.h"
#include "rules.h"
#include "str.h"
#include "validate.h"

/* Ratios may differ by 0.05. */
#define RATIO_PARTS 20

/* Of formats that are named but not decoded here nothing is known but the size. */
static bool has_known_color(const struct wan_image_info *info)
{
	return info->format <= WAN_FORMAT_JPEG;
}

const char *wan_color_mode(const struct wan_image_info *info)
{
	if (!has_known_color(info))
		return "unknown";
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

struct wan_size wan_size_upright(const struct wan_image_info *info)
{
	struct wan_size size = {info->width_px, info->height_px};
	if (info->exif_orientation >= 5)
		size = (struct wan_size){info->height_px, info->width_px};
	return size;
}

static bool framed_differently(enum wan_pipeline pipeline, struct wan_size start,
			       struct wan_size end)
{
	struct wan_framing a, b;
	struct wan_size target = wan_pipeline_info(pipeline)->usual;
	if (start.height_px > start.width_px)
		target = (struct wan_size){target.height_px, target.width_px};
	return wan_frame(pipeline, start, target, &a) == 0 &&
	       wan_frame_end(pipeline, end, a.output, &b) == 0 && wan_framings_differ(&a, &b);
}

static void compare_framings(struct wan_size start, struct wan_size end,
			     struct wan_verdict *verdict)
{
	char names[160] = "";
	unsigned count = 0;
	for (int pipeline = 0; pipeline < WAN_PIPELINES; pipeline++) {
		if (!framed_differently((enum wan_pipeline)pipeline, start, end))
			continue;
		size_t used = strlen(names);
		(void)wan_str_format(names + used, sizeof(names) - used, "%s%s",
				     used ? ", " : "by ",
				     wan_pipeline_info((enum wan_pipeline)pipeline)->name);
		count++;
	}
	if (count)
		wan_issue_detail(wan_verdict_add(verdict, WAN_RULE_framing_differs, count), "%s",
				 names);
}

static void compare(const struct wan_image_info *start, const struct wan_image_info *end,
		    struct wan_verdict *verdict)
{
	struct wan_size a = wan_size_upright(start), b = wan_size_upright(end);
	double ratio_a = a.height_px ? (double)a.width_px / a.height_px : 0;
	double ratio_b = b.height_px ? (double)b.width_px / b.height_px : 0;

	if (a.width_px != b.width_px || a.height_px != b.height_px) {
		struct wan_issue *issue = wan_verdict_add(verdict, WAN_RULE_dimensions_differ,
							  (double)b.width_px * b.height_px);
		if (issue)
			issue->limit = (double)a.width_px * a.height_px;
		wan_issue_detail(issue, "start %ux%u, end %ux%u", a.width_px, a.height_px,
				 b.width_px, b.height_px);
	}
	if (!wan_ratio_near(a.width_px, a.height_px, b.width_px, b.height_px, RATIO_PARTS))
		wan_issue_detail(wan_verdict_add(verdict, WAN_RULE_aspect_ratio_mismatch,
						 fabs(ratio_a - ratio_b)),
				 "start %.3f, end %.3f", ratio_a, ratio_b);
	if (has_known_color(start) && has_known_color(end) &&
	    !wan_str_equal(wan_color_mode(start), wan_color_mode(end)))
		wan_issue_detail(
			wan_verdict_add(verdict, WAN_RULE_color_mode_mismatch, end->channels),
			"start %s, end %s", wan_color_mode(start), wan_color_mode(end));
	compare_framings(a, b, verdict);
}

int wan_image_validate_pair(const struct wan_image_info *start, const struct wan_image_info *end,
			    struct wan_verdict *ret_verdict)
{
	if (!ret_verdict)
		return -EINVAL;

	struct wan_verdict verdict;
	wan_verdict_init(&verdict);
	if (!start)
		(void)wan_verdict_add(&verdict, WAN_RULE_start_image_missing, 0);
	if (start && end)
		compare(start, end, &verdict);
	if (!end)
		(void)wan_verdict_add(&verdict, WAN_RULE_end_image_missing, 0);
	*ret_verdict = verdict;
	return 0;
}
