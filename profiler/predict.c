/* SPDX-License-Identifier: MIT */
#include "predict.h"

#include <math.h>

/* Smaller pictures of the same scene hold more detail in each pixel: density grows with the root of
 * the factor. */
#define DENSITY_GROWTH 0.5
/* Noise of a scanned or synthetic image lies far outside what was fitted. */
#define DENSITY_MOST 1.5

static double whole(double root)
{
	return 0.34 + 3.86 * root;
}

static double saved(double root, unsigned denominator)
{
	switch (denominator) {
	case 2:
		return 0.37 + 0.10 * root;
	case 4:
		return 0.47 + 0.28 * root;
	case 8:
		return 0.55 + 0.35 * root;
	default:
		return 0;
	}
}

static int is_known(double bytes_per_pixel)
{
	return bytes_per_pixel > 0 && bytes_per_pixel < DENSITY_MOST;
}

double wan_predict_scaled(double bytes_per_pixel, unsigned denominator)
{
	if (!is_known(bytes_per_pixel) || denominator < 2)
		return -1;
	double root = sqrt(bytes_per_pixel);
	return saved(root, denominator) / whole(root);
}

double wan_predict_baseline(double bytes_per_pixel, unsigned denominator)
{
	if (!is_known(bytes_per_pixel))
		return -1;
	/* the same coefficients take 5 % more bytes without the progressive coder's tables */
	double root = sqrt(bytes_per_pixel);
	double less = saved(root, denominator);
	return fmax(0, 1 - (whole(root * sqrt(1.05)) - less) / (0.20 + 13.5 * root - less));
}

double wan_predict_smaller_jpeg(double bytes_per_pixel, double factor, unsigned denominator)
{
	if (!is_known(bytes_per_pixel) || factor <= 1)
		return -1;
	double root = sqrt(bytes_per_pixel);
	double now = whole(root) - saved(root, denominator);
	double then = whole(root * pow(factor, DENSITY_GROWTH / 2)) / (factor * factor);
	return fmax(0, 1 - then / now);
}

double wan_predict_smaller_png(double factor)
{
	return factor <= 1 ? -1 : fmax(0, 1 - 1.1 / (factor * factor));
}

double wan_predict_png_as_jpeg_read(void)
{
	return 0.87; /* 14 to 21 ns a pixel against 1.5 to 3 */
}

double wan_predict_png_level_1(unsigned level)
{
	/* Time of level 1 over that of the level; levels in between lie on a line. */
	static const double shares[10] = {1, 1, 0.83, 0.69, 0.52, 0.37, 0.24, 0.18, 0.11, 0.07};
	return level > 9 ? -1 : 1 - shares[level];
}

double wan_predict_baseline_output(void)
{
	return 0.81; /* 1.3 to 3 ns a pixel against 5 to 17 */
}
