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

static void count_test(const struct bench_test *test, struct bench_summary *summary)
{
	double ms, target_ms = bench_target_ms(test, &ms);
	summary->total++;
	summary->passed += test->status == BENCH_PASSED;
	summary->failed += test->status == BENCH_FAILED;
	summary->inconclusive += test->status == BENCH_INCONCLUSIVE;
	/* Wrong or lost results and leaks cannot be made good by other tests. */
	if (test->status == BENCH_FAILED &&
	    (test->group == BENCH_GROUP_STRESS || test->group == BENCH_GROUP_LEAK))
		summary->hard++;
	summary->over_memory +=
		test->memory_mb > (test->images ? BENCH_BATCH_MEMORY_MB : BENCH_MEMORY_MB);
	if (target_ms <= 0)
		return;
	summary->timed++;
	summary->in_time += ms <= target_ms;
	if (test->threads <= 1 && ms > target_ms)
		summary->hard++;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100;
}

static void decide(const struct bench_report *report, struct bench_summary *summary)
{
	static const char *const words[] = {"all targets are met", "a target is missed",
					    "compliance is below its target",
					    "inconclusive: not everything could be tried"};
	uint64_t tried = summary->passed + summary->failed;
	if (summary->hard || summary->over_memory ||
	    (tried && summary->success_rate < BENCH_SUCCESS_RATE))
		summary->exit_status = 1;
	else if (summary->compliance_rate < BENCH_COMPLIANCE_RATE)
		summary->exit_status = 2;
	else if (!tried || summary->inconclusive || !report->complete)
		summary->exit_status = 3;
	wan_str_copy(summary->verdict, sizeof(summary->verdict), words[summary->exit_status]);
	if (summary->exit_status == 0 && summary->failed)
		wan_str_format(summary->verdict, sizeof(summary->verdict),
			       "all targets are met, though %llu of %llu tests failed",
			       (unsigned long long)summary->failed, (unsigned long long)tried);
}

void bench_summarise(const struct bench_report *report, struct bench_summary *ret_summary)
{
	*ret_summary = (struct bench_summary){0};
	for (size_t i = 0; i < report->test_count; i++)
		count_test(&report->tests[i], ret_summary);
	ret_summary->success_rate =
		percent(ret_summary->passed, ret_summary->passed + ret_summary->failed);
	ret_summary->compliance_rate = percent(ret_summary->in_time, ret_summary->timed);
	decide(report, ret_summary);
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
