/* SPDX-License-Identifier: MIT */
/* What a pixel buffer of 1280x720 RGB costs when it is recycled, and when the kernel makes it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "wan/image.h"

enum { ROUNDS = 200, PAGE = 4096 };

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Get a buffer, touch each page as a decoder would, give it back. */
static uint64_t once_ns(bool fresh)
{
	struct wan_image *image;
	uint64_t begin = wan_now_ns();
	if (wan_image_create(WAN_PIXEL_RGB8, 1280, 720, &image) < 0)
		exit(1);
	volatile uint8_t *bytes = wan_image_pixels_mut(image);
	for (size_t i = 0; i < (size_t)1280 * 720 * 3; i += PAGE)
		bytes[i] = 1;
	wan_image_unref(image);
	if (fresh)
		(void)wan_pool_trim(0);
	return wan_now_ns() - begin;
}

static double median_us(bool fresh)
{
	static uint64_t times[ROUNDS];
	for (int i = 0; i < ROUNDS; i++)
		times[i] = once_ns(fresh);
	qsort(times, ROUNDS, sizeof(times[0]), by_value);
	return (double)times[ROUNDS / 2] / 1000.0;
}

int main(void)
{
	double fresh = median_us(true);
	(void)once_ns(false);
	double steady = median_us(false);
	struct wan_pool_stats stats;
	wan_pool_stats(&stats);
	printf("2.76 MB pixel buffer, steady state: %.2f us (fresh: %.1f us)\n", steady, fresh);
	printf("buffers reused %llu, fresh %llu, given back %llu\n",
	       (unsigned long long)stats.reused, (unsigned long long)stats.fresh,
	       (unsigned long long)stats.trimmed);
	return steady <= 25.0 ? 0 : 1;
}
