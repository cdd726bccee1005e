/* SPDX-License-Identifier: MIT */
/*
 * The checks of a start or end image: one table, one row a rule. A rule looks at facts gathered
 * once and says whether it applies; the boundary values themselves always pass.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "cleanup.h"
#include "codec.h"
#include "luma.h"
#include "macros.h"
#include "str.h"
#include "validate.h"

#define SIDE_MIN        256u
#define SIDE_MAX        4096u
#define SIDE_GOOD       512u
#define SIDE_NOTED      1920u
#define SIZE_MAX_BYTES  (50 * WAN_MIB)
#define SIZE_NOTE_BYTES (10 * WAN_MIB)
#define DARK            20
#define BRIGHT          235
#define CONTRAST_STD    15
#define BLUR_VARIANCE   100
/* Ratios are near when at most 1/20 or 1/10 apart: 0.05 and 0.1. */
#define LABEL_PARTS     20
#define PREFERRED_PARTS 10

struct facts {
	struct wan_image_info info;
	struct wan_luma luma;
	uint32_t width, height, shorter, longer;
	uint64_t size_bytes; /* the larger of the file and the pixels as three (4, 1) bytes */
	bool color;
};

static const struct {
	uint32_t w, h;
	const char *label;
} labels[] = {
	{16, 9, "16:9 (Widescreen)"}, {4, 3, "4:3 (Standard)"},    {1, 1, "1:1 (Square)"},
	{3, 2, "3:2 (Photo)"},        {21, 9, "21:9 (Ultrawide)"}, {9, 16, "9:16 (Portrait)"},
};

/* What the pipelines are trained on, either way up. */
static const struct {
	uint32_t w, h;
} preferred[] = {{16, 9}, {4, 3}, {1, 1}, {9, 16}, {3, 4}};

void wan_ratio_label(uint32_t width_px, uint32_t height_px, char *to, size_t to_bytes)
{
	for (size_t i = 0; i < WAN_COUNT_OF(labels) && height_px > 0; i++) {
		if (wan_ratio_near(width_px, height_px, labels[i].w, labels[i].h, LABEL_PARTS)) {
			(void)wan_str_copy(to, to_bytes, labels[i].label);
			return;
		}
	}
	uint32_t a = width_px, b = height_px;
	while (b != 0) {
		uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	a = WAN_MAX(a, 1u);
	(void)wan_str_format(to, to_bytes, "%u:%u (Custom)", width_px / a, height_px / a);
}

/* Each returns whether the rule applies, and the value that decided. */
static bool bad_format(const struct facts *f, double *value)
{
	*value = f->info.format;
	return f->info.format > WAN_FORMAT_BMP;
}

static bool too_small(const struct facts *f, double *value)
{
	*value = f->shorter;
	return f->shorter < SIDE_MIN;
}

static bool too_large(const struct facts *f, double *value)
{
	*value = f->longer;
	return f->longer > SIDE_MAX;
}

static bool file_too_large(const struct facts *f, double *value)
{
	*value = (double)f->size_bytes / (double)WAN_MIB;
	return f->size_bytes > SIZE_MAX_BYTES;
}

static bool too_dark(const struct facts *f, double *value)
{
	*value = wan_sums_mean(&f->luma.samples);
	return wan_sums_compare_mean(&f->luma.samples, DARK) < 0;
}

static bool too_bright(const struct facts *f, double *value)
{
	*value = wan_sums_mean(&f->luma.samples);
	return wan_sums_compare_mean(&f->luma.samples, BRIGHT) > 0;
}

static bool low_contrast(const struct facts *f, double *value)
{
	*value = sqrt(wan_sums_variance(&f->luma.samples));
	return f->color && wan_sums_variance_below(&f->luma.samples, CONTRAST_STD * CONTRAST_STD);
}

static bool blurry(const struct facts *f, double *value)
{
	*value = wan_sums_variance(&f->luma.laplacian);
	return wan_sums_variance_below(&f->luma.laplacian, BLUR_VARIANCE);
}

static bool greyscale(const struct facts *f, double *value)
{
	*value = f->info.channels;
	return !f->color;
}

static bool palette(const struct facts *f, double *value)
{
	*value = f->info.bit_depth;
	return f->info.color == WAN_COLOR_PALETTE;
}

static bool below_recommended(const struct facts *f, double *value)
{
	*value = f->shorter;
	return f->shorter >= SIDE_MIN && f->shorter < SIDE_GOOD;
}

static bool unusual_ratio(const struct facts *f, double *value)
{
	bool near = false;
	*value = INFINITY;
	for (size_t i = 0; i < WAN_COUNT_OF(preferred); i++) {
		uint32_t w = preferred[i].w, h = preferred[i].h;
		near = near || wan_ratio_near(f->width, f->height, w, h, PREFERRED_PARTS);
		*value = fmin(*value, fabs((double)f->width / f->height - (double)w / h));
	}
	return !near;
}

static bool transparent(const struct facts *f, double *value)
{
	*value = f->info.has_alpha;
	return f->info.has_alpha;
}

static bool profiled(const struct facts *f, double *value)
{
	*value = f->info.has_icc;
	return f->info.has_icc;
}

static bool turned(const struct facts *f, double *value)
{
	*value = f->info.exif_orientation;
	return f->info.exif_orientation > 1;
}

static bool deep(const struct facts *f, double *value)
{
	*value = f->info.bit_depth;
	return f->info.bit_depth > 8;
}

static bool ink(const struct facts *f, double *value)
{
	*value = f->info.channels;
	return f->info.color == WAN_COLOR_CMYK || f->info.color == WAN_COLOR_YCCK;
}

static bool heavy(const struct facts *f, double *value)
{
	*value = (double)f->size_bytes / (double)WAN_MIB;
	return f->size_bytes > SIZE_NOTE_BYTES && f->size_bytes <= SIZE_MAX_BYTES;
}

static bool large(const struct facts *f, double *value)
{
	*value = f->longer;
	return f->longer > SIDE_NOTED && f->longer <= SIDE_MAX;
}

/* An id keeps its meaning for ever. message: one %g for the value, one for the limit. */
static const struct rule {
	const char *id;
	enum wan_severity severity;
	bool (*applies)(const struct facts *facts, double *value);
	double limit;
	const char *message, *suggestion;
} rules[] = {
	{"unsupported_format", WAN_SEVERITY_ERROR, bad_format, WAN_FORMAT_BMP,
	 "the file format is not one of JPEG, PNG, WebP and BMP", "save it as PNG or JPEG"},
	{"too_small", WAN_SEVERITY_ERROR, too_small, SIDE_MIN,
	 "the shorter side has %g pixels, at least %g are needed", "use a larger image"},
	{"too_large", WAN_SEVERITY_ERROR, too_large, SIDE_MAX,
	 "the longer side has %g pixels, at most %g are possible", "scale it down"},
	{"file_too_large", WAN_SEVERITY_ERROR, file_too_large, 50,
	 "the image takes %.1f MB, at most %g MB are possible", "scale it down or drop its alpha"},
	{"too_dark", WAN_SEVERITY_WARNING, too_dark, DARK,
	 "the image is very dark: mean brightness %.1f, below %g", "brighten it"},
	{"too_bright", WAN_SEVERITY_WARNING, too_bright, BRIGHT,
	 "the image is very bright: mean brightness %.1f, above %g", "darken it"},
	{"low_contrast", WAN_SEVERITY_WARNING, low_contrast, CONTRAST_STD,
	 "the image has little contrast: deviation %.1f, below %g", "raise its contrast"},
	{"blurry_image", WAN_SEVERITY_WARNING, blurry, BLUR_VARIANCE,
	 "the image looks blurred: sharpness %.1f, below %g", "use a sharper image"},
	{"greyscale", WAN_SEVERITY_WARNING, greyscale, 3, "the image is greyscale",
	 "use a colour image if the clip is to have colour"},
	{"palette", WAN_SEVERITY_WARNING, palette, 0,
	 "the image has a palette and will be converted to RGB", "save it as RGB"},
	{"below_recommended_size", WAN_SEVERITY_WARNING, below_recommended, SIDE_GOOD,
	 "the shorter side has %g pixels, %g or more give better clips", "use a larger image"},
	{"unusual_ratio", WAN_SEVERITY_WARNING, unusual_ratio, 1.0 / PREFERRED_PARTS,
	 "the ratio is %.2f away from 16:9, 4:3, 1:1, 3:4 and 9:16 (more than %g)",
	 "crop it to one of them"},
	{"has_transparency", WAN_SEVERITY_INFO, transparent, 0,
	 "the image has transparency, which pipelines drop", "composite it over a background"},
	{"icc_profile_ignored", WAN_SEVERITY_INFO, profiled, 0,
	 "the embedded colour profile is not applied", "convert it to sRGB"},
	{"orientation_applied", WAN_SEVERITY_INFO, turned, 1,
	 "the camera's orientation (%g) is applied; some pipelines ignore it", ""},
	{"depth_reduced", WAN_SEVERITY_INFO, deep, 8, "%g bits per sample become %g", ""},
	{"cmyk_converted", WAN_SEVERITY_INFO, ink, 3,
	 "the image is made for print (CMYK) and is converted without its profile",
	 "convert it to sRGB"},
	{"large_file", WAN_SEVERITY_INFO, heavy, 10, "the image takes %.1f MB, more than %g MB",
	 ""},
	{"large_dimensions", WAN_SEVERITY_INFO, large, SIDE_NOTED,
	 "the longer side has %g pixels, more than %g; it will be scaled down", ""},
};

_Static_assert(WAN_COUNT_OF(rules) <= WAN_ISSUES_MAX, "a verdict must hold every rule");

static void add_issue(struct wan_verdict *verdict, const char *id, enum wan_severity severity,
		      double value, double limit)
{
	struct wan_issue *issue = &verdict->issues[verdict->issue_count++];
	*issue = (struct wan_issue){.id = id, .severity = severity, .value = value, .limit = limit};
	if (severity == WAN_SEVERITY_ERROR)
		verdict->valid = false;
}

static void apply_rules(const struct facts *facts, struct wan_verdict *verdict)
{
	for (size_t i = 0; i < WAN_COUNT_OF(rules); i++) {
		const struct rule *rule = &rules[i];
		double value;
		if (!rule->applies(facts, &value))
			continue;
		add_issue(verdict, rule->id, rule->severity, value, rule->limit);
		struct wan_issue *issue = &verdict->issues[verdict->issue_count - 1];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(issue->message, sizeof(issue->message), rule->message, value,
			       rule->limit);
#pragma GCC diagnostic pop
		(void)wan_str_copy(issue->suggestion, sizeof(issue->suggestion), rule->suggestion);
	}
}

/* What is known of pixels that came without a file: as if from a PNG (0: unknown). */
static struct wan_image_info info_of_pixels(const struct wan_image_view *view)
{
	return (struct wan_image_info){
		.format = WAN_FORMAT_UNKNOWN,
		.width_px = view->width_px,
		.height_px = view->height_px,
		.bit_depth = (uint8_t)WAN_MIN(8 * wan_pixel_sample_bytes(view->format), 16u),
		.channels = (uint8_t)view->channels,
		.color = view->format == WAN_PIXEL_CMYK8 ? WAN_COLOR_CMYK
			 : view->channels == 1           ? WAN_COLOR_GRAY
			 : view->channels == 2           ? WAN_COLOR_GRAY_ALPHA
			 : view->channels == 3           ? WAN_COLOR_RGB
							 : WAN_COLOR_RGB_ALPHA,
		.exif_orientation = 1,
		.has_alpha = wan_pixel_has_alpha(view->format),
	};
}

static void gather(const struct wan_image_view *view, const struct wan_image_info *info,
		   struct facts *facts)
{
	facts->info = info ? *info : info_of_pixels(view);
	facts->width = view->width_px;
	facts->height = view->height_px;
	facts->shorter = WAN_MIN(view->width_px, view->height_px);
	facts->longer = WAN_MAX(view->width_px, view->height_px);
	facts->color = facts->info.channels >= 3;
	uint64_t per_pixel = facts->info.channels >= 3 ? 3u + facts->info.has_alpha : 1u;
	facts->size_bytes = WAN_MAX((uint64_t)view->width_px * view->height_px * per_pixel,
				    facts->info.file_bytes);
}

/* An 8-bit image with colours as they will be seen, for the sums. */
static int measured_image(const struct wan_image *image, struct wan_image **ret_image)
{
	enum wan_pixel_format format = image->view.format;
	if (wan_pixel_sample_bytes(format) == 1 && format != WAN_PIXEL_CMYK8) {
		*ret_image = wan_image_ref((struct wan_image *)image);
		return 0;
	}
	enum wan_pixel_format to = format == WAN_PIXEL_GRAY16    ? WAN_PIXEL_GRAY8
				   : format == WAN_PIXEL_GRAYA16 ? WAN_PIXEL_GRAYA8
				   : format == WAN_PIXEL_RGBA16  ? WAN_PIXEL_RGBA8
								 : WAN_PIXEL_RGB8;
	return wan_image_convert(image, to, WAN_ALPHA_DROP, ret_image);
}

int wan_image_validate(const struct wan_image *image, const struct wan_image_info *info,
		       struct wan_verdict *ret_verdict)
{
	if (!image || !ret_verdict)
		return -EINVAL;

	struct facts facts;
	struct wan_verdict verdict = {.valid = true};
	wan_cleanup(wan_image_unrefp) struct wan_image *measured = NULL;
	int error = measured_image(image, &measured);
	if (error == 0)
		error = wan_luma_measure(measured, &facts.luma);
	if (error < 0)
		return error;

	gather(&image->view, info, &facts);
	apply_rules(&facts, &verdict);
	wan_ratio_label(facts.width, facts.height, verdict.ratio_label,
			sizeof(verdict.ratio_label));
	verdict.brightness_mean = wan_sums_mean(&facts.luma.samples);
	verdict.contrast_std = sqrt(wan_sums_variance(&facts.luma.samples));
	verdict.blur_variance = wan_sums_variance(&facts.luma.laplacian);
	*ret_verdict = verdict;
	return 0;
}
