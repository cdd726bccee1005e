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

/* From the lowest digit up: what a signed byte leaves over is a multiple of 256. */
static void split(struct wan_taps *taps, size_t at, uint32_t count)
{
	const int32_t *weights = taps->weights + at;
	int16_t *high = taps->high + at, *low = taps->low + at;
	int8_t *first = taps->digit[0] + at, *second = taps->digit[1] + at,
	       *third = taps->digit[2] + at;
	int32_t beyond = 0;

	for (uint32_t k = 0; k < count; k++) {
		int32_t weight = weights[k], left = (weight + 128) >> 8, most = (left + 128) >> 8;
		high[k] = (int16_t)(weight >> WAN_TAPS_SPLIT);
		low[k] = (int16_t)(weight & ((1 << WAN_TAPS_SPLIT) - 1));
		third[k] = (int8_t)(weight - left * 256);
		second[k] = (int8_t)(left - most * 256);
		first[k] = (int8_t)most;
		beyond |= (most + 128) & ~255;
	}
	taps->digits_fit = taps->digits_fit && beyond == 0;
}

static double support_of(double scale, enum wan_filter filter)
{
	return filters[filter].support * WAN_MAX(scale, 1.0); /* it widens when shrinking */
}

uint32_t wan_taps_most(float side, uint32_t total, enum wan_filter filter)
{
	double most = ceil(support_of((double)side / total, filter)) * 2 + 1;
	return (uint32_t)WAN_MIN(most, (double)(1u << 31)); /* which no memory holds */
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

/* One output: where its source samples lie, and room for weights before they are rounded. */
struct row {
	double *weights;
	uint32_t first, count;
	double center, inverse;
};

/* Rounded half away from zero. */
static int32_t fixed_point(double weight)
{
	double fixed = weight * (1 << WAN_TAPS_BITS);
	return (int32_t)(weight < 0 ? fixed - 0.5 : fixed + 0.5);
}

static void fill_exactly(const struct row *row, double (*weight)(double), int32_t *out)
{
	double sum = 0;
	for (uint32_t k = 0; k < row->count; k++) {
		row->weights[k] = weight(((double)(k + row->first) - row->center + 0.5) *
					 row->inverse); /* in Pillow's order */
		sum += row->weights[k];
	}
	for (uint32_t k = 0; k < row->count; k++)
		out[k] = fixed_point(sum != 0.0 ? row->weights[k] / sum : row->weights[k]);
}

typedef double two __attribute__((vector_size(16)));
typedef int64_t two_bits __attribute__((vector_size(16)));

/* sin(pi x) to about 1e-15 for small x: the series at the distance to the nearest whole number. */
static inline two sin_pi(two x)
{
	const double magic = 6755399441055744.0; /* 1.5 * 2^52: its last bit counts ones */
	two shifted = x + magic;
	two f = (x - (shifted - magic)) * M_PI, s = f * f, sum = s / 51090942171709440000.0;

	sum = (sum - 1.0 / 121645100408832000.0) * s;
	sum = (sum + 1.0 / 355687428096000.0) * s;
	sum = (sum - 1.0 / 1307674368000.0) * s;
	sum = (sum + 1.0 / 6227020800.0) * s;
	sum = (sum - 1.0 / 39916800.0) * s;
	sum = (sum + 1.0 / 362880.0) * s;
	sum = (sum - 1.0 / 5040.0) * s;
	sum = (sum + 1.0 / 120.0) * s;
	sum = (sum - 1.0 / 6.0) * s;
	sum = (sum + 1.0) * f;
	return (two)((two_bits)sum ^ (two_bits)shifted << 63);
}

/* Lanczos without a call for each sine, which is most of the time of a small result. False when
 * its error, or one far above it, could have changed a rounded weight. */
static bool fill_lanczos(const struct row *row, int32_t *out)
{
	const two odd = {0, 1};
	double sum = 0;
	for (uint32_t k = 0; k < row->count; k += 2) { /* the weights have room for an even count */
		two x = ((double)(k + row->first) + odd - row->center + 0.5) * row->inverse;
		two square = x * x * (M_PI * M_PI / 3);
		two weights = sin_pi(x) * sin_pi(x / 3) / square;
		for (uint32_t i = 0; i < 2; i++) {
			double weight = square[i] < 1e-30 ? 1.0 : weights[i];
			weight = x[i] >= -3.0 && x[i] < 3.0 ? weight : 0.0;
			row->weights[k + i] = weight;
			sum += k + i < row->count ? weight : 0.0;
		}
	}
	int32_t doubtful = !(sum > 0.5);
	double scale = (1 << WAN_TAPS_BITS) / sum;
	for (uint32_t k = 0; k < row->count; k++) {
		double fixed = row->weights[k] * scale;
		int32_t nearest = (int32_t)(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
		out[k] = nearest;
		doubtful |= fabs(fabs(fixed - nearest) - 0.5) < 1e-6;
	}
	return !doubtful;
}

int wan_taps_create(struct wan_taps *ret_taps, uint32_t in, float begin, float end, uint32_t total,
		    uint32_t from, uint32_t outputs, enum wan_filter filter)
{
	double scale = (double)(end - begin) / total;
	double support = support_of(scale, filter);
	struct wan_taps taps = {.outputs = outputs, .digits_fit = true};
	struct row row = {.inverse = 1.0 / WAN_MAX(scale, 1.0)};

	taps.most = wan_taps_most(end - begin, total, filter);
	taps.pitch = pitch_of(taps.most);
	wan_taps_destroy(ret_taps);
	row.weights = wan_realloc_array(NULL, taps.pitch, sizeof(*row.weights));
	if (!row.weights || allocate(&taps) < 0) {
		wan_free(row.weights);
		wan_taps_destroy(&taps);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < outputs; i++) {
		double center = begin + (from + i + 0.5) * scale;
		double low = center - support + 0.5, high = center + support + 0.5;
		uint32_t first = low < 0 ? 0 : (uint32_t)low;
		uint32_t last = high > in ? in : (uint32_t)high;
		row.count = WAN_MIN(last - first, taps.most);
		row.first = first;
		row.center = center;
		size_t at = (size_t)i * taps.pitch;
		if (filter != WAN_FILTER_LANCZOS || !fill_lanczos(&row, taps.weights + at))
			fill_exactly(&row, filters[filter].weight, taps.weights + at);
		split(&taps, at, row.count);
		taps.spans[i] = (struct wan_tap_span){first, row.count};
	}
	wan_free(row.weights);
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
