/* SPDX-License-Identifier: MIT */
/* --explain as text for people. */
#include <math.h>
#include <string.h>

#include "startend_told.h"

const char *startend_filter_name(enum wan_filter filter)
{
	static const char *const names[] = {"lanczos", "bicubic",       "bilinear",
					    "box",     "torch-bicubic", "torch-bilinear"};
	return (unsigned)filter < sizeof(names) / sizeof(names[0]) ? names[filter] : "unknown";
}

static void print_image(const char *label, const struct told_image *image)
{
	const struct wan_image_metadata *m = &image->metadata;
	printf("%s: ", label);
	startend_print_path(image->path);
	if (m->width_px)
		printf(": %ux%u %s, %s, %s, %.2f MB", m->width_px, m->height_px, m->format,
		       m->aspect_ratio_string, m->color_mode, m->file_size_mb);
	puts(image->verdict.valid ? "" : "  NOT USABLE");
	startend_print_issues(&image->verdict);
}

static void print_rect(const struct wan_rect *rect)
{
	printf("%ux%u at %u,%u", rect->width_px, rect->height_px, rect->x_px, rect->y_px);
}

static bool is_whole(const struct wan_rect *rect, struct wan_size size)
{
	return rect->width_px == size.width_px && rect->height_px == size.height_px;
}

static void print_effect(const struct wan_framing *f)
{
	printf("                ");
	if (f->lost_pct > 0)
		printf("%.1f %% of it are not seen", f->lost_pct);
	else
		printf("all of it is seen");
	if (fabs(f->squeeze_pct) >= 0.05)
		printf(", things look %.1f %% %s", fabs(f->squeeze_pct),
		       f->squeeze_pct > 0 ? "wider" : "narrower");
	else
		printf(", its shape is kept");
	if (f->padded_pct > 0)
		printf(", %.1f %% of the frame are black", f->padded_pct);
	printf(" (scale %.3f x %.3f)\n", f->scale_x, f->scale_y);
}

static void print_framing(const char *label, const struct wan_framing *f)
{
	printf("  %-13s %ux%u", label, f->source.width_px, f->source.height_px);
	if (!is_whole(&f->crop, f->source)) {
		printf(", cut to ");
		print_rect(&f->crop);
	}
	if (is_whole(&f->crop, f->scaled))
		printf(", not scaled");
	else
		printf(", scaled to %ux%u (%s)", f->scaled.width_px, f->scaled.height_px,
		       startend_filter_name(f->filter));
	if (!is_whole(&f->window, f->scaled)) {
		printf(", cut to ");
		print_rect(&f->window);
	}
	if (f->padded_pct > 0)
		printf(", placed at %u,%u", f->place_x_px, f->place_y_px);
	putchar('\n');
	print_effect(f);
}

static void print_asked(const struct told_pipeline *told)
{
	const struct wan_explanation *e = &told->explained;
	printf("  asked for     %ux%u, %u frames\n", e->target.width_px, e->target.height_px,
	       told->asked);
	printf("  gives         %ux%u", e->start.output.width_px, e->start.output.height_px);
	if (told->count_answer == 2)
		printf(", fails with %u frames: ask for %u", told->asked, told->frames);
	else
		printf(", %u frames", told->frames);
	printf(" (%.1f s at %u a second); latent %ux%ux%ux%u, %llu tokens\n",
	       (double)told->frames / told->info->frames_per_s, told->info->frames_per_s,
	       told->latent.channels, told->latent.frames, told->latent.height, told->latent.width,
	       (unsigned long long)told->latent.tokens);
}

/* What to do so that nothing is squeezed, cut or black. */
static void print_proposal(const struct told_pipeline *told)
{
	const struct wan_explanation *e = &told->explained;
	const struct wan_rect *crop = &e->unsqueezed_crop;
	if (!e->unsqueezed.width_px)
		return;
	bool kept = e->start.squeeze_pct == 0 && e->start.lost_pct == 0 && e->start.padded_pct == 0;
	printf("  keeps shape   ");
	if (kept) {
		puts("as it is");
		return;
	}
	printf("%ux%u", e->unsqueezed.width_px, e->unsqueezed.height_px);
	if (!told->info->chooses_size)
		printf(": ask for --size %ux%u", e->unsqueezed.width_px, e->unsqueezed.height_px);
	if (crop->width_px && !is_whole(crop, e->start.source)) {
		printf("%s cut the start image to ", told->info->chooses_size ? ":" : " and");
		print_rect(crop);
	}
	if (told->info->chooses_size)
		printf(", or give an image of just that size");
	putchar('\n');
}

static void print_one(const struct told_pair *pair, const struct told_pipeline *told)
{
	const struct wan_explanation *e = &told->explained;
	printf("%s: %s\n", told->info->name, told->info->title);
	print_asked(told);
	print_framing("start image", &e->start);
	if (e->has_end)
		print_framing("end image", &e->end);
	if (e->has_last)
		print_framing("end, as docs", &e->last);
	print_proposal(told);
	startend_print_issues(&e->verdict);
	(void)pair;
}

static void print_line(const struct told_pair *pair, const struct told_pipeline *told)
{
	const struct wan_explanation *e = &told->explained;
	char target[24], output[24];
	if (told->impossible) {
		printf("  %-16s no frames: the ratio is too extreme\n", told->info->name);
		return;
	}
	snprintf(target, sizeof(target), "%ux%u", e->target.width_px, e->target.height_px);
	snprintf(output, sizeof(output), "%ux%u", e->start.output.width_px,
		 e->start.output.height_px);
	printf("  %-16s %-10s %-10s %+8.1f %8.1f %8.1f", told->info->name, target, output,
	       e->start.squeeze_pct, e->start.lost_pct, e->start.padded_pct);
	if (pair->has_end && !e->has_end)
		printf("  no end image");
	else if (pair->has_end)
		printf("  %s", wan_framings_differ(&e->start, &e->end) ? "DIFFERS" : "same");
	putchar('\n');
}

void startend_told_text(const struct told_pair *pair, bool one)
{
	if (pair->name[0]) {
		printf("== ");
		startend_print_path(pair->name);
		putchar('\n');
	}
	print_image("start", &pair->start);
	if (pair->has_end)
		print_image("end", &pair->end);
	if (pair->pipeline_count == 0)
		return;
	struct wan_verdict verdict = pair->verdict;
	if (one)
		startend_drop_framing(&verdict);
	if (pair->has_end && verdict.issue_count) {
		puts("pair:");
		startend_print_issues(&verdict);
	}
	if (one) {
		print_one(pair, &pair->pipelines[0]);
		return;
	}
	printf("  %-16s %-10s %-10s %8s %8s %8s%s\n", "pipeline", "asked for", "frames", "wider %",
	       "cut %", "black %", pair->has_end ? "  end framed" : "");
	for (int i = 0; i < pair->pipeline_count; i++)
		print_line(pair, &pair->pipelines[i]);
}

void startend_list_pipelines(void)
{
	for (int i = 0; i < WAN_PIPELINES; i++) {
		const struct wan_pipeline_info *info = wan_pipeline_info((enum wan_pipeline)i);
		printf("%-16s %s\n%-16s sides by %u, %s; end image: %s; %u frames at %u a second\n",
		       info->name, info->title, "", info->step_px,
		       info->chooses_size ? "chosen from the image and the area asked for"
					  : "as asked for",
		       info->takes_end ? "yes" : "no", info->frames, info->frames_per_s);
		for (uint32_t s = 0; s < info->size_count; s++)
			printf("%s%ux%u%s",
			       s ? ", " : "                 sizes: ", info->sizes[s].width_px,
			       info->sizes[s].height_px, s + 1 == info->size_count ? "\n" : "");
	}
}

void startend_list_rules(void)
{
	static const char *const names[] = {"note", "warning", "error"};
	const struct wan_rule *rule;
	for (uint32_t i = 0; (rule = wan_rule(i)) != NULL; i++)
		printf("%-7s %-24s %s\n", names[rule->severity], rule->id, rule->about);
}
