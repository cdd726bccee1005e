/* SPDX-License-Identifier: MIT */
#include "bench_judge.h"

#include <stdlib.h>
#include <string.h>

#include "macros.h"
#include "str.h"

double bench_target_ms(const struct bench_test *test, double *ret_ms)
{
	bool crowd = test->threads > 1;
	*ret_ms = crowd ? test->most_ms : test->ms;
	if (*ret_ms <= 0 || test->images || test->status != BENCH_PASSED)
		return 0; /* a batch has no limit of its own */
	return crowd ? BENCH_CONCURRENT_MS : BENCH_REAL_TIME_MS;
}

/* --- kinds --- */

static const char *key_of(const struct bench_test *test, enum bench_by by)
{
	bool picture = test->group == BENCH_GROUP_SIZE || test->group == BENCH_GROUP_ASPECT;
	if (by == BENCH_BY_GROUP)
		return bench_group_names[test->group];
	if (!picture)
		return NULL;
	if (by == BENCH_BY_SIZE)
		return test->size;
	if (by == BENCH_BY_CONTENT)
		return test->group == BENCH_GROUP_SIZE ? test->content : NULL;
	return by == BENCH_BY_FORMAT ? test->format : test->operation;
}

size_t bench_buckets(const struct bench_report *report, enum bench_by by,
		     struct bench_bucket buckets[BENCH_BUCKETS_MAX])
{
	size_t count = 0;
	double pixels[BENCH_BUCKETS_MAX] = {0}, timed[BENCH_BUCKETS_MAX] = {0};
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		const char *key = key_of(test, by);
		size_t at = 0;
		while (key && at < count && strcmp(buckets[at].key, key) != 0)
			at++;
		if (!key || at == BENCH_BUCKETS_MAX)
			continue;
		if (at == count) {
			buckets[count] = (struct bench_bucket){0};
			wan_str_copy(buckets[count++].key, sizeof(buckets[0].key), key);
		}
		struct bench_bucket *bucket = &buckets[at];
		bucket->tests++;
		bucket->passed += test->status == BENCH_PASSED;
		bucket->memory_mb = WAN_MAX(bucket->memory_mb, test->memory_mb);
		bucket->most_ms = WAN_MAX(bucket->most_ms, test->most_ms);
		if (test->ms <= 0)
			continue;
		timed[at]++;
		bucket->mean_ms += test->ms; /* sums, as yet */
		bucket->mean_cached_ms += test->cached_ms;
		pixels[at] += test->megapixels;
	}
	for (size_t i = 0; i < count; i++) {
		if (buckets[i].mean_ms > 0)
			buckets[i].megapixels_per_s = pixels[i] / buckets[i].mean_ms * 1000;
		buckets[i].mean_ms /= WAN_MAX(timed[i], 1.0);
		buckets[i].mean_cached_ms /= WAN_MAX(timed[i], 1.0);
	}
	return count;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double bench_median_ms(const struct bench_report *report, const char *size, const char *operation)
{
	double values[BENCH_TESTS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		if (test->ms > 0 && test->threads == 0 && strcmp(test->size, size) == 0 &&
		    strcmp(test->operation, operation) == 0)
			values[count++] = test->ms;
	}
	qsort(values, count, sizeof(values[0]), by_value);
	return count ? (values[(count - 1) / 2] + values[count / 2]) / 2 : 0;
}

double bench_bits_per_pixel(const struct bench_report *report, const char *content,
			    const char *format)
{
	char wanted[48];
	double bits = 0, megapixels = 0;
	wan_str_format(wanted, sizeof(wanted), ":%s:%s:", content, format);
	for (size_t i = 0; i < report->source_count; i++) {
		const struct bench_source *source = &report->sources[i];
		if (strstr(source->words, wanted)) {
			bits += source->bits_per_pixel * source->megapixels;
			megapixels += source->megapixels;
		}
	}
	return megapixels > 0 ? bits / megapixels : 0;
}
