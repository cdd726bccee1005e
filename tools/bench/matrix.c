/* SPDX-License-Identifier: MIT */
/* Configurations compared, and what to do about a report. Pure. */
#include <string.h>

#include "bench_judge.h"
#include "macros.h"
#include "str.h"

#define UNHARMED_DB 1.0

static bool before(const struct bench_row *a, const struct bench_row *b)
{
	if (a->success != b->success)
		return a->success;
	return a->success && a->fps > b->fps;
}

/* Few rows; equal ones keep their order. */
void bench_sort_rows(struct bench_row *rows, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct bench_row moved = rows[i];
		size_t at = i;
		for (; at && before(&moved, &rows[at - 1]); at--)
			rows[at] = rows[at - 1];
		rows[at] = moved;
	}
}

const struct bench_row *bench_best_row(const struct bench_row *rows, size_t count)
{
	return count && rows[0].success ? &rows[0] : NULL;
}

const struct bench_row *bench_best_unharmed(const struct bench_row *rows, size_t count)
{
	const struct bench_row *reference = NULL;
	for (size_t i = 0; i < count && !reference; i++)
		if (rows[i].success && strcmp(rows[i].config.name, "reference") == 0)
			reference = &rows[i];
	for (size_t i = 0; i < count && reference; i++)
		if (rows[i].success && rows[i].psnr_db >= reference->psnr_db - UNHARMED_DB &&
		    rows[i].config.width_px >= reference->config.width_px)
			return &rows[i];
	return NULL;
}

static void add(struct bench_advice *to, size_t *count, const char *id, const char *text)
{
	to[*count].id = id;
	wan_str_copy(to[(*count)++].text, sizeof(to->text), text);
}

size_t bench_matrix_advice(const struct bench_row *rows, size_t count, double ram_gb,
			   struct bench_advice *to)
{
	const struct bench_row *best = bench_best_row(rows, count);
	size_t given = 0;
	if (ram_gb > 0 && ram_gb < 8.0) {
		add(to, &given, "little_memory", "");
		wan_str_format(to[0].text, sizeof(to[0].text),
			       "This machine has %.1f GB of memory: get 16 GB or more.", ram_gb);
	}
	if (best && best->mode && strcmp(best->mode, "cpu_only") == 0)
		add(to, &given, "best_without_gpu",
		    "The fastest configuration uses one thread and no GPU: more CPUs make images "
		    "faster, a GPU makes clips faster.");
	if (best && best->fps < 2.0) {
		add(to, &given, "low_fps", "");
		wan_str_format(
			to[given - 1].text, sizeof(to[0].text),
			"The best of them does %.1f frames a second: reduce size or quality.",
			best->fps);
	}
	return given;
}

static void advise_time(const struct bench_report *report, struct bench_advice *to, size_t *count)
{
	const struct bench_test *slow = NULL, *crowded = NULL;
	double worst_ms = 0, ms;
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		double target_ms = bench_target_ms(test, &ms);
		if (target_ms <= 0 || ms <= target_ms)
			continue;
		if (test->threads > 1)
			crowded = test;
		else if (ms > worst_ms)
			slow = test, worst_ms = ms;
	}
	if (slow) {
		add(to, count, "slow", "");
		wan_str_format(to[*count - 1].text, sizeof(to->text),
			       "%.60s takes %.0f ms (limit %.0f): use smaller images, or JPEG with "
			       "scaled decoding.",
			       slow->name, slow->ms, BENCH_REAL_TIME_MS);
	}
	if (crowded) {
		add(to, count, "too_many_at_once", "");
		wan_str_format(to[*count - 1].text, sizeof(to->text),
			       "%.60s: one waited %.0f ms (limit %.0f): let fewer run at once.",
			       crowded->name, crowded->most_ms, BENCH_CONCURRENT_MS);
	}
}

static void advise_memory(const struct bench_report *report, struct bench_advice *to, size_t *count)
{
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		double limit_mb = test->images ? BENCH_BATCH_MEMORY_MB : BENCH_MEMORY_MB;
		if (test->memory_mb <= limit_mb)
			continue;
		add(to, count, "much_memory", "");
		wan_str_format(to[*count - 1].text, sizeof(to->text),
			       "%.60s takes %.0f MB (limit %.0f): frame files row by row "
			       "(wan_fit), smaller batches.",
			       test->name, test->memory_mb, limit_mb);
		return;
	}
}

static void advise_stress(const struct bench_report *report, struct bench_advice *to, size_t *count)
{
	for (size_t i = 0; i < report->stress_count && *count < BENCH_ADVICE_MAX - 2; i++) {
		const struct bench_stress *stress = &report->stress[i];
		if (stress->status == BENCH_FAILED) {
			add(to, count, "fails_under_stress", "");
			wan_str_format(to[*count - 1].text, sizeof(to->text), "%s: %.140s",
				       stress->name,
				       *stress->reason ? stress->reason : "results were wrong");
		} else if (stress->status == BENCH_PASSED && stress->asked &&
			   stress->refused * 10 > stress->asked) {
			add(to, count, "refused", "");
			wan_str_format(to[*count - 1].text, sizeof(to->text),
				       "%s: %llu of %llu requests were refused: ask for scaled "
				       "images there (accept_divisor), or wait longer "
				       "(memory.wait).",
				       stress->name, (unsigned long long)stress->refused,
				       (unsigned long long)stress->asked);
		}
	}
}

size_t bench_advise(const struct bench_report *report, struct bench_advice advice[BENCH_ADVICE_MAX])
{
	double ram_gb = machine_nominal_gb(machine_memory_bytes(&report->machine));
	size_t count = bench_matrix_advice(report->rows, report->row_count, ram_gb, advice);
	advise_time(report, advice, &count);
	advise_memory(report, advice, &count);
	if (report->leak_known && report->leak.verdict == WAN_LEAK_FOUND)
		add(advice, &count, "leak",
		    "Memory grows with each repeat: find where with wanprof leak -- COMMAND.");
	advise_stress(report, advice, &count);
	return count;
}
