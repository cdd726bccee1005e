/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "buffer.h"
#include "cleanup.h"
#include "luma.h"
#include "luma_kernels.h"
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

static void add_bytes(const struct wan_luma_kernels *kernels, const uint8_t *bytes, size_t count,
		      struct wan_sums *sums)
{
	uint64_t sum = 0;
	while (count > 0) {
		size_t part = WAN_MIN(count, (size_t)WAN_LUMA_BYTES_AT_ONCE);
		kernels->add_bytes(bytes, part, &sum, &sums->squares);
		bytes += part;
		count -= part;
	}
	sums->sum += (int64_t)sum;
}

/* What there is under alpha: pixels and colours of a row whose alpha is not 255 throughout. */
static void look_under(const uint8_t *row, uint32_t width, unsigned channels, struct wan_luma *luma)
{
	for (uint32_t x = 0; x < width; x++, row += channels) {
		uint8_t alpha = row[channels - 1];
		luma->translucent_px += alpha != 255;
		if (alpha != 0)
			continue;
		if (luma->transparent_px++ == 0)
			memcpy(luma->hidden, row, channels - 1);
		else if (memcmp(luma->hidden, row, channels - 1) != 0)
			luma->hidden_colors = true;
	}
}

static void add_alpha(const uint8_t *row, uint32_t width, unsigned channels, struct wan_luma *luma)
{
	struct wan_sums *sums = &luma->samples;
	const uint8_t *alpha = row + channels - 1;
	uint8_t all = 255;
	for (uint32_t x = 0; x < width; x++)
		all &= alpha[(size_t)x * channels];
	if (all == 255) {
		sums->sum -= 255 * (int64_t)width;
		sums->squares -= 255 * 255 * (uint64_t)width;
		return;
	}
	for (uint32_t x = 0; x < width; x++) {
		unsigned value = alpha[(size_t)x * channels];
		sums->sum -= value;
		sums->squares -= value * value;
	}
	look_under(row, width, channels, luma);
}

static void add_row(const struct wan_luma_kernels *kernels, const struct wan_image *image,
		    uint32_t y, struct wan_luma *luma)
{
	const uint8_t *row = wan_image_row(image, y);
	uint32_t width = image->view.width_px, channels = image->view.channels;
	bool alpha = wan_pixel_has_alpha(image->view.format);
	luma->samples.n += (uint64_t)width * (channels - alpha);
	add_bytes(kernels, row, (size_t)width * channels, &luma->samples);
	if (alpha)
		add_alpha(row, width, channels, luma);
}

/* Left and right of the line lies the mirror of the neighbour of its edge (101 order). */
static void gray_line(const struct wan_luma_kernels *kernels, const struct wan_image *image,
		      uint32_t y, uint16_t *line)
{
	const uint8_t *row = wan_image_row(image, y);
	uint32_t width = image->view.width_px, channels = image->view.channels;
	switch (image->view.format) {
	case WAN_PIXEL_RGB8:
		kernels->gray_rgb(row, line, width);
		break;
	case WAN_PIXEL_RGBA8:
		kernels->gray_rgba(row, line, width);
		break;
	default:
		for (uint32_t x = 0; x < width; x++)
			line[x] = row[(size_t)x * channels];
	}
	line[-1] = line[width > 1 ? 1 : 0];
	line[width] = line[width > 1 ? width - 2 : 0];
}

static int64_t line_sum(const uint16_t *line, uint32_t width)
{
	int64_t sum = 0;
	for (uint32_t x = 0; x < width; x++)
		sum += line[x];
	return sum;
}

static void add_laplacian(const struct wan_luma_kernels *kernels, const uint16_t *above,
			  const uint16_t *line, const uint16_t *below, uint32_t width,
			  struct wan_sums *sums)
{
	for (uint32_t done = 0; done < width;) {
		uint32_t part = WAN_MIN(width - done, WAN_LUMA_PIXELS_AT_ONCE);
		sums->squares += kernels->laplacian(above + done, line + done, below + done, part);
		done += part;
	}
	/* Of the plain sum only the edges remain: each inner pixel counts +1 four times and -4. */
	uint32_t last = width - 1;
	sums->sum += line[-1] - line[last] + line[last + 1] - line[0];
	sums->n += width;
}

int wan_luma_measure(const struct wan_image *image, struct wan_luma *ret_luma)
{
	const struct wan_image_view *view = &image->view;
	const struct wan_luma_kernels *kernels = wan_luma_kernels(wan_cpu_level());
	uint32_t width = view->width_px, height = view->height_px, last = height - 1;
	struct wan_luma luma = {.samples = {0, 0, 0}};

	if (wan_pixel_sample_bytes(view->format) != 1 || view->format == WAN_PIXEL_CMYK8)
		return -EINVAL;
	size_t pitch = (size_t)width + 2;
	wan_cleanup(wan_freep) uint16_t *lines = wan_realloc_array(NULL, pitch, 3 * sizeof(*lines));
	if (!lines)
		return -ENOMEM;

	uint16_t *ring[3] = {lines + 1, lines + 1 + pitch, lines + 1 + 2 * pitch};
	for (uint32_t y = 0; y < height; y++) {
		add_row(kernels, image, y, &luma);
		if (y == 0)
			gray_line(kernels, image, 0, ring[0]);
		if (y + 1 < height)
			gray_line(kernels, image, y + 1, ring[(y + 1) % 3]);
		uint32_t mirrored = height == 1 ? 0 : y == 0 ? 1 : height - 2;
		const uint16_t *line = ring[y % 3];
		const uint16_t *above = ring[(y == 0 ? mirrored : y - 1) % 3];
		const uint16_t *below = ring[(y == last ? mirrored : y + 1) % 3];
		add_laplacian(kernels, above, line, below, width, &luma.laplacian);
		if (y == 0)
			luma.laplacian.sum += line_sum(above, width) - line_sum(line, width);
		if (y == last)
			luma.laplacian.sum += line_sum(below, width) - line_sum(line, width);
	}
	*ret_luma = luma;
	return 0;
}
