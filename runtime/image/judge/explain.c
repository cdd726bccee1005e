/* SPDX-License-Identifier: MIT */
/* What a pipeline makes of a pair, in figures and in rules. Pure. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "macros.h"
#include "rules.h"
#include "str.h"
#include "validate.h"

/* As the pipeline reads the file. */
static struct wan_size read_size(const struct wan_image_info *info, enum wan_upright upright,
				 const struct wan_pipeline_info *pipeline)
{
	bool turned = upright == WAN_UPRIGHT_ALWAYS ||
		      (upright == WAN_UPRIGHT_AS_PIPELINE && pipeline->turns_upright);
	return turned ? wan_size_upright(info) : (struct wan_size){info->width_px, info->height_px};
}

static bool same(struct wan_size a, struct wan_size b)
{
	return a.width_px == b.width_px && a.height_px == b.height_px;
}

/* The largest part of source with the ratio of size, of which the pipeline makes just that size. */
static struct wan_rect find_crop(const struct wan_explanation *e, struct wan_size source,
				 struct wan_size size)
{
	bool wide = (uint64_t)source.width_px * size.height_px >
		    (uint64_t)source.height_px * size.width_px;
	double length = wide ? (double)source.height_px * size.width_px / size.height_px
			     : (double)source.width_px * size.height_px / size.width_px;
	for (int nudge = 0; nudge < 5; nudge++) { /* 0, -1, 1, -2, 2 */
		double cut = nearbyint(length) + (nudge % 2 ? -1 : 1) * (nudge + 1) / 2;
		struct wan_size part = source;
		struct wan_framing f;
		if (cut < 1 || cut > (wide ? source.width_px : source.height_px))
			continue;
		*(wide ? &part.width_px : &part.height_px) = (uint32_t)cut;
		struct wan_size target =
			wan_pipeline_info(e->pipeline)->chooses_size ? e->target : size;
		if (wan_frame(e->pipeline, part, target, &f) < 0 || !same(f.output, size))
			continue;
		return (struct wan_rect){(source.width_px - part.width_px) / 2,
					 (source.height_px - part.height_px) / 2, part.width_px,
					 part.height_px};
	}
	return (struct wan_rect){0, 0, 0, 0};
}

static void judge_size(struct wan_explanation *e)
{
	const struct wan_pipeline_info *pipeline = wan_pipeline_info(e->pipeline);
	bool supported = pipeline->size_count == 0;
	char names[128] = "";
	for (uint32_t i = 0; i < pipeline->size_count; i++) {
		size_t used = strlen(names);
		supported = supported || same(pipeline->sizes[i], e->target);
		(void)wan_str_format(names + used, sizeof(names) - used, "%s%ux%u",
				     used ? ", " : "", pipeline->sizes[i].width_px,
				     pipeline->sizes[i].height_px);
	}
	if (!supported)
		wan_issue_detail(wan_verdict_add(&e->verdict, WAN_RULE_size_unsupported, 0),
				 "%ux%u is not one of %s", e->target.width_px, e->target.height_px,
				 names);
	if (!pipeline->chooses_size && !same(e->start.output, e->target))
		wan_issue_detail(wan_verdict_add(&e->verdict, WAN_RULE_size_changed, 0),
				 "%ux%u becomes %ux%u (steps of %u)", e->target.width_px,
				 e->target.height_px, e->start.output.width_px,
				 e->start.output.height_px, pipeline->step_px);
}

/* One rule for both images, so that the verdict keeps the order of the table. */
static void judge_each(struct wan_explanation *e, enum wan_rule_number rule,
		       double (*value_of)(const struct wan_framing *f))
{
	const struct wan_framing *framings[] = {&e->start, e->has_end ? &e->end : NULL};
	static const char *const names[] = {"the start image", "the end image"};
	for (int i = 0; i < 2 && framings[i]; i++) {
		double value = value_of(framings[i]);
		if (value > wan_rule(rule)->limit)
			wan_issue_detail(wan_verdict_add(&e->verdict, rule, value), "%s", names[i]);
	}
}

static double squeeze_of(const struct wan_framing *f)
{
	/* 1 % wider and 1 % higher are as far off */
	return f->squeeze_pct >= 0 ? f->squeeze_pct : (100 / (100 + f->squeeze_pct) - 1) * 100;
}

static double lost_of(const struct wan_framing *f)
{
	return f->lost_pct;
}

static double padded_of(const struct wan_framing *f)
{
	return f->padded_pct;
}

static double enlarged_of(const struct wan_framing *f)
{
	return fmax(f->scale_x, f->scale_y);
}

static void judge(struct wan_explanation *e, const struct wan_image_info *start, bool end_refused,
		  enum wan_upright upright)
{
	struct wan_verdict *verdict = &e->verdict;
	const struct wan_pipeline_info *pipeline = wan_pipeline_info(e->pipeline);
	if (e->has_end && wan_framings_differ(&e->start, &e->end))
		wan_issue_detail(wan_verdict_add(verdict, WAN_RULE_framing_differs,
						 fabs(e->start.squeeze_pct - e->end.squeeze_pct)),
				 "start %.1f %% wider and %.1f %% cut, end %.1f %% wider and %.1f "
				 "%% cut",
				 e->start.squeeze_pct, e->start.lost_pct, e->end.squeeze_pct,
				 e->end.lost_pct);
	judge_each(e, WAN_RULE_squeezed, squeeze_of);
	judge_each(e, WAN_RULE_cut_off, lost_of);
	judge_each(e, WAN_RULE_bordered, padded_of);
	judge_each(e, WAN_RULE_enlarged, enlarged_of);
	if (end_refused)
		(void)wan_verdict_add(verdict, WAN_RULE_end_not_taken, 0);
	if (upright == WAN_UPRIGHT_AS_PIPELINE && !pipeline->turns_upright &&
	    start->exif_orientation > 1)
		(void)wan_verdict_add(verdict, WAN_RULE_orientation_ignored,
				      start->exif_orientation);
	if (e->has_last)
		wan_issue_detail(wan_verdict_add(verdict, WAN_RULE_documented_last_frame,
						 fabs(e->last.squeeze_pct)),
				 "%.1f %% of the end would not be seen", e->last.lost_pct);
	judge_size(e);
}

int wan_explain(enum wan_pipeline pipeline, const struct wan_image_info *start,
		const struct wan_image_info *end, struct wan_size target, enum wan_upright upright,
		struct wan_explanation *ret_explanation)
{
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	if (!info || !start || !ret_explanation || (unsigned)upright > WAN_UPRIGHT_NEVER ||
	    !target.width_px != !target.height_px)
		return -EINVAL;
	struct wan_explanation e = {.pipeline = pipeline,
				    .target = target.width_px ? target : info->usual};
	struct wan_size source = read_size(start, upright, info);
	bool end_refused = false;
	int r = wan_frame(pipeline, source, e.target, &e.start);
	if (r < 0)
		return r;
	if (end) {
		struct wan_size last = read_size(end, upright, info);
		r = wan_frame_end(pipeline, last, e.start.output, &e.end);
		if (r < 0 && r != -EOPNOTSUPP)
			return r;
		e.has_end = r == 0;
		end_refused = r < 0;
		if (e.has_end && pipeline == WAN_PIPELINE_DIFFUSERS &&
		    wan_frame_documented_last(last, e.start.output, &e.last) == 0)
			e.has_last = wan_framings_differ(&e.end, &e.last);
	}
	if (wan_unsqueezed_size(pipeline, source, e.target, &e.unsqueezed) == 0)
		e.unsqueezed_crop = find_crop(&e, source, e.unsqueezed);
	wan_verdict_init(&e.verdict);
	judge(&e, start, end_refused, upright);
	*ret_explanation = e;
	return 0;
}
