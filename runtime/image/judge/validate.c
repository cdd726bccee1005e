/* SPDX-License-Identifier: MIT */
/*
 * The checks of a start or end image. Each looks at facts gathered once and says whether its rule
 * applies; the boundary values themselves always pass. What is said is in rules.def.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "buffer.h"
#include "cleanup.h"
#include "codec.h"
#include "luma.h"
#include "macros.h"
#include "rules.h"
#include "str.h"
#include "validate.h"

#define SIDE_MIN        256u
#define SIDE_MAX        4096u
#define SIDE_GOOD       512u
#define SIDE_NOTED      1920u
#define MODEL_PIXELS    (832u * 480u)
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
	uint64_t pixel_bytes; /* as three bytes (four with alpha, one if grey) */
	uint32_t warnings;    /* of the decoder */
	bool color, alpha_measured, preview;
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

static double percent(uint64_t pixels, const struct facts *f)
{
	return 100.0 * (double)pixels / (double)f->luma.laplacian.n;
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

static bool pixels_too_large(const struct facts *f, double *value)
{
	*value = (double)f->pixel_bytes / (double)WAN_MIB;
	return f->pixel_bytes > SIZE_MAX_BYTES;
}

static bool file_too_large(const struct facts *f, double *value)
{
	*value = (double)f->info.file_bytes / (double)WAN_MIB;
	return f->info.file_bytes > SIZE_MAX_BYTES;
}

static bool repaired(const struct facts *f, double *value)
{
	*value = f->warnings;
	return f->warnings > 0;
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

/* Scaling down sharpens: a preview tells nothing about it. */
static bool blurry(const struct facts *f, double *value)
{
	*value = wan_sums_variance(&f->luma.laplacian);
	return !f->preview && wan_sums_variance_below(&f->luma.laplacian, BLUR_VARIANCE);
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

static bool hidden_colors(const struct facts *f, double *value)
{
	*value = percent(f->luma.transparent_px, f);
	return f->luma.hidden_colors;
}

/* Alpha that is stored but was not kept by who decoded counts as transparency. */
static bool alpha_unused(const struct facts *f, double *value)
{
	*value = 0;
	return f->info.has_alpha && f->alpha_measured && f->luma.translucent_px == 0;
}

static bool transparent(const struct facts *f, double *value)
{
	double unused;
	*value = percent(f->luma.translucent_px, f);
	return f->info.has_alpha && !alpha_unused(f, &unused);
}

static bool below_model_size(const struct facts *f, double *value)
{
	uint64_t pixels = (uint64_t)f->width * f->height;
	*value = (double)pixels;
	return f->shorter >= SIDE_MIN && pixels < MODEL_PIXELS;
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
	uint64_t bytes = WAN_MAX(f->pixel_bytes, f->info.file_bytes);
	*value = (double)bytes / (double)WAN_MIB;
	return bytes > SIZE_NOTE_BYTES && bytes <= SIZE_MAX_BYTES;
}

static bool large(const struct facts *f, double *value)
{
	*value = f->longer;
	return f->longer > SIDE_NOTED && f->longer <= SIDE_MAX;
}

static const struct check {
	enum wan_rule_number rule;
	bool (*applies)(const struct facts *facts, double *value);
} checks[] = {
	{WAN_RULE_unsupported_format, bad_format},
	{WAN_RULE_too_small, too_small},
	{WAN_RULE_too_large, too_large},
	{WAN_RULE_pixels_too_large, pixels_too_large},
	{WAN_RULE_file_too_large, file_too_large},
	{WAN_RULE_decoder_warnings, repaired},
	{WAN_RULE_too_dark, too_dark},
	{WAN_RULE_too_bright, too_bright},
	{WAN_RULE_low_contrast, low_contrast},
	{WAN_RULE_blurry_image, blurry},
	{WAN_RULE_greyscale, greyscale},
	{WAN_RULE_palette, palette},
	{WAN_RULE_hidden_colors, hidden_colors},
	{WAN_RULE_below_recommended_size, below_recommended},
	{WAN_RULE_unusual_ratio, unusual_ratio},
	{WAN_RULE_below_model_size, below_model_size},
	{WAN_RULE_has_transparency, transparent},
	{WAN_RULE_alpha_unused, alpha_unused},
	{WAN_RULE_icc_profile_ignored, profiled},
	{WAN_RULE_orientation_applied, turned},
	{WAN_RULE_depth_reduced, deep},
	{WAN_RULE_cmyk_converted, ink},
	{WAN_RULE_large_file, heavy},
	{WAN_RULE_large_dimensions, large},
};

static void apply_rules(const struct facts *facts, struct wan_verdict *verdict)
{
	for (size_t i = 0; i < WAN_COUNT_OF(checks); i++) {
		double value;
		if (checks[i].applies(facts, &value))
			(void)wan_verdict_add(verdict, checks[i].rule, value);
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
		   bool preview, struct facts *facts)
{
	facts->info = info ? *info : info_of_pixels(view);
	facts->width = view->width_px;
	facts->height = view->height_px;
	if (preview && info) { /* the pixels are fewer than the image has */
		struct wan_size size = wan_size_upright(info);
		facts->width = size.width_px;
		facts->height = size.height_px;
	}
	facts->preview = preview;
	facts->warnings = view->warnings;
	facts->alpha_measured = wan_pixel_has_alpha(view->format);
	facts->shorter = WAN_MIN(facts->width, facts->height);
	facts->longer = WAN_MAX(facts->width, facts->height);
	facts->color = facts->info.channels >= 3;
	uint64_t per_pixel = facts->info.channels >= 3 ? 3u + facts->info.has_alpha : 1u;
	facts->pixel_bytes = (uint64_t)facts->width * facts->height * per_pixel;
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

int wan_validate_pixels(const struct wan_image *image, const struct wan_image_info *info,
			bool preview, struct wan_verdict *ret_verdict)
{
	struct facts facts;
	wan_cleanup(wan_image_unrefp) struct wan_image *measured = NULL;
	int error = measured_image(image, &measured);
	if (error == 0)
		error = wan_luma_measure(measured, &facts.luma);
	if (error < 0)
		return error;

	gather(&image->view, info, preview, &facts);
	wan_verdict_init(ret_verdict);
	apply_rules(&facts, ret_verdict);
	wan_ratio_label(facts.width, facts.height, ret_verdict->ratio_label,
			sizeof(ret_verdict->ratio_label));
	ret_verdict->brightness_mean = wan_sums_mean(&facts.luma.samples);
	ret_verdict->contrast_std = sqrt(wan_sums_variance(&facts.luma.samples));
	ret_verdict->blur_variance = wan_sums_variance(&facts.luma.laplacian);
	uint64_t pixels = facts.luma.laplacian.n;
	ret_verdict->transparent_pct = 100.0 * (double)facts.luma.transparent_px / (double)pixels;
	ret_verdict->translucent_pct = 100.0 * (double)facts.luma.translucent_px / (double)pixels;
	ret_verdict->preview = preview;
	return 0;
}

int wan_image_validate(const struct wan_image *image, const struct wan_image_info *info,
		       struct wan_verdict *ret_verdict)
{
	if (!image || !ret_verdict)
		return -EINVAL;
	return wan_validate_pixels(image, info, false, ret_verdict);
}
