/* SPDX-License-Identifier: MIT */
/* What changed since the baseline: medians with their intervals, and whether they may be compared.
 */
#include <math.h>

#include "chart.h"
#include "compare.h"
#include "macros.h"
#include "str.h"

#define KINDS_TOLD      20
#define PHASES_SEARCHED 500 /* JSON may name a million */

static double relative(double now, double was)
{
	return was > 0 ? now / was : NAN;
}

static void machine(struct html_page *page, const struct run_machine *machine)
{
	html_print(page, "%s, %i processors, %g GB, tier %s",
		   machine->cpu_model ? machine->cpu_model : "an unknown processor",
		   (int)machine->cpus, machine->memory_mb / 1024,
		   machine->tier ? machine->tier : "not known");
}

/* Another machine, another tier, an unclean start: then no difference means anything by itself. */
static void warnings(struct html_page *page, const struct comparison *comparison)
{
	const struct run_facts *now = page->options->now, *was = page->options->baseline;
	if (!comparison->comparable) {
		html_print(page,
			   "<div class=\"alarm\" role=\"note\"><p><strong>Not comparable:</strong> "
			   "%s. Whatever differs below is inconclusive.</p><p>Baseline: ",
			   comparison->reason);
		machine(page, &was->machine);
		html_print(page, "<br/>This run: ");
		machine(page, &now->machine);
		html_print(page, "</p></div>\n");
	}
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
		html_print(page, "%r%g %%</td>", ratio > 1 ? "+" : "", 100 * (ratio - 1));
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
	figure_row(page, "mean resident memory", was->rss_average_mb, now->rss_average_mb,
		   PLAIN_MB);
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

static const char *const time_words[] = {
	[COMPARE_SAME] = "<span class=\"same\">no difference</span>",
	[COMPARE_SLOWER] = "<span class=\"worse\">slower</span>",
	[COMPARE_FASTER] = "<span class=\"better\">faster</span>",
	[COMPARE_INCONCLUSIVE] = "inconclusive",
	[COMPARE_TOO_FEW] = "too few to say",
};
static const char *const memory_words[] = {
	[COMPARE_SAME] = "<span class=\"same\">no difference</span>",
	[COMPARE_SLOWER] = "<span class=\"worse\">grown</span>",
	[COMPARE_FASTER] = "<span class=\"better\">less</span>",
	[COMPARE_INCONCLUSIVE] = "inconclusive",
	[COMPARE_TOO_FEW] = "too few to say",
};

static void verdict(struct html_page *page, enum compare_verdict verdict, bool comparable,
		    const char *const *words)
{
	html_print(page, "<td data-l=\"Verdict\">%r</td></tr>\n",
		   comparable || verdict == COMPARE_TOO_FEW ? words[verdict] : "inconclusive");
}

static void interval(struct html_page *page, const struct stat_interval *ratio)
{
	bool known = isfinite(ratio->estimate) && isfinite(ratio->high) && ratio->low > 0;
	html_cell_begin(page, "Interval", true, known ? ratio->low : NAN);
	if (known)
		html_print(page, "%r%g to %r%g %%</td>", ratio->low >= 1 ? "+" : "",
			   100 * (ratio->low - 1), ratio->high >= 1 ? "+" : "",
			   100 * (ratio->high - 1));
	else
		html_print(page, "\xe2\x80\x93</td>");
}

static void kind_row(struct html_page *page, const struct compare_row *row, bool comparable)
{
	double ratio = row->ratio.estimate;
	html_print(page, "<tr><th scope=\"row\">%s</th>", row->name ? row->name : "all together");
	value(page, "Baseline", row->base_ms, PLAIN_MS);
	value(page, "This run", row->now_ms, PLAIN_MS);
	change(page, isfinite(ratio) ? ratio : relative(row->now_ms, row->base_ms));
	interval(page, &row->ratio);
	verdict(page, row->verdict, comparable, time_words);
}

/* As `wanprof gate` prints it: of runs the resident peak, of a kind the largest of its operations.
 */
static void memory_row(struct html_page *page, const struct compare_row *row, bool comparable)
{
	html_print(page, "<tr><th scope=\"row\">%s</th>", row->name ? row->name : "the whole run");
	value(page, "Baseline", row->base_mb, PLAIN_MB);
	value(page, "This run", row->now_mb, PLAIN_MB);
	change(page, relative(row->now_mb, row->base_mb));
	interval(page, &row->mb_ratio);
	verdict(page, row->mb_verdict, comparable, memory_words);
}

static void memory(struct html_page *page, const struct comparison *comparison)
{
	size_t shown = 0;
	for (size_t i = 0; i < comparison->count && shown < KINDS_TOLD; i++) {
		if (!(comparison->rows[i].base_mb > 0))
			continue;
		if (!shown++)
			html_table_begin(page, "Peak memory of operations alike",
					 "Operation|Baseline #|This run #|Change #|Interval #|"
					 "Verdict");
		memory_row(page, &comparison->rows[i], comparison->comparable);
	}
	if (!shown)
		return;
	html_table_end(page);
	html_print(page,
		   "<p class=\"note\">Growth below %g %% does not count. Of one pair of runs an "
		   "operation has grown when it needs %g %% more; of the whole run only several "
		   "pairs can tell.</p>\n",
		   COMPARE_MEMORY_PERCENT, 2 * COMPARE_MEMORY_PERCENT);
}

static void kinds(struct html_page *page, const struct comparison *comparison)
{
	size_t shown = WAN_MIN(comparison->count, (size_t)KINDS_TOLD);
	if (shown)
		html_table_begin(
			page, "Times of operations, paired by name and size",
			"Operation|Baseline #|This run #|Paired change #|Interval #|Verdict");
	for (size_t i = 0; i < shown; i++)
		kind_row(page, &comparison->rows[i], comparison->comparable);
	if (shown)
		html_table_end(page);
	if (comparison->count > shown)
		html_print(page,
			   "<p class=\"note\">%z more kinds, of less time: <code>wanprof gate"
			   "</code> tells them.</p>\n",
			   comparison->count - shown);
	if (comparison->unmatched)
		html_print(page,
			   "<p class=\"note\">%z kinds of operations of weight came in one of "
			   "the runs only.</p>\n",
			   comparison->unmatched);
	if (shown)
		html_print(page,
			   "<p class=\"note\">As <code>wanprof gate</code> judges: intervals "
			   "of %g %%, and what a machine alone does between two runs is no "
			   "verdict. Several runs of each side decide sooner.</p>\n",
			   100 * COMPARE_CONFIDENCE);
}

static const struct run_phase *phase_of(const struct run_facts *facts, const char *name)
{
	for (size_t i = 0; i < WAN_MIN(facts->phase_count, (size_t)PHASES_SEARCHED); i++)
		if (wan_str_equal(facts->phases[i].name, name))
			return &facts->phases[i];
	return NULL;
}

static void phase_row(struct html_page *page, const char *name, bool first)
{
	const struct run_phase *now = phase_of(page->options->now, name);
	const struct run_phase *was = phase_of(page->options->baseline, name);
	if (first)
		html_table_begin(page, "Phases", "Phase|Baseline #|This run #|Change #");
	html_print(page, "<tr><th scope=\"row\">%s</th>", name);
	value(page, "Baseline", was ? was->duration_ms : NAN, PLAIN_MS);
	value(page, "This run", now ? now->duration_ms : NAN, PLAIN_MS);
	change(page, now && was ? relative(now->duration_ms, was->duration_ms) : NAN);
	html_print(page, "</tr>\n");
}

/* Also those that came in one of the runs only: they are a change. */
static void phases(struct html_page *page)
{
	const struct run_facts *now = page->options->now, *was = page->options->baseline;
	size_t shown = 0;
	for (size_t i = 0; i < now->phase_count && shown < KINDS_TOLD; i++)
		phase_row(page, now->phases[i].name, !shown++);
	for (size_t i = 0;
	     i < WAN_MIN(was->phase_count, (size_t)PHASES_SEARCHED) && shown < KINDS_TOLD; i++)
		if (!phase_of(now, was->phases[i].name))
			phase_row(page, was->phases[i].name, !shown++);
	if (shown)
		html_table_end(page);
}

void html_write_comparison(struct html_page *page)
{
	const struct run_facts *was = page->options->baseline;
	struct comparison comparison;
	if (!page->options->now || !was)
		return;
	int rc = compare_runs(&comparison, was, 1, page->options->now, 1, 0);
	if (rc) {
		wan_sink_fail(&page->sink, rc);
		return;
	}
	html_section_begin(page, "comparison", "Against the baseline");
	html_print(page, "<p>Baseline: <code>%s</code>%r</p>\n", was->path ? was->path : "",
		   page->options->baseline_analysis
			   ? ". In the pictures above it is grey, hollow or dashed."
			   : "; it is JSON, so only its figures are in the pictures above.");
	warnings(page, &comparison);
	figures(page);
	phases(page);
	kinds(page, &comparison);
	memory(page, &comparison);
	html_section_end(page);
	compare_finish(&comparison);
}
