/* SPDX-License-Identifier: MIT */
/* The verdict for people: the reasons first, one line a target, one a kind compared. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gate_verdict.h"
#include "macros.h"
#include "str.h"

enum { SHOWN_BYTES = 160, SHOWN_RESULTS = 12 };

static const char *shown(char *to, const char *text)
{
	wan_str_printable(to, SHOWN_BYTES, text ? text : "");
	return to;
}

static void texts(FILE *to, const char *title, const struct gate_texts *texts)
{
	char text[2 * GATE_TEXT_BYTES];
	for (size_t i = 0; i < texts->count; i++) {
		wan_str_printable(text, sizeof(text), texts->items[i]);
		fprintf(to, "%s %s\n", title, text);
	}
}

static void figure(FILE *to, double value, const char *unit)
{
	if (isnan(value))
		fprintf(to, "%12s", "-");
	else
		fprintf(to, "%9.4g %-2s", value, unit);
}

static void rows(const struct gate_report *report, FILE *to)
{
	static const char *const names[] = {"met", "MISSED", "missed", "unknown"};
	char name[SHOWN_BYTES], line[TARGET_LINE_BYTES];
	if (!report->row_count)
		return;
	fprintf(to, "\n%-48s %8s %8s %8s %12s\n", "target", "met", "missed", "unknown", "worst");
	for (size_t i = 0; i < report->row_count; i++) {
		const struct gate_row *row = &report->rows[i];
		fprintf(to, "%-48s %8llu %8llu %8llu ", shown(name, target_line(row->target, line)),
			(unsigned long long)row->met, (unsigned long long)(row->above + row->below),
			(unsigned long long)row->unknown);
		figure(to, row->worst, target_metric_unit(row->target->metric));
		fprintf(to, "  %s\n", names[row->verdict]);
	}
}

static void results(const struct gate_report *report, FILE *to)
{
	char name[SHOWN_BYTES];
	if (!report->operation_count)
		return;
	fprintf(to, "\n%-32s %8s %8s %8s %11s %11s\n", "operation", "tests", "ok", "comply",
		"mean ms", "max ms");
	for (size_t i = 0; i < WAN_MIN(report->operation_count, (size_t)SHOWN_RESULTS); i++) {
		const struct gate_result *result = &report->operations[i];
		fprintf(to, "%-32s %8llu %8llu %8llu %11.3f %11.3f\n", shown(name, result->name),
			(unsigned long long)result->tests, (unsigned long long)result->ok,
			(unsigned long long)result->complied,
			result->total_ms / (double)result->tests, result->max_ms);
	}
	if (report->operation_count > SHOWN_RESULTS)
		fprintf(to, "%zu more names: --json has all\n",
			report->operation_count - SHOWN_RESULTS);
}

static void interval(FILE *to, const struct stat_interval *ratio)
{
	fprintf(to, "%+8.1f %%", 100 * (ratio->estimate - 1));
	if (ratio->high < INFINITY)
		fprintf(to, "  %+7.1f to %+6.1f %%", 100 * (ratio->low - 1),
			100 * (ratio->high - 1));
	else
		fprintf(to, "  %20s", "no interval");
}

static void comparison(const struct comparison *compared, FILE *to)
{
	char name[SHOWN_BYTES];
	fprintf(to, "\nagainst the baseline: %zu %s of each side%s\n",
		WAN_MIN(compared->base_runs, compared->now_runs),
		compared->base_runs == 1 || compared->now_runs == 1 ? "run" : "runs",
		!compared->by_runs      ? ", operations paired"
		: compared->interleaved ? ", paired, interleaved"
					: ", paired, not interleaved");
	if (compared->base_runs != compared->now_runs)
		fprintf(to, "(%zu baseline runs, %zu now: the rest has no partner)\n",
			compared->base_runs, compared->now_runs);
	fprintf(to, "%-32s %10s %10s %10s  %-20s %6s\n", "operation", "base ms", "now ms", "change",
		"99 % interval", "pairs");
	for (size_t i = 0; i < compared->count; i++) {
		const struct compare_row *row = &compared->rows[i];
		fprintf(to, "%-32s %10.3f %10.3f ", row->name ? shown(name, row->name) : "total",
			row->base_ms, row->now_ms);
		interval(to, &row->ratio);
		fprintf(to, " %6zu  %s\n", row->pairs, compare_verdict_name(row->verdict));
		if (row->base_mb > 0)
			fprintf(to, "%-32s %10.3f %10.3f %+8.1f %%%s\n", "  peak memory, MB",
				row->base_mb, row->now_mb, 100 * (row->now_mb / row->base_mb - 1),
				row->mb_verdict == COMPARE_SLOWER ? "  grown" : "");
	}
	if (compared->unmatched)
		fprintf(to, "%zu kinds have no operation of the same size on the other side\n",
			compared->unmatched);
}

void gate_report_text(const struct gate_report *report, FILE *to)
{
	fprintf(to, "gate: %s (exit %d)", gate_exit_name(report->verdict), report->verdict);
	if (report->total_tests)
		fprintf(to, "   %llu tests, %.1f %% success, %.1f %% compliance",
			(unsigned long long)report->total_tests, report->success_rate,
			report->compliance_rate);
	fputc('\n', to);
	texts(to, " !", &report->reasons);
	texts(to, " ->", &report->recommendations);
	rows(report, to);
	results(report, to);
	if (report->input->comparison)
		comparison(report->input->comparison, to);
}
