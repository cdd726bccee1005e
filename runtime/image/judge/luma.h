/* SPDX-License-Identifier: MIT */
/* Exact sums over an image, from which brightness, contrast and sharpness follow. */
#ifndef WAN_IMAGE_LUMA_H
#define WAN_IMAGE_LUMA_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/image.h"

/* n values: their sum and the sum of their squares. */
struct wan_sums {
	uint64_t n;
	int64_t sum;
	uint64_t squares;
};

double wan_sums_mean(const struct wan_sums *sums);
double wan_sums_variance(const struct wan_sums *sums); /* population */
/* Exact comparisons of the mean and of the variance. */
int wan_sums_compare_mean(const struct wan_sums *sums, int64_t value);
bool wan_sums_variance_below(const struct wan_sums *sums, uint64_t limit);

/* What one pass over an image finds. */
struct wan_luma {
	struct wan_sums samples;   /* colour samples, alpha left out */
	struct wan_sums laplacian; /* of 4 neighbours on the grey image, whose border mirrors
				    * without repeating the edge */
	uint64_t translucent_px;   /* alpha below 255 */
	uint64_t transparent_px;   /* alpha 0 */
	uint8_t hidden[3];         /* the colour of the first transparent pixel */
	bool hidden_colors;        /* transparent pixels have several colours */
};
/* Of an 8-bit image. 0, -EINVAL (another format), -ENOMEM. Cost: with AVX2 about 0.3 ns a pixel. */
int wan_luma_measure(const struct wan_image *image, struct wan_luma *ret_luma);

#endif
