/* SPDX-License-Identifier: MIT */
/* Cold or warm, by what was measured: a label that says "cached" is not asked. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "history_job.h"

#define TWOFOLD       2.0
#define LOAD_WORTH_S  0.5
#define READ_WORTH_MB 64.0
#define SPLIT_MOST    4096u

static int rising(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

/* The shortest that is cold; NAN: they are alike. Unknown ones are passed over. */
static double first_cold(const double *values, size_t count, double worth)
{
	double widest = TWOFOLD, found = NAN;
	size_t known = 0;
	double *sorted = wan_malloc((count + 1) * sizeof(*sorted));
	if (!sorted)
		return NAN;
	for (size_t i = 0; i < count; i++)
		if (!isnan(values[i]))
			sorted[known++] = values[i];
	qsort(sorted, known, sizeof(*sorted), rising);
	for (size_t i = 1; i < known && sorted[known - 1] >= worth; i++) {
		double low = fmax(sorted[i - 1], worth / 1000);
		if (sorted[i] / low >= widest) {
			widest = sorted[i] / low;
			found = sorted[i];
		}
	}
	wan_free(sorted);
	return found;
}

static bool split(const double *values, size_t count, double worth, int *ret_cold)
{
	double cold = first_cold(values, count, worth);
	for (size_t i = 0; i < count; i++)
		ret_cold[i] = isnan(cold) || isnan(values[i]) ? -1 : values[i] >= cold;
	return !isnan(cold);
}

bool history_split_cold(const double *load_s, size_t count, int *ret_cold)
{
	return split(load_s, count, LOAD_WORTH_S, ret_cold);
}

static double seconds_of(const struct history_run *run, const char *name)
{
	double sum = NAN;
	size_t bytes = strlen(name);
	for (size_t i = 0; i < run->phase_count; i++)
		if (strcmp(run->phases[i].name, name) == 0 && !isnan(run->phases[i].seconds))
			return run->phases[i].seconds;
	/* told by its parts only */
	for (size_t i = 0; i < run->phase_count; i++)
		if (strncmp(run->phases[i].name, name, bytes) == 0 &&
		    run->phases[i].name[bytes] == '/' && !isnan(run->phases[i].seconds))
			sum = (isnan(sum) ? 0 : sum) + run->phases[i].seconds;
	return sum;
}

/* A cold part makes the run cold, whatever was warm beside it. */
static void merge(int *to, const int *more, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = more[i] > to[i] ? more[i] : to[i];
}

/* The loading phase that a phase is, or is a part of: "load" of "load/t5". */
static bool loading_name(const char *name, char *to, size_t bytes)
{
	size_t top = strcspn(name, "/");
	if (history_phase_loads(name)) {
		snprintf(to, bytes, "%s", name);
		return true;
	}
	snprintf(to, bytes, "%.*s", (int)top, name);
	return name[top] && history_phase_loads(to);
}

static bool seen_before(const struct history_run *const *runs, size_t run, size_t phase,
			const char *name)
{
	char other[128];
	for (size_t i = 0; i <= run; i++)
		for (size_t j = 0; j < runs[i]->phase_count && (i < run || j < phase); j++)
			if (loading_name(runs[i]->phases[j].name, other, sizeof(other)) &&
			    strcmp(other, name) == 0)
				return true;
	return false;
}

void history_tell_cold(const struct history_run *const *runs, size_t count, int *ret_cold)
{
	char name[128];
	bool loads = false;
	/* Thousands of runs of a job: the earliest ones say nothing about today's. */
	size_t skip = count > SPLIT_MOST ? count - SPLIT_MOST : 0;
	for (size_t i = 0; i < count; i++)
		ret_cold[i] = -1;
	runs += skip;
	ret_cold += skip;
	count -= skip;
	double *values = wan_malloc((count + 1) * sizeof(*values));
	int *cold = wan_malloc((count + 1) * sizeof(*cold));
	for (size_t i = 0; values && cold && i < count; i++)
		for (size_t j = 0; j < runs[i]->phase_count; j++) {
			if (!loading_name(runs[i]->phases[j].name, name, sizeof(name)))
				continue;
			loads = true;
			/* The phases of a job are alike: those of the first runs are all. */
			if (i >= 16 || seen_before(runs, i, j, name))
				continue;
			for (size_t k = 0; k < count; k++)
				values[k] = seconds_of(runs[k], name);
			if (split(values, count, LOAD_WORTH_S, cold))
				merge(ret_cold, cold, count);
		}
	for (size_t k = 0; values && cold && !loads && k < count; k++)
		values[k] = runs[k]->read_mb;
	if (values && cold && !loads && split(values, count, READ_WORTH_MB, cold))
		merge(ret_cold, cold, count);
	wan_free(values);
	wan_free(cold);
}
