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
/* Exact comparisons: mean with value_tenths / 10, variance with limit. */
int wan_sums_compare_mean(const struct wan_sums *sums, int64_t value);
bool wan_sums_variance_below(const struct wan_sums *sums, uint64_t limit);

/* Over the colour samples (alpha left out) and over the 4-neighbour Laplacian of the grey image,
 * whose border mirrors without repeating the edge. 0, -EINVAL (not an 8-bit format), -ENOMEM. */
int wan_luma_measure(const struct wan_image *image, struct wan_sums *ret_samples,
		     struct wan_sums *ret_laplacian);

#endif
