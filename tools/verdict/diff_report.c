/* SPDX-License-Identifier: MIT */
/* The difference for people and for machines. */
#include <math.h>
#include <string.h>

#include "diff.h"
#include "macros.h"
#include "str.h"

enum { SHOWN_BYTES = 160, SHOWN_ROWS = 20 };

static const char *shown(char *to, const char *text)
{
	wan_str_printable(to, SHOWN_BYTES, text ? text : "");
	return to;
}

static void value(FILE *to, double number, const char *unit)
{
	if (isnan(number))
		fprintf(to, " %13s", "-");
	else if (!unit[0])
		fprintf(to, " %13.0f", number);
	else
		fprintf(to, " %10.3f %-2s", number, unit);
}

static void row_text(const struct diff_row *row, FILE *to)
{
	char name[SHOWN_BYTES], library[SHOWN_BYTES], both[2 * SHOWN_BYTES];
	wan_str_format(both, sizeof(both), "%s%s%s", shown(name, row->name),
		       row->library ? " " : "", shown(library, row->library));
	fprintf(to, "%-32s", both);
	value(to, row->base, row->unit);
	value(to, row->now, row->unit);
	if (isnan(row->base) || isnan(row->now)) {
		fprintf(to, "   %s\n", isnan(row->base) ? "new" : "gone");
		return;
	}
	if (row->judgement == DIFF_UNKNOWN) {
		double change = 100 * (row->now / row->base - 1);
		if (row->now >= row->base && row->now <= row->base)
			fprintf(to, "   same\n");
		else if (isfinite(change))
			fprintf(to, " %+8.1f %%\n", change);
		else
			fprintf(to, "\n");
		return;
	}
	fprintf(to, " %+8.1f %%  %+.1f to %+.1f %%%s\n", 100 * (row->ratio.estimate - 1),
		100 * (row->ratio.low - 1), 100 * (row->ratio.high - 1),
		row->judgement == DIFF_WITHIN_NOISE ? "  within noise" : "");
}

static void rows_text(const char *title, const struct diff_rows *rows, FILE *to)
{
	if (!rows->count)
		return;
	fprintf(to, "\n%-32s %13s %13s %10s  95 %% interval\n", title, "base", "now", "change");
	for (size_t i = 0; i < WAN_MIN(rows->count, (size_t)SHOWN_ROWS); i++)
		row_text(&rows->items[i], to);
	if (rows->count > SHOWN_ROWS)
		fprintf(to, "%zu more: --json has all\n", rows->count - SHOWN_ROWS);
}

static void side(const char *title, const struct run_facts *runs, size_t count, FILE *to)
{
	char path[SHOWN_BYTES], job[SHOWN_BYTES];
	fprintf(to, "%-5s %s", title, shown(path, runs[0].path));
	if (count > 1)
		fprintf(to, " and %zu more", count - 1);
	fprintf(to, "   %s   %s\n", shown(job, runs[0].job),
		runs[0].state ? runs[0].state : "unknown");
}

static void findings_text(const char *sign, const struct run_finding *const *findings, size_t count,
			  FILE *to)
{
	char title[SHOWN_BYTES], operation[SHOWN_BYTES], unit[SHOWN_BYTES];
	for (size_t i = 0; i < count; i++)
		fprintf(to, " %s %s %s: %.4g %s\n", sign, shown(title, findings[i]->title),
			shown(operation, findings[i]->operation), findings[i]->value,
			shown(unit, findings[i]->unit));
}

void diff_text(const struct diff *diff, FILE *to)
{
	side("base", diff->base, diff->base_count, to);
	side("now", diff->now, diff->now_count, to);
	if (!diff->comparable)
		fprintf(to, " ! %s: differences may be those of the machine\n", diff->reason);
	if (diff->base_count < 4 || diff->now_count < 4)
		fprintf(to, "few runs: what is noise is not known; four of each side tell\n");
	rows_text("total", &diff->totals, to);
	rows_text("phase", &diff->phases, to);
	rows_text("operation, median time", &diff->kinds, to);
	rows_text("memory", &diff->memory, to);
	if (diff->gone_count || diff->appeared_count)
		fprintf(to, "\nfindings\n");
	findings_text("+", diff->appeared, diff->appeared_count, to);
	findings_text("-", diff->gone, diff->gone_count, to);
}

static void rows_json(struct wan_json *json, const char *key, const struct diff_rows *rows)
{
	wan_json_key(json, key);
	wan_json_array_begin(json);
	for (size_t i = 0; i < rows->count; i++) {
		const struct diff_row *row = &rows->items[i];
		bool interval = row->ratio.high < INFINITY;
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", row->name ? row->name : "");
		wan_json_key_string(json, "library", row->library);
		wan_json_key_string(json, "unit", row->unit);
		wan_json_key_double(json, "base", row->base, 6);
		wan_json_key_double(json, "now", row->now, 6);
		wan_json_key_double(json, "change_percent",
				    row->base > 0 ? 100 * (row->now / row->base - 1) : NAN, 4);
		wan_json_key_double(json, "low_percent",
				    interval ? 100 * (row->ratio.low - 1) : NAN, 4);
		wan_json_key_double(json, "high_percent",
				    interval ? 100 * (row->ratio.high - 1) : NAN, 4);
		wan_json_key_string(json, "judgement", diff_judgement_name(row->judgement));
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void findings_json(struct wan_json *json, const char *key,
			  const struct run_finding *const *findings, size_t count)
{
	wan_json_key(json, key);
	wan_json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "id", findings[i]->id);
		wan_json_key_string(json, "severity", findings[i]->severity);
		wan_json_key_string(json, "title", findings[i]->title);
		wan_json_key_string(json, "operation_name", findings[i]->operation);
		wan_json_key_double(json, "value", findings[i]->value, 4);
		wan_json_key_double(json, "limit", findings[i]->limit, 4);
		wan_json_key_string(json, "unit", findings[i]->unit);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void files_json(struct wan_json *json, const char *key, const struct run_facts *runs,
		       size_t count)
{
	wan_json_key(json, key);
	wan_json_array_begin(json);
	for (size_t i = 0; i < count; i++)
		wan_json_string(json, runs[i].path);
	wan_json_array_end(json);
}

void diff_json(const struct diff *diff, struct wan_json *json)
{
	files_json(json, "base_files", diff->base, diff->base_count);
	files_json(json, "now_files", diff->now, diff->now_count);
	wan_json_key_bool(json, "comparable", diff->comparable);
	wan_json_key_string(json, "reason", diff->reason[0] ? diff->reason : NULL);
	rows_json(json, "totals", &diff->totals);
	rows_json(json, "phases", &diff->phases);
	rows_json(json, "operations", &diff->kinds);
	rows_json(json, "memory", &diff->memory);
	findings_json(json, "findings_appeared", diff->appeared, diff->appeared_count);
	findings_json(json, "findings_gone", diff->gone, diff->gone_count);
}
