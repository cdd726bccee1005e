/* SPDX-License-Identifier: MIT */
/* --explain as JSON for programs. */
#include "startend_told.h"

static void put_issues(struct startend_json *json, const struct wan_verdict *verdict)
{
	static const char *const names[] = {"info", "warning", "error"};
	startend_json_open(json, "issues", '[');
	for (uint32_t i = 0; i < verdict->issue_count; i++) {
		const struct wan_issue *issue = &verdict->issues[i];
		startend_json_open(json, NULL, '{');
		startend_json_text(json, "id", issue->id);
		startend_json_text(json, "severity", names[issue->severity]);
		startend_json_number(json, "value", issue->value);
		startend_json_number(json, "limit", issue->limit);
		startend_json_text(json, "message", issue->message);
		startend_json_text(json, "suggestion", issue->suggestion);
		startend_json_close(json, '}');
	}
	startend_json_close(json, ']');
}

static void put_size(struct startend_json *json, const char *name, uint32_t width, uint32_t height)
{
	startend_json_open(json, name, '[');
	startend_json_number(json, NULL, width);
	startend_json_number(json, NULL, height);
	startend_json_close(json, ']');
}

static void put_rect(struct startend_json *json, const char *name, const struct wan_rect *rect)
{
	startend_json_open(json, name, '[');
	startend_json_number(json, NULL, rect->x_px);
	startend_json_number(json, NULL, rect->y_px);
	startend_json_number(json, NULL, rect->width_px);
	startend_json_number(json, NULL, rect->height_px);
	startend_json_close(json, ']');
}

static void put_image(struct startend_json *json, const char *name, const struct told_image *image)
{
	const struct wan_image_metadata *m = &image->metadata;
	const struct wan_verdict *verdict = &image->verdict;
	startend_json_open(json, name, '{');
	startend_json_text(json, "path", image->path);
	startend_json_text(json, "filename", m->filename);
	startend_json_text(json, "format", m->format);
	put_size(json, "dimensions", m->width_px, m->height_px);
	startend_json_number(json, "file_size_bytes", (double)m->file_size_bytes);
	startend_json_number(json, "file_size_mb", m->file_size_mb);
	startend_json_number(json, "aspect_ratio", m->aspect_ratio);
	startend_json_text(json, "aspect_ratio_string", m->aspect_ratio_string);
	startend_json_text(json, "color_mode", m->color_mode);
	startend_json_bool(json, "has_transparency", m->has_transparency);
	startend_json_number(json, "exif_orientation", image->info.exif_orientation);
	startend_json_bool(json, "is_valid", verdict->valid);
	startend_json_bool(json, "preview", verdict->preview);
	startend_json_number(json, "brightness_mean", verdict->brightness_mean);
	startend_json_number(json, "contrast_std", verdict->contrast_std);
	startend_json_number(json, "blur_variance", verdict->blur_variance);
	startend_json_number(json, "transparent_pct", verdict->transparent_pct);
	startend_json_number(json, "translucent_pct", verdict->translucent_pct);
	put_issues(json, verdict);
	startend_json_close(json, '}');
}

static void put_framing(struct startend_json *json, const char *name, const struct wan_framing *f)
{
	startend_json_open(json, name, '{');
	put_size(json, "source", f->source.width_px, f->source.height_px);
	put_rect(json, "crop", &f->crop);
	put_size(json, "scaled", f->scaled.width_px, f->scaled.height_px);
	put_rect(json, "window", &f->window);
	put_size(json, "place", f->place_x_px, f->place_y_px);
	put_size(json, "output", f->output.width_px, f->output.height_px);
	startend_json_text(json, "filter", startend_filter_name(f->filter));
	startend_json_text(json, "range", f->range == WAN_RANGE_UNIT ? "0..1" : "-1..1");
	startend_json_open(json, "seen", '[');
	startend_json_number(json, NULL, f->seen_x_px);
	startend_json_number(json, NULL, f->seen_y_px);
	startend_json_number(json, NULL, f->seen_width_px);
	startend_json_number(json, NULL, f->seen_height_px);
	startend_json_close(json, ']');
	startend_json_number(json, "scale_x", f->scale_x);
	startend_json_number(json, "scale_y", f->scale_y);
	startend_json_number(json, "squeeze_pct", f->squeeze_pct);
	startend_json_number(json, "lost_pct", f->lost_pct);
	startend_json_number(json, "padded_pct", f->padded_pct);
	startend_json_close(json, '}');
}

static void put_pipeline(struct startend_json *json, const struct told_pipeline *told)
{
	const struct wan_explanation *e = &told->explained;
	startend_json_open(json, NULL, '{');
	startend_json_text(json, "name", told->info->name);
	startend_json_text(json, "title", told->info->title);
	startend_json_bool(json, "possible", !told->impossible);
	if (!told->impossible) {
		put_size(json, "target", e->target.width_px, e->target.height_px);
		put_size(json, "output", e->start.output.width_px, e->start.output.height_px);
		startend_json_number(json, "frames_asked", told->asked);
		startend_json_number(json, "frames", told->frames);
		startend_json_bool(json, "frames_accepted", told->count_answer != 2);
		startend_json_open(json, "latent", '{');
		startend_json_number(json, "channels", told->latent.channels);
		startend_json_number(json, "frames", told->latent.frames);
		startend_json_number(json, "height", told->latent.height);
		startend_json_number(json, "width", told->latent.width);
		startend_json_number(json, "tokens", (double)told->latent.tokens);
		startend_json_close(json, '}');
		put_framing(json, "start", &e->start);
		if (e->has_end)
			put_framing(json, "end", &e->end);
		if (e->has_last)
			put_framing(json, "end_documented", &e->last);
		if (e->unsqueezed.width_px)
			put_size(json, "unsqueezed", e->unsqueezed.width_px,
				 e->unsqueezed.height_px);
		if (e->unsqueezed_crop.width_px)
			put_rect(json, "unsqueezed_crop", &e->unsqueezed_crop);
		put_issues(json, &e->verdict);
	}
	startend_json_close(json, '}');
}

void startend_told_json(struct startend_json *json, const struct told_pair *pair)
{
	startend_json_open(json, NULL, '{');
	startend_json_text(json, "name", pair->name);
	put_image(json, "start", &pair->start);
	if (pair->has_end)
		put_image(json, "end", &pair->end);
	if (pair->pipeline_count)
		put_issues(json, &pair->verdict);
	startend_json_open(json, "pipelines", '[');
	for (int i = 0; i < pair->pipeline_count; i++)
		put_pipeline(json, &pair->pipelines[i]);
	startend_json_close(json, ']');
	startend_json_close(json, '}');
}
