/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "alloc.h"
#include "macros.h"
#include "taps.h"

static double box(double x)
{
	return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double bilinear(double x)
{
	x = fabs(x);
	return x < 1.0 ? 1.0 - x : 0.0;
}

static double bicubic(double x)
{
	const double a = -0.5;
	x = fabs(x);
	if (x < 1.0)
		return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
	return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

static double sinc(double x)
{
	if (x == 0.0)
		return 1.0;
	x = x * M_PI;
	return sin(x) / x;
}

static double lanczos(double x)
{
	return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

static const struct {
	double (*weight)(double x);
	double support;
} filters[] = {
	[WAN_FILTER_LANCZOS] = {lanczos, 3.0},
	[WAN_FILTER_BICUBIC] = {bicubic, 2.0},
	[WAN_FILTER_BILINEAR] = {bilinear, 1.0},
	[WAN_FILTER_BOX] = {box, 0.5},
};

static int allocate(struct wan_taps *taps)
{
	size_t weights;
	if (__builtin_mul_overflow((size_t)taps->outputs, (size_t)taps->pitch, &weights))
		return -ENOMEM;
	taps->spans = wan_calloc(taps->outputs, sizeof(*taps->spans));
	taps->weights = wan_calloc(weights, sizeof(*taps->weights));
	taps->high = wan_calloc(weights, sizeof(*taps->high));
	taps->low = wan_calloc(weights, sizeof(*taps->low));
	bool whole = taps->spans && taps->weights && taps->high && taps->low;
	for (int d = 0; d < WAN_TAPS_DIGITS; d++) {
		taps->digit[d] = wan_calloc(weights, sizeof(*taps->digit[d]));
		whole = whole && taps->digit[d];
	}
	return whole ? 0 : -ENOMEM;
}

/* Rounded half away from zero, then split. */
static void store(struct wan_taps *taps, size_t at, double weight)
{
	double fixed = weight * (1 << WAN_TAPS_BITS);
	int32_t rounded = (int32_t)(weight < 0 ? fixed - 0.5 : fixed + 0.5);
	taps->weights[at] = rounded;
	taps->high[at] = (int16_t)(rounded >> WAN_TAPS_SPLIT);
	taps->low[at] = (int16_t)(rounded & ((1 << WAN_TAPS_SPLIT) - 1));

	/* From the lowest digit up: what a signed byte leaves over is a multiple of 256. */
	int32_t left = rounded;
	taps->digit[2][at] = (int8_t)left;
	left = (left - taps->digit[2][at]) / 256;
	taps->digit[1][at] = (int8_t)left;
	left = (left - taps->digit[1][at]) / 256;
	taps->digit[0][at] = (int8_t)left;
	taps->digits_fit = taps->digits_fit && left == taps->digit[0][at];
}

static double support_of(double scale, enum wan_filter filter)
{
	return filters[filter].support * WAN_MAX(scale, 1.0); /* it widens when shrinking */
}

uint32_t wan_taps_most(float side, uint32_t total, enum wan_filter filter)
{
	return (uint32_t)ceil(support_of((double)side / total, filter)) * 2 + 1;
}

static uint32_t pitch_of(uint32_t most)
{
	return (most + 15) & ~15u;
}

uint64_t wan_taps_bytes(float side, uint32_t total, uint32_t outputs, enum wan_filter filter)
{
	uint64_t weight = sizeof(int32_t) + 2 * sizeof(int16_t) + WAN_TAPS_DIGITS;
	uint64_t pitch = pitch_of(wan_taps_most(side, total, filter)), bytes;
	if (__builtin_mul_overflow(pitch * weight + sizeof(struct wan_tap_span), (uint64_t)outputs,
				   &bytes))
		return UINT64_MAX;
	return bytes;
}

int wan_taps_create(struct wan_taps *ret_taps, uint32_t in, float begin, float end, uint32_t total,
		    uint32_t from, uint32_t outputs, enum wan_filter filter)
{
	double (*weight)(double) = filters[filter].weight;
	double scale = (double)(end - begin) / total;
	double support = support_of(scale, filter);
	double inverse = 1.0 / WAN_MAX(scale, 1.0);
	struct wan_taps taps = {.outputs = outputs, .digits_fit = true};

	taps.most = wan_taps_most(end - begin, total, filter);
	taps.pitch = pitch_of(taps.most);
	wan_taps_destroy(ret_taps);
	double *row = wan_realloc_array(NULL, taps.pitch, sizeof(*row));
	if (!row || allocate(&taps) < 0) {
		wan_free(row);
		wan_taps_destroy(&taps);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < outputs; i++) {
		double center = begin + (from + i + 0.5) * scale;
		double low = center - support + 0.5, high = center + support + 0.5;
		uint32_t first = low < 0 ? 0 : (uint32_t)low;
		uint32_t last = high > in ? in : (uint32_t)high;
		uint32_t count = WAN_MIN(last - first, taps.most);
		double sum = 0;

		for (uint32_t k = 0; k < count; k++) {
			row[k] = weight(((double)k + first - center + 0.5) * inverse);
			sum += row[k];
		}
		for (uint32_t k = 0; k < count; k++)
			store(&taps, (size_t)i * taps.pitch + k,
			      sum != 0.0 ? row[k] / sum : row[k]);
		taps.spans[i] = (struct wan_tap_span){first, count};
	}
	wan_free(row);
	*ret_taps = taps;
	return 0;
}

void wan_taps_destroy(struct wan_taps *taps)
{
	wan_free(taps->spans);
	wan_free(taps->weights);
	wan_free(taps->high);
	wan_free(taps->low);
	for (int d = 0; d < WAN_TAPS_DIGITS; d++)
		wan_free(taps->digit[d]);
	*taps = (struct wan_taps){.outputs = 0};
}
