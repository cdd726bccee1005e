/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "alloc.h"
#include "buffer.h"
#include "cleanup.h"
#include "convert.h"
#include "luma.h"
#include "macros.h"

double wan_sums_mean(const struct wan_sums *sums)
{
	return sums->n ? (double)sums->sum / (double)sums->n : 0;
}

/* n * squares - sum^2, which is n^2 times the variance and always a whole number. */
static unsigned __int128 scaled_variance(const struct wan_sums *sums)
{
	unsigned __int128 squares = (unsigned __int128)sums->n * sums->squares;
	__int128 sum = sums->sum;
	return squares - (unsigned __int128)(sum * sum);
}

double wan_sums_variance(const struct wan_sums *sums)
{
	if (sums->n == 0)
		return 0;
	return (double)scaled_variance(sums) / (double)sums->n / (double)sums->n;
}

int wan_sums_compare_mean(const struct wan_sums *sums, int64_t value)
{
	__int128 limit = (__int128)value * (__int128)sums->n;
	return sums->sum < limit ? -1 : sums->sum > limit;
}

bool wan_sums_variance_below(const struct wan_sums *sums, uint64_t limit)
{
	return scaled_variance(sums) < (unsigned __int128)limit * sums->n * sums->n;
}

/* A line's worth in 32 and 64 bits, so that the inner loop stays in narrow registers. */
static void sum_bytes(const uint8_t *bytes, size_t count, struct wan_sums *sums)
{
	while (count > 0) {
		size_t part = WAN_MIN(count, (size_t)32768);
		uint32_t sum = 0, squares = 0; /* 32768 * 255^2 fits 32 bits */
		for (size_t i = 0; i < part; i++) {
			sum += bytes[i];
			squares += (uint32_t)bytes[i] * bytes[i];
		}
		sums->sum += sum;
		sums->squares += squares;
		bytes += part;
		count -= part;
	}
}

static void sum_colors(const uint8_t *row, uint32_t width, unsigned channels, bool alpha,
		       struct wan_sums *sums)
{
	unsigned colors = channels - alpha;
	sums->n += (uint64_t)width * colors;
	if (!alpha) {
		sum_bytes(row, (size_t)width * channels, sums);
		return;
	}
	for (uint32_t x = 0; x < width; x++, row += channels)
		sum_bytes(row, colors, sums);
}

static void gray_line(const struct wan_image *image, uint32_t y, uint8_t *line)
{
	const uint8_t *row = wan_image_row(image, y);
	uint32_t width = image->view.width_px;
	switch (image->view.format) {
	case WAN_PIXEL_RGB8:
		for (uint32_t x = 0; x < width; x++, row += 3)
			line[x] = wan_luma(row[0], row[1], row[2]);
		break;
	case WAN_PIXEL_RGBA8:
		for (uint32_t x = 0; x < width; x++, row += 4)
			line[x] = wan_luma(row[0], row[1], row[2]);
		break;
	default:
		for (uint32_t x = 0; x < width; x++)
			line[x] = row[(size_t)x * image->view.channels];
	}
}

static void add_laplacian(const uint8_t *above, const uint8_t *line, const uint8_t *below,
			  uint32_t width, struct wan_sums *sums)
{
	int32_t sum = 0;
	uint64_t squares = 0;
	for (uint32_t x = 1; x + 1 < width; x++) {
		int32_t value = line[x - 1] + line[x + 1] + above[x] + below[x] - 4 * line[x];
		sum += value;
		squares += (uint32_t)(value * value);
	}
	/* Left and right of the edge lies the mirror of its neighbour (101 order). */
	uint32_t last = width - 1, edges[2] = {0, last};
	for (int i = 0; i < (width > 1 ? 2 : 1); i++) {
		uint32_t x = edges[i], beside = width == 1 ? 0 : x == 0 ? 1 : last - 1;
		int32_t value = 2 * line[beside] + above[x] + below[x] - 4 * line[x];
		sum += value;
		squares += (uint32_t)(value * value);
	}
	sums->sum += sum;
	sums->squares += squares;
	sums->n += width;
}

int wan_luma_measure(const struct wan_image *image, struct wan_sums *ret_samples,
		     struct wan_sums *ret_laplacian)
{
	const struct wan_image_view *view = &image->view;
	uint32_t width = view->width_px, height = view->height_px;
	struct wan_sums samples = {0, 0, 0}, laplacian = {0, 0, 0};

	if (wan_pixel_sample_bytes(view->format) != 1 || view->format == WAN_PIXEL_CMYK8)
		return -EINVAL;
	wan_cleanup(wan_freep) uint8_t *lines = wan_realloc_array(NULL, 3, width);
	if (!lines)
		return -ENOMEM;

	uint8_t *ring[3] = {lines, lines + width, lines + 2 * (size_t)width};
	for (uint32_t y = 0; y < height; y++) {
		sum_colors(wan_image_row(image, y), width, view->channels,
			   wan_pixel_has_alpha(view->format), &samples);
		if (y == 0)
			gray_line(image, 0, ring[0]);
		if (y + 1 < height)
			gray_line(image, y + 1, ring[(y + 1) % 3]);
		uint32_t mirrored = height == 1 ? 0 : y == 0 ? 1 : height - 2;
		const uint8_t *above = ring[(y == 0 ? mirrored : y - 1) % 3];
		const uint8_t *below = ring[(y + 1 == height ? mirrored : y + 1) % 3];
		add_laplacian(above, ring[y % 3], below, width, &laplacian);
	}
	*ret_samples = samples;
	*ret_laplacian = laplacian;
	return 0;
}
