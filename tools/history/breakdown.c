/* SPDX-License-Identifier: MIT */
/* Where the time of one run went, and what does not add up in it. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "history_job.h"
#include "macros.h"

#define EXCESS_SHARE 0.01 /* clocks and rounding of who noted the phases */
#define SHARE_POINTS 2.0

static size_t top_bytes(const char *name)
{
	return strcspn(name, "/");
}

static size_t find(const struct history_breakdown *of, const char *name, size_t bytes)
{
	size_t i = 0;
	while (i < of->count &&
	       (of->phases[i].name_bytes != bytes || memcmp(of->phases[i].name, name, bytes) != 0))
		i++;
	return i;
}

static void add(struct history_breakdown *to, const struct history_phase *phase)
{
	size_t bytes = top_bytes(phase->name), at = find(to, phase->name, bytes);
	bool part = phase->name[bytes] == '/';
	if (at == to->count) {
		to->phases[to->count].name = phase->name;
		to->phases[to->count].name_bytes = bytes;
		to->phases[to->count].seconds = NAN;
		to->phases[to->count].parts_s = NAN;
		to->phases[to->count++].told_share = NAN;
	}
	if (!part) {
		if (!isnan(phase->seconds))
			to->phases[at].seconds = phase->seconds;
		if (!isnan(phase->share))
			to->phases[at].told_share = phase->share;
	} else if (!isnan(phase->seconds) && !strchr(phase->name + bytes + 1, '/')) {
		double parts = to->phases[at].parts_s;
		to->phases[at].parts_s = (isnan(parts) ? 0 : parts) + phase->seconds;
	}
}

static void judge_phase(struct history_breakdown *to, size_t i, double total_s)
{
	double parts = to->phases[i].parts_s;
	if (isnan(to->phases[i].seconds))
		to->phases[i].seconds = parts;
	else if (parts > to->phases[i].seconds * (1 + EXCESS_SHARE))
		to->flags |= HISTORY_PARTS_EXCEED_PHASE;
	to->phases[i].share = 100 * to->phases[i].seconds / total_s;
	if (!isnan(to->phases[i].told_share)) {
		to->told_sum = (isnan(to->told_sum) ? 0 : to->told_sum) + to->phases[i].told_share;
		if (fabs(to->phases[i].told_share - to->phases[i].share) > SHARE_POINTS)
			to->flags |= HISTORY_SHARES_WRONG;
	}
	if (!isnan(to->phases[i].seconds))
		to->sum_s = (isnan(to->sum_s) ? 0 : to->sum_s) + to->phases[i].seconds;
}

void history_break_down(const struct history_run *run, struct history_breakdown *ret)
{
	*ret = (struct history_breakdown){.sum_s = NAN, .told_sum = NAN};
	for (size_t i = 0; i < run->phase_count; i++)
		add(ret, &run->phases[i]);
	for (size_t i = 0; i < ret->count; i++)
		judge_phase(ret, i, run->total_s);
	ret->unattributed_s = run->total_s - ret->sum_s;
	if (ret->unattributed_s < -run->total_s * EXCESS_SHARE)
		ret->flags |= HISTORY_SUM_EXCEEDS_TOTAL;
	if (fabs(ret->told_sum - 100) > SHARE_POINTS)
		ret->flags |= HISTORY_SHARES_NOT_100;
	if (run->span_s > run->total_s * (1 + EXCESS_SHARE))
		ret->flags |= HISTORY_STAMPS_BEYOND;
}

/* "load", "model_loading"; not "upload", "unload", "download". */
static bool loads(const char *name, size_t bytes)
{
	char text[64];
	size_t kept = WAN_MIN(bytes, sizeof(text) - 1);
	memcpy(text, name, kept);
	text[kept] = '\0';
	return strcasestr(text, "load") && !strcasestr(text, "upload") &&
	       !strcasestr(text, "unload") && !strcasestr(text, "download");
}

bool history_phase_loads(const char *name)
{
	size_t bytes = top_bytes(name);
	if (loads(name, bytes))
		return name[bytes] == '\0'; /* its parts are in it */
	const char *last = strrchr(name, '/');
	return last && loads(last + 1, strlen(last + 1));
}

double history_load_s(const struct history_run *run)
{
	struct history_breakdown all;
	double sum = NAN;
	history_break_down(run, &all);
	for (size_t i = 0; i < all.count; i++)
		if (loads(all.phases[i].name, all.phases[i].name_bytes) &&
		    !isnan(all.phases[i].seconds))
			sum = (isnan(sum) ? 0 : sum) + all.phases[i].seconds;
	for (size_t i = 0; i < run->phase_count; i++) {
		const struct history_phase *phase = &run->phases[i];
		if (strchr(phase->name, '/') && history_phase_loads(phase->name) &&
		    !isnan(phase->seconds))
			sum = (isnan(sum) ? 0 : sum) + phase->seconds;
	}
	return sum;
}

static const struct history_phase *stepping(const struct history_run *run)
{
	static const char *const names[] = {"making", "sampling", "denoising", "inference",
					    "generation"};
	const struct history_phase *found = NULL;
	for (size_t i = 0; i < run->phase_count; i++) {
		const struct history_phase *phase = &run->phases[i];
		if (phase->steps && (!found || phase->seconds > found->seconds))
			found = phase;
	}
	for (size_t n = 0; n < WAN_COUNT_OF(names) && !found; n++)
		for (size_t i = 0; i < run->phase_count && !found; i++) {
			const char *last = strrchr(run->phases[i].name, '/');
			last = last ? last + 1 : run->phases[i].name;
			if (strcmp(last, names[n]) == 0 && !isnan(run->phases[i].seconds))
				found = &run->phases[i];
		}
	return found;
}

double history_generation_s(const struct history_run *run)
{
	const struct history_phase *phase = stepping(run);
	return phase ? phase->seconds : NAN;
}

double history_step_s(const struct history_run *run)
{
	const struct history_phase *phase = stepping(run);
	if (!isnan(run->s_per_step))
		return run->s_per_step;
	return phase && phase->steps ? phase->seconds / (double)phase->steps : NAN;
}

double history_fixed_s(const struct history_run *run)
{
	if (isnan(run->s_per_step) || !run->steps)
		return NAN;
	return history_generation_s(run) - (double)run->steps * run->s_per_step;
}
