/* SPDX-License-Identifier: MIT */
/*
 * What another way of doing the same work would save, as a share of the measured time. The shares
 * are ratios between costs of one machine and one library, so the machine's speed falls out; they
 * were fitted to libjpeg-turbo 2.1 and libpng 1.6 on photographs and are held against real work by
 * tests/bench/advice_truth.py. Pure.
 *
 * JPEG, ns per pixel with x = sqrt(bytes per pixel): what the entropy coder costs grows with the
 * coefficients that are not zero, which the root of the file's density follows closely.
 *	decoded whole          0.34 + 3.86 x
 *	saved at 1/2, 1/4, 1/8 0.37 + 0.10 x, 0.47 + 0.28 x, 0.55 + 0.35 x
 *	progressive            0.20 + 13.5 x
 */
#ifndef WAN_PROFILER_PREDICT_H
#define WAN_PROFILER_PREDICT_H

#include <stdint.h>

/* Shares of the time that is saved, 0 to 1; negative: no honest prediction. */

/* A whole JPEG decoded at 1/denominator (2, 4, 8). bytes_per_pixel: of the file; <= 0: unknown. */
double wan_predict_scaled(double bytes_per_pixel, unsigned denominator);
/* A progressive JPEG stored as baseline; decoded at 1/denominator (1: whole) both times. */
double wan_predict_baseline(double bytes_per_pixel, unsigned denominator);
/* A JPEG stored at 1/factor of its width and height, decoded at 1/denominator (1: whole) so far. */
double wan_predict_smaller_jpeg(double bytes_per_pixel, double factor, unsigned denominator);
double wan_predict_smaller_png(double factor);
/* A PNG photograph stored as JPEG: read, written at a compression level. */
double wan_predict_png_as_jpeg_read(void);
/* zlib level as it is (2 to 9) against level 1, for photographs. */
double wan_predict_png_level_1(unsigned level);
/* A progressive JPEG written as baseline. */
double wan_predict_baseline_output(void);

#endif
