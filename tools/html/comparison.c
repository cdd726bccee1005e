/* SPDX-License-Identifier: MIT */
/* What changed since the baseline: medians with their intervals, and whether they may be compared.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "chart.h"
#include "macros.h"
#include "statistics.h"
#include "str.h"

#define CONFIDENCE  0.95
#define KINDS_TOLD  40
#define SAMPLE_MOST 400 /* of each kind: the interval takes pairs of them */

static bool differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

static double relative(double now, double was)
{
	return was > 0 ? now / was : NAN;
}

/* Another machine, another tier, an unclean start: then no difference means anything by itself. */
static void warnings(struct html_page *page)
{
	const struct run_facts *now = page->options->now, *was = page->options->baseline;
	const struct run_machine *a = &now->machine, *b = &was->machine;
	bool memory = isfinite(a->memory_mb) && isfinite(b->memory_mb) &&
		      fabs(a->memory_mb - b->memory_mb) > 0.02 * b->memory_mb;
	bool machine = differ(a->cpu_model, b->cpu_model) || differ(a->gpu_model, b->gpu_model) ||
		       (a->cpus && b->cpus && a->cpus != b->cpus) || memory;
	if (machine || differ(a->tier, b->tier))
		html_print(page,
			   "<p class=\"alarm\" role=\"note\"><strong>Another machine:</strong> the "
			   "baseline is of %s, %i processors, %g GB, tier %s; this run of %s, %i "
			   "processors, %g GB, tier %s. Differences are inconclusive.</p>\n",
			   b->cpu_model ? b->cpu_model : "an unknown processor", (int)b->cpus,
			   b->memory_mb / 1024, b->tier ? b->tier : "not known",
			   a->cpu_model ? a->cpu_model : "an unknown processor", (int)a->cpus,
			   a->memory_mb / 1024, a->tier ? a->tier : "not known");
	if (now->before.unclean)
		html_print(page, "<p class=\"note\">Before this run: %s.</p>\n",
			   now->before.unclean);
	if (was->before.unclean)
		html_print(page, "<p class=\"note\">Before the baseline: %s.</p>\n",
			   was->before.unclean);
	if (!run_facts_succeeded(was))
		html_print(page, "<p class=\"note\">The baseline did not end with 0.</p>\n");
	if (was->damaged)
		html_print(page, "<p class=\"note\">The baseline is damaged: what could be read is "
				 "compared.</p>\n");
}

enum { PLAIN_MS, PLAIN_MB, PLAIN_COUNT, PLAIN_PERCENT };

static void value(struct html_page *page, const char *label, double value, int unit)
{
	html_cell_begin(page, label, true, value);
	if (!isfinite(value))
		html_print(page, "\xe2\x80\x93</td>");
	else if (unit == PLAIN_MS)
		html_print(page, "%D</td>", (uint64_t)fmin(fmax(value, 0) * 1e6, 1e18));
	else if (unit == PLAIN_MB)
		html_print(page, "%B</td>", (uint64_t)fmin(fmax(value, 0) * (double)WAN_MIB, 1e18));
	else
		html_print(page, "%g%r</td>", value, unit == PLAIN_PERCENT ? " %" : "");
}

static void change(struct html_page *page, double ratio)
{
	html_cell_begin(page, "Change", true, ratio);
	if (isfinite(ratio))
		html_print(page, "%r%g %%</td>", ratio >= 1 ? "+" : "", 100 * (ratio - 1));
	else
		html_print(page, "\xe2\x80\x93</td>");
}

static void figure_row(struct html_page *page, const char *name, double was, double now, int unit)
{
	if (!isfinite(was) && !isfinite(now))
		return;
	html_print(page, "<tr><th scope=\"row\">%r</th>", name);
	value(page, "Baseline", was, unit);
	value(page, "This run", now, unit);
	change(page, relative(now, was));
	html_print(page, "</tr>\n");
}

static void figures(struct html_page *page)
{
	const struct run_facts *now = page->options->now, *was = page->options->baseline;
	html_table_begin(page, "The runs", "Figure|Baseline #|This run #|Change #");
	figure_row(page, "duration", was->duration_ms, now->duration_ms, PLAIN_MS);
	figure_row(page, "largest resident memory", was->rss_peak_mb, now->rss_peak_mb, PLAIN_MB);
	figure_row(page, "largest GPU memory", was->gpu_peak_mb, now->gpu_peak_mb, PLAIN_MB);
	figure_row(page, "processor", was->cpu_average_percent, now->cpu_average_percent,
		   PLAIN_PERCENT);
	figure_row(page, "cache hit rate", 100 * was->cache_hit_rate, 100 * now->cache_hit_rate,
		   PLAIN_PERCENT);
	figure_row(page, "operations", (double)was->total_operations, (double)now->total_operations,
		   PLAIN_COUNT);
	figure_row(page, "failed operations", (double)was->failed_operations,
		   (double)now->failed_operations, PLAIN_COUNT);
	html_table_end(page);
}

static const struct run_kind *same(const struct run_facts *facts, const struct run_kind *kind)
{
	for (size_t i = 0; i < facts->kind_count; i++)
		if (wan_str_equal(facts->kinds[i].name, kind->name) &&
		    wan_str_equal(facts->kinds[i].library, kind->library))
			return &facts->kinds[i];
	return NULL;
}

/* Times of a kind, evenly taken where there are many. Returns how many. */
static size_t sample(const struct run_facts *facts, const struct run_kind *kind, double *to)
{
	size_t there = 0, count = 0, seen = 0;
	for (size_t i = 0; i < facts->operation_count; i++)
		there += wan_str_equal(facts->operations[i].name, kind->name) &&
			 wan_str_equal(facts->operations[i].library, kind->library);
	size_t each = there / SAMPLE_MOST + 1;
	for (size_t i = 0; i < facts->operation_count && count < SAMPLE_MOST; i++) {
		const struct run_operation *one = &facts->operations[i];
		if (!wan_str_equal(one->name, kind->name) ||
		    !wan_str_equal(one->library, kind->library))
			continue;
		if (seen++ % each == 0 && one->time_ms > 0)
			to[count++] = one->time_ms;
	}
	return count;
}

static void kind_row(struct html_page *page, const struct run_kind *kind,
		     const struct run_kind *old)
{
	double now[SAMPLE_MOST], was[SAMPLE_MOST];
	size_t now_count = sample(page->options->now, kind, now);
	size_t was_count = sample(page->options->baseline, old, was);
	struct stat_interval ratio = stat_shift(was, was_count, now, now_count, true, CONFIDENCE);
	bool known = isfinite(ratio.estimate) && isfinite(ratio.high) && ratio.low > 0;
	html_print(page, "<tr><th scope=\"row\">%s</th>", kind->name);
	value(page, "Baseline", isfinite(old->median_ms) ? old->median_ms : old->mean_ms, PLAIN_MS);
	value(page, "This run", isfinite(kind->median_ms) ? kind->median_ms : kind->mean_ms,
	      PLAIN_MS);
	change(page,
	       isfinite(ratio.estimate) ? ratio.estimate : relative(kind->mean_ms, old->mean_ms));
	html_cell_begin(page, "95 % interval", true, known ? ratio.low : NAN);
	if (known)
		html_print(page, "%r%g to %r%g %%</td>", ratio.low >= 1 ? "+" : "",
			   100 * (ratio.low - 1), ratio.high >= 1 ? "+" : "",
			   100 * (ratio.high - 1));
	else
		html_print(page, "\xe2\x80\x93</td>");
	html_print(page, "<td data-l=\"Verdict\"><span class=\"%r\">%r</span></td></tr>\n",
		   !known           ? "same"
		   : ratio.low > 1  ? "worse"
		   : ratio.high < 1 ? "better"
				    : "same",
		   !known           ? "too few to say"
		   : ratio.low > 1  ? "slower"
		   : ratio.high < 1 ? "faster"
				    : "no difference");
}

static void kinds(struct html_page *page)
{
	const struct run_facts *now = page->options->now, *was = page->options->baseline;
	size_t shown = 0, fresh = 0, gone = 0;
	for (size_t i = 0; i < now->kind_count; i++) {
		const struct run_kind *old = same(was, &now->kinds[i]);
		fresh += !old;
		if (!old || shown == KINDS_TOLD)
			continue;
		if (!shown++)
			html_table_begin(page, "Median times of operations",
					 "Operation|Baseline #|This run #|Change #|95 % interval #|"
					 "Verdict");
		kind_row(page, &now->kinds[i], old);
	}
	if (shown)
		html_table_end(page);
	for (size_t i = 0; i < was->kind_count; i++)
		gone += !same(now, &was->kinds[i]);
	if (fresh || gone)
		html_print(page,
			   "<p class=\"note\">%z kinds of operations are new, %z of the baseline "
			   "did not come.</p>\n",
			   fresh, gone);
	if (shown)
		html_print(page,
			   "<p class=\"note\">Intervals are of the rank-sum test on single "
			   "operations, at most %i of a kind. Operations of one run are not "
			   "independent of each other: <code>wanprof gate</code> over several runs "
			   "gives a verdict.</p>\n",
			   SAMPLE_MOST);
}

static void phases(struct html_page *page)
{
	const struct run_facts *now = page->options->now, *was = page->options->baseline;
	size_t shown = 0;
	for (size_t i = 0; i < now->phase_count && shown < KINDS_TOLD; i++)
		for (size_t j = 0; j < was->phase_count; j++) {
			const struct run_phase *a = &now->phases[i], *b = &was->phases[j];
			if (!wan_str_equal(a->name, b->name))
				continue;
			if (!shown++)
				html_table_begin(page, "Phases",
						 "Phase|Baseline #|This run #|Change #");
			html_print(page, "<tr><th scope=\"row\">%s</th>", a->name);
			value(page, "Baseline", b->duration_ms, PLAIN_MS);
			value(page, "This run", a->duration_ms, PLAIN_MS);
			change(page, relative(a->duration_ms, b->duration_ms));
			html_print(page, "</tr>\n");
			break;
		}
	if (shown)
		html_table_end(page);
}

void html_write_comparison(struct html_page *page)
{
	const struct run_facts *was = page->options->baseline;
	if (!page->options->now || !was)
		return;
	html_section_begin(page, "comparison", "Against the baseline");
	html_print(page, "<p>Baseline: <code>%s</code>%r</p>\n", was->path ? was->path : "",
		   page->options->baseline_analysis
			   ? ". In the pictures above it is grey, hollow or dashed."
			   : "; it is JSON, so only its figures are in the pictures above.");
	warnings(page);
	figures(page);
	phases(page);
	kinds(page);
	html_section_end(page);
}
